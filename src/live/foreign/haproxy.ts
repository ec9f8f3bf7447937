/**
 * Real HAProxy in `mode tcp` with `maxconn` on its server: the best known peer of a connection
 * queue, for tests and benches. A connection beyond maxconn waits in HAProxy's own queue.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePorts, privateFolder, startKept } from './keeper.ts';
import { programPath } from './programs.ts';

export interface HaproxyOptions {
  /** Where the server behind it listens. */
  readonly server: { readonly address: string; readonly port: number };
  /** Connections that the server gets at a time. */
  readonly connectionsMax: number;
  /** Seconds that a connection may wait in the queue, or be silent. */
  readonly timeoutSeconds: number;
}

export interface Haproxy {
  readonly port: number;
  readonly died: Promise<string>;
  stop(): Promise<void>;
}

/** @throws ForeignError `program-missing`, `program-failed` (with HAProxy's own words) */
export async function startHaproxy(options: HaproxyOptions): Promise<Haproxy> {
  const command = programPath('haproxy');
  const [port = 0] = await freePorts(1);
  const folder = privateFolder('haproxy');
  const config = path.join(folder, 'haproxy.cfg');
  const kept = await startKept({
    command,
    args: ['-db', '-f', config],
    folder,
    ready: port,
    prepare: () => writeFile(config, configuration(options, port)),
  });
  return { port, died: kept.died, stop: () => kept.stop() };
}

function configuration(options: HaproxyOptions, port: number): string {
  const { server, connectionsMax, timeoutSeconds } = options;
  return [
    'global',
    '  maxconn 4096',
    'defaults',
    '  mode tcp',
    `  timeout connect ${timeoutSeconds}s`,
    `  timeout client ${timeoutSeconds}s`,
    `  timeout server ${timeoutSeconds}s`,
    `  timeout queue ${timeoutSeconds}s`,
    'listen front',
    `  bind 127.0.0.1:${port}`,
    `  server app ${server.address}:${server.port} maxconn ${connectionsMax}`,
    '',
  ].join('\n');
}
