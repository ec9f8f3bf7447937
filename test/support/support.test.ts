/** The helpers of the end-to-end tests, tried on small programs that misbehave on purpose. */
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { freePort } from './free-port.ts';
import { runCli, startCli } from './run-cli.ts';
import { findProgram, inputsFolder, requireProgram } from './skips.ts';
import { tempFolder } from './temp-folder.ts';

/** Writes a program into a folder and returns its path. */
function write(folder: string, text: string): string {
  const path = join(folder, 'program.mjs');
  writeFileSync(path, text);
  return path;
}

const lingering = `
  import { spawn } from 'node:child_process';
  import { mkdtempSync } from 'node:fs';
  import { tmpdir } from 'node:os';
  mkdtempSync(tmpdir() + '/left-');
  const sleepers = [
    // The same session without the marker, and the marker in a session of its own.
    spawn('sleep', ['60'], { stdio: 'inherit', env: { PATH: process.env.PATH } }),
    spawn('sleep', ['61'], { stdio: 'inherit', detached: true }),
  ];
  for (const sleeper of sleepers) sleeper.unref();
  console.log('started');
  process.exitCode = 3;
`;

describe('runCli', () => {
  test('gives arguments, exit code and both outputs', async () => {
    using folder = tempFolder();
    const program = write(
      folder.path,
      'console.log(process.argv.slice(2)); console.error("e"); process.exit(7);',
    );
    const result = await runCli(['--a', 'b c'], { program });
    expect(result).toEqual({
      code: 7,
      signal: null,
      stdout: "[ '--a', 'b c' ]\n",
      stderr: 'e\n',
      orphans: [],
      leftInTemp: [],
    });
  });

  test('finds processes and files left behind, and removes them', async () => {
    using folder = tempFolder();
    const program = write(folder.path, lingering);
    const result = await runCli([], { program });
    expect(result.code).toBe(3);
    expect(result.stdout).toBe('started\n');
    expect(result.orphans.map(({ command }) => command).sort()).toEqual(['sleep 60', 'sleep 61']);
    expect(result.leftInTemp).toEqual([expect.stringMatching(/^left-/)]);
    for (const { pid } of result.orphans) {
      await expect.poll(() => isAlive(pid)).toBe(false);
    }
  });

  test('ends what does not end, and says what it had printed', async () => {
    using folder = tempFolder();
    const program = write(folder.path, 'console.log("busy"); setInterval(() => {}, 1000);');
    const run = startCli([], { program, timeoutMs: 1_500 });
    await expect(run.ended).rejects.toThrow(/not finished after 1500 ms; printed so far:\nbusy/);
  });

  test('passes signals and waits for words', async () => {
    using folder = tempFolder();
    const program = write(
      folder.path,
      'process.on("SIGINT", () => process.exit(130)); setInterval(() => {}, 9); console.log("up");',
    );
    const run = startCli([], { program });
    await run.waitFor(/^up$/m);
    run.signal('SIGINT');
    expect((await run.ended).code).toBe(130);
    await expect(run.waitFor(/never/)).rejects.toThrow(/ended before/);
  });

  test('a program does not outlive the block that started it', async () => {
    using folder = tempFolder();
    const program = write(folder.path, 'console.log("up"); setInterval(() => {}, 1000);');
    let pid = 0;
    {
      await using run = startCli([], { program });
      await run.waitFor(/^up$/m);
      ({ pid } = run);
    }
    expect(isAlive(pid)).toBe(false);
  });
});

/** A process that has ended but is not reaped has no working folder any more. */
function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/cwd`);
}

describe('what a test needs', () => {
  const skipped: string[] = [];
  const context = {
    skip(note?: string): never {
      skipped.push(note ?? '');
      throw new Error('skipped');
    },
  };

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    skipped.length = 0;
  });

  test('a program that is there', () => {
    expect(findProgram('node')).toMatch(/\/node$/);
  });

  test('a missing program fails, in CI always, and is skipped only on request', () => {
    // An empty PATH: wrk lives in none of the folders that are searched besides.
    vi.stubEnv('PATH', '');
    vi.stubEnv('CI', 'true');
    vi.stubEnv('WATERHAMMER_ALLOW_SKIPS', '1');
    expect(() => requireProgram('wrk', context)).toThrow(/wrk is missing/);
    vi.stubEnv('CI', '');
    vi.stubEnv('WATERHAMMER_ALLOW_SKIPS', '');
    expect(() => requireProgram('wrk', context)).toThrow(/wrk is missing/);
    expect(skipped).toEqual([]);
    vi.stubEnv('WATERHAMMER_ALLOW_SKIPS', '1');
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(() => requireProgram('wrk', context)).toThrow('skipped');
    expect(write).toHaveBeenCalledWith('skipped: wrk is missing (Debian package wrk)\n');
    expect(skipped).toEqual(['wrk is missing (Debian package wrk)']);
  });

  test('an inputs folder that is named must exist', () => {
    vi.stubEnv('WATERHAMMER_INPUTS', '/nowhere/inputs');
    expect(() => inputsFolder()).toThrow(/names no folder/);
  });
});

test('a free port refuses connections', async () => {
  const socket = connect(await freePort(), '127.0.0.1');
  const code = await new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on('connect', () => resolve('connected'));
  });
  socket.destroy();
  expect(code).toBe('ECONNREFUSED');
});

test('a temporary folder goes with its block', () => {
  let path = '';
  {
    using folder = tempFolder();
    path = folder.path;
    expect(existsSync(path)).toBe(true);
  }
  expect(existsSync(path)).toBe(false);
});
