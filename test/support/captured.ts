/**
 * A command of the program in the test's own process, and what it prints: for tests that ask it
 * dozens of things, where a process for each costs a third of a second and tells no more.
 */
import { vi } from 'vitest';

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function captured(command: () => Promise<number>): Promise<Captured> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const error = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const textOf = ({ mock }: typeof out): string => mock.calls.map(([text]) => text).join('');
  try {
    const code = await command();
    return { code, stdout: textOf(out), stderr: textOf(error) };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}
