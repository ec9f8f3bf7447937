/** The keeper with real processes: whatever happens, no process and no folder is left. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../test-support.ts';
import { freePorts, KEEPER, type Kept, privateFolder, startKept } from './keeper.ts';
import { programPath } from './programs.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A server with a child of its own, in the words of its folder's `program.mjs`. */
const SERVER = `
  import { spawn } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  import net from 'node:net';
  const [port, stubborn] = process.argv.slice(2);
  if (stubborn === 'stubborn') process.on('SIGTERM', () => {});
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  writeFileSync('pids', [process.pid, child.pid].join(' '));
  process.stderr.write('it begins\\n');
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => process.exit(7));
  });
  server.listen(port, '127.0.0.1');
`;

async function start(
  prepare: (folder: string) => void,
  ...more: string[]
): Promise<{ kept: Kept; folder: string; port: number }> {
  const folder = privateFolder('test');
  const [port = 0] = await freePorts(1);
  const kept = await startKept({
    command: process.execPath,
    args: ['program.mjs', String(port), ...more],
    folder,
    ready: port,
    prepare: async () => prepare(folder),
  });
  cleanups.push(() => kept.stop());
  return { kept, folder, port };
}

const writeServer = (folder: string): void =>
  writeFileSync(path.join(folder, 'program.mjs'), SERVER);
const pidsIn = (text: string): number[] => text.trim().split(' ').map(Number);
/** A zombie, whose parent has not looked yet, runs no more. */
const runs = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a kept server', () => {
  it('ends with its children when it is stopped, and its folder vanishes', async () => {
    const { kept, folder } = await start(writeServer);
    const pids = pidsIn(readFileSync(path.join(folder, 'pids'), 'utf8'));
    expect(pids.map(runs)).toEqual([true, true]);
    await kept.stop();
    await until('all are gone', () => !pids.some(runs));
    expect(existsSync(folder)).toBe(false);
    await kept.stop();
  });

  it('is killed when it does not listen to reason', async () => {
    const { kept, folder } = await start(writeServer, 'stubborn');
    const pids = pidsIn(readFileSync(path.join(folder, 'pids'), 'utf8'));
    await kept.stop();
    await until('all are gone', () => !pids.some(runs));
    expect(existsSync(folder)).toBe(false);
  });

  it('tells how it died, with its last words', async () => {
    const { kept, folder, port } = await start(writeServer);
    const pids = pidsIn(readFileSync(path.join(folder, 'pids'), 'utf8'));
    net.connect(port, '127.0.0.1', function die(this: net.Socket) {
      this.on('error', () => {}).write('x');
    });
    expect(await kept.died).toBe('node ended (exit code 7):\nit begins');
    await until('all are gone', () => !pids.some(runs));
    expect(existsSync(folder)).toBe(false);
  });

  it('that cannot start is an error with its own words; nothing is left', async () => {
    let used = '';
    const broken = start((folder) => {
      used = folder;
      writeFileSync(path.join(folder, 'program.mjs'), 'throw new Error("no such luck")');
    });
    await expect(broken).rejects.toMatchObject({
      code: 'program-failed',
      message: expect.stringContaining('no such luck'),
    });
    expect(existsSync(used)).toBe(false);
    const unprepared = start((folder) => {
      used = folder;
      throw new Error('the configuration is wrong');
    });
    await expect(unprepared).rejects.toThrow('the configuration is wrong');
    expect(existsSync(used)).toBe(false);
  });

  it('ends when its supervisor is killed, before it was started or after', async () => {
    for (const go of ['', 'go\n']) {
      const folder = privateFolder('test');
      writeServer(folder);
      const [port = 0] = await freePorts(1);
      const args = [folder, process.execPath, 'program.mjs', String(port), 'stubborn'];
      const supervisor = spawn(process.execPath, [
        '--input-type=module',
        '--eval',
        `import { spawn } from 'node:child_process';
         const [keeper, ...args] = ${JSON.stringify([KEEPER, 'keeper', ...args])};
         const child = spawn('/bin/sh', ['-c', keeper, ...args], { detached: true });
         child.stdin.write(${JSON.stringify(go)});
         process.stdout.write(String(child.pid));`,
      ]);
      const keeper = await new Promise<number>((resolve) =>
        supervisor.stdout.once('data', (chunk) => resolve(Number(chunk))),
      );
      const pids = [keeper];
      if (go !== '') {
        const file = path.join(folder, 'pids');
        await until('it runs', () => existsSync(file) && readFileSync(file, 'utf8') !== '');
        pids.push(...pidsIn(readFileSync(file, 'utf8')));
      }
      expect(pids.every(runs)).toBe(true);
      supervisor.kill('SIGKILL');
      for (let waited = 0; pids.some(runs) && waited < 100; waited++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(pids.some(runs)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    }
  });
});

describe('what a server needs', () => {
  it('finds free ports, all different', async () => {
    const ports = await freePorts(200);
    expect(new Set(ports).size).toBe(200);
  });

  it('names the package of a program that is missing', () => {
    const { PATH } = process.env;
    try {
      process.env.PATH = '/nonexistent';
      process.env.WATERHAMMER_PROGRAM_PATH = '/nonexistent';
      expect(() => programPath('mariadbd')).toThrow(/apt-get install .*mariadb-server-core/);
    } finally {
      process.env.PATH = PATH;
      delete process.env.WATERHAMMER_PROGRAM_PATH;
    }
  });
});
