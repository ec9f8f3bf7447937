/**
 * The keeper: a small process between the supervisor and a foreign server. It starts the server
 * in a process group of its own, and when its channel to the supervisor closes, for whatever
 * reason (a SIGKILL included), it ends the group and removes the server's private folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

export interface KeeperOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
}

export type KeeperNews =
  | { readonly type: 'exited'; readonly reason: string }
  | { readonly type: 'stopped' };

const TERM_PATIENCE_MS = 3_000;
const STDERR_KEPT = 2_000;

let child: ChildProcess | null = null;
let folder: string | null = null;
let stopping = false;

function tell(news: KeeperNews): void {
  if (process.connected) process.send?.(news);
}

function signalGroup(signal: NodeJS.Signals): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone, which is what we want.
  }
}

function clean(): void {
  signalGroup('SIGKILL');
  if (folder !== null) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  const end = (): void => {
    clean();
    tell({ type: 'stopped' });
    process.exit(0);
  };
  if (child === null || child.exitCode !== null || child.signalCode !== null) {
    end();
    return;
  }
  child.once('exit', end);
  signalGroup('SIGTERM');
  setTimeout(() => signalGroup('SIGKILL'), TERM_PATIENCE_MS);
}

function start(order: KeeperOrder): void {
  folder = order.folder;
  let stderr = '';
  child = spawn(order.command, order.args, {
    cwd: order.folder,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  child.on('error', (error) => tell({ type: 'exited', reason: error.message }));
  child.on('exit', (code, signal) => {
    if (stopping) return;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    tell({ type: 'exited', reason: `${order.command} ended with ${how}: ${stderr.trim()}` });
  });
}

if (process.send !== undefined) {
  process.on('disconnect', stop);
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('message', (message: KeeperOrder | 'stop') => {
    if (message === 'stop') stop();
    else start(message);
  });
}
