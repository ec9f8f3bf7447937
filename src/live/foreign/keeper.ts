/**
 * Starts a foreign server under a keeper: a small shell between the supervisor and the server,
 * which ends the server and removes its private folder when its standard input closes, for
 * whatever reason (a SIGKILL of the supervisor included). So no orphan and no folder is left.
 *
 *   supervisor ──stdin──► keeper ──► server, and whatever the server starts
 *                 │ "go"    the folder is filled: start the server
 *                 │ end     TERM, after KILL_AFTER_S s KILL; remove the folder; KILL the rest
 *                 │ .away   in the folder: the server was killed on purpose and is started again
 *                 │         once that file is gone
 *   supervisor ◄─stdout── one line: how the server ended
 *
 * The keeper leads a process group (and session) of its own: Ctrl-C in the terminal does not
 * reach it, and what is left of the server at the end is killed with the group. It is a shell,
 * because that takes one megabyte instead of forty and nothing but POSIX `sh`.
 *
 * Left out: a keeper that is itself killed with SIGKILL leaves its server.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { ForeignError } from './server.ts';
import { processesOf } from './session.ts';

const READY_POLL_MS = 25;
const READY_WITHIN_MS = 60_000;
const KILL_AFTER_S = 3;
/** The last words of a server that are kept. */
const STDERR_KEPT = 4_000;

/**
 * $1 = private folder, the rest = command. Signals are ignored only after the server started,
 * for children inherit that; PIPE too, as a dead supervisor reads nothing. Descriptor 3 is the
 * supervisor; the server must not hold it.
 */
export const KEEPER = `
folder=$1; shift
exec 3<&0 </dev/null
if ! read -r go <&3; then rm -rf -- "$folder"; exit 0; fi
cd -- "$folder" || exit 1
"$@" 3<&- >/dev/null &
server=$!
echo "$server" >.server
trap '' HUP INT TERM PIPE
{
  cat <&3 >/dev/null
  : >.stop
  rm -f .away
  read -r server <.server
  kill -TERM "$server"
  tenths=0
  while [ $tenths -lt ${KILL_AFTER_S * 10} ] && kill -0 "$server"; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -KILL "$server"
} 2>/dev/null >/dev/null &
while :; do
  wait "$server"
  code=$?
  [ -e .away ] || break
  while [ -e .away ]; do sleep 0.05; done
  [ -e .stop ] && break
  (trap - HUP INT TERM PIPE; exec "$@" 3<&- >/dev/null) &
  server=$!
  echo "$server" >.server
done
cd /
rm -rf -- "$folder"
echo "exit code $code" 2>/dev/null
kill -KILL 0
`;

type KeeperProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export interface KeptOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Private folder of the server, from `privateFolder`; removed at the end in every case. */
  readonly folder: string;
  /** A port of 127.0.0.1 that accepts when the server is ready. */
  readonly ready: number;
  /** Fills the folder before the server is started. */
  readonly prepare: () => Promise<void>;
}

export interface Kept {
  /** Process number of the keeper, which leads the group of the server. */
  readonly pid: number;
  /** Resolves with the reason when the server ends without having been asked to. */
  readonly died: Promise<string>;
  /**
   * Kills the server (SIGKILL, all of its processes) and starts it again after `away`
   * milliseconds, with what it has in its folder. Resolves with null when it accepts again,
   * else with why it does not.
   */
  restart(away: number): Promise<string | null>;
  /** Resolves when its processes are gone and its private folder is removed. */
  stop(): Promise<void>;
}

/** A new empty folder, which users that a server changes to may pass through. */
export function privateFolder(name: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), `waterhammer-${name}-`));
  chmodSync(folder, 0o711);
  return folder;
}

/** @throws ForeignError `program-failed` when it ends or does not accept in time */
export async function startKept(options: KeptOptions): Promise<Kept> {
  const { command, args, folder, ready, prepare } = options;
  const keeper: KeeperProcess = spawn(
    '/bin/sh',
    ['-c', KEEPER, 'waterhammer-keeper', folder, command, ...args],
    { detached: true, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const server = new KeptServer(keeper, path.basename(command), options);
  try {
    await prepare();
    // Else whoever has the port would be taken for our server.
    if (!(await isFree(ready))) throw new ForeignError('program-failed', `port ${ready} is in use`);
    server.go();
    const failure = await Promise.race([server.died, accepts(ready, server)]);
    if (failure !== null) throw new ForeignError('program-failed', failure);
    return server;
  } catch (error) {
    await server.stop();
    // Where not even the shell could be started, nobody else removes it.
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

class KeptServer implements Kept {
  readonly pid: number;
  readonly died: Promise<string>;
  readonly #keeper: KeeperProcess;
  readonly #options: KeptOptions;
  readonly #gone: Promise<void>;
  ended = false;
  #stopping = false;
  #news = '';
  #stderr = '';

  constructor(keeper: KeeperProcess, name: string, options: KeptOptions) {
    this.#keeper = keeper;
    this.#options = options;
    this.pid = keeper.pid ?? -1;
    keeper.stdout.on('data', (chunk: Buffer) => {
      this.#news = (this.#news + chunk.toString('utf8')).slice(-200);
    });
    keeper.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
    });
    // The keeper may be gone before it reads what we send: its exit tells.
    keeper.stdin.on('error', () => {});
    let reported: (reason: string) => void = () => {};
    this.died = new Promise((resolve) => {
      reported = resolve;
    });
    this.#gone = new Promise((resolve) => {
      const over = (why: string): void => {
        this.ended = true;
        resolve();
        if (this.#stopping) return;
        const words = this.#stderr.trim();
        reported(`${name} ended (${why})${words === '' ? '' : `:\n${words}`}`);
      };
      keeper.on('error', (error) => over(error.message));
      // 'close' waits for the last words, 'exit' would not.
      keeper.on('close', () => over(this.#news.trim() || 'its keeper was killed'));
    });
  }

  go(): void {
    this.#keeper.stdin.write('go\n');
  }

  async restart(away: number): Promise<string | null> {
    const { folder, ready } = this.#options;
    const mark = path.join(folder, '.away');
    await writeFile(mark, '');
    await killServer(this.pid);
    await new Promise((resolve) => setTimeout(resolve, away));
    await rm(mark, { force: true });
    return this.#stopping ? null : accepts(ready, this);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#keeper.stdin.end();
    await this.#gone;
  }
}

/** What the keeper itself runs. */
const KEEPERS_OWN = new Set(['sh', 'cat', 'sleep']);

/**
 * Kills what the keeper started, and not the keeper: of nginx the workers too, which outlive
 * their master. Twice, because a process may start another while we look.
 */
async function killServer(session: number): Promise<void> {
  for (let round = 0; round < 2; round++) {
    for (const { pid, name } of await processesOf(session)) {
      if (KEEPERS_OWN.has(name)) continue;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
  }
}

/** Null once the port accepts, or the server has ended; why not, when it never does. */
async function accepts(port: number, server: { readonly ended: boolean }): Promise<string | null> {
  for (let waited = 0; waited < READY_WITHIN_MS && !server.ended; waited += READY_POLL_MS) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.resetAndDestroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isOpen) return null;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  // A server that has ended says so itself, with its last words.
  if (server.ended) return new Promise(() => {});
  return `port ${port} did not accept within ${READY_WITHIN_MS / 1_000} s`;
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (listens) await new Promise((resolve) => server.close(resolve));
  return listens;
}

/** Free ports of 127.0.0.1, all different: held open together, then let go. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.on('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const bound = server.address();
            if (bound === null || typeof bound === 'string') reject(new Error('no port'));
            else resolve(bound.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The port of a fixed `address:port`, or null. */
export function fixedPort(listen: string | null): number | null {
  return listen === null ? null : Number(listen.slice(listen.lastIndexOf(':') + 1));
}
