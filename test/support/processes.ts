/**
 * Finds processes that outlived the program which started them. A program under test is started
 * as the leader of its own session, with a marker in its environment; whatever still has that
 * session or that marker afterwards is an orphan. Two signs, because each has a hole: a child may
 * start a session of its own, and a server may overwrite its environment (nginx writes its title
 * there). Only a process that does both escapes. Read from /proc, so for Linux only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const MARKER = 'WATERHAMMER_TEST_MARK';

export interface ProcessEntry {
  readonly pid: number;
  readonly command: string;
}

/** Living processes of a session or with a marker; one that has ended but is not reaped is not. */
export function processesOf(session: number, mark: string): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readText(`/proc/${name}/stat`);
      // The name stands in parentheses and may itself contain some; the numbers follow the last.
      const [state, , , sessionText] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (stat === '' || state === 'Z' || state === 'X') {
        return [];
      }
      const marked = readText(`/proc/${name}/environ`).split('\0').includes(`${MARKER}=${mark}`);
      if (Number(sessionText) !== session && !marked) {
        return [];
      }
      const command = readText(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      return [{ pid: Number(name), command }];
    });
}

/**
 * Processes that stay. One that was killed needs a moment to vanish, so the list is read again
 * for up to a second.
 */
export async function orphansOf(session: number, mark: string): Promise<ProcessEntry[]> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (processesOf(session, mark).length === 0) {
      return [];
    }
    await sleep(50);
  }
  return processesOf(session, mark);
}

export function killAll(processes: readonly ProcessEntry[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile, which is what we want.
    }
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
