/** Starts a foreign server under a keeper (keeper-main.ts) and waits until it accepts. */
import { fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import type { KeeperNews, KeeperOrder } from './keeper-main.ts';
import { ForeignError } from './server.ts';

const READY_POLL_MS = 50;
const READY_WITHIN_MS = 30_000;

export interface KeptOptions extends KeeperOrder {
  /** A port of 127.0.0.1 that accepts when the server is ready. */
  readonly ready: number;
}

export interface Kept {
  readonly died: Promise<string>;
  stop(): Promise<void>;
}

/** @throws ForeignError `program-failed` when it ends or does not accept in time */
export async function startKept(options: KeptOptions): Promise<Kept> {
  // Built code and sources (in tests) name the file differently.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const main = fileURLToPath(new URL(`./keeper-main.${extension}`, import.meta.url));
  const keeper = fork(main, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  let stopping = false;
  const died = new Promise<string>((resolve) => {
    keeper.on('message', (news: KeeperNews) => {
      if (news.type === 'exited') resolve(news.reason);
    });
    keeper.on('exit', () => {
      if (!stopping) resolve(`the keeper of ${options.command} ended`);
    });
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => keeper.once('exit', () => resolve()));
    keeper.send('stop', () => {});
    await gone;
  };
  const { command, args, folder, ready } = options;
  keeper.send({ command, args, folder });
  const failure = await Promise.race([died, accepts(ready)]);
  if (failure !== null) {
    await stop();
    throw new ForeignError('program-failed', failure);
  }
  return { died, stop };
}

/** Null once the port accepts; why not, when it never does. */
async function accepts(port: number): Promise<string | null> {
  for (let waited = 0; waited < READY_WITHIN_MS; waited += READY_POLL_MS) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.on('connect', () => {
        socket.resetAndDestroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return null;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  return `port ${port} did not accept within ${READY_WITHIN_MS / 1_000} s`;
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
