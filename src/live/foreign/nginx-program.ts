/**
 * Runs nginx with a configuration of ours: one worker, everything in a private folder, checked
 * before it is started so that a mistake is told in nginx's own words.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from '../../model/run.ts';
import type { RequestTimeouts } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { privateFolder, startKept } from './keeper.ts';
import { programPath, serverGroup, serverUser } from './programs.ts';
import { ForeignError, type ForeignServer } from './server.ts';

/** nginx has no words for "without limit" and "never" here: what no run reaches. */
export const NO_LIMIT = 1_000_000_000;
const NEVER = '20d';

export interface NginxOptions {
  readonly listeners: readonly Endpoint[];
  readonly workerConnections: number;
  /** Lines of the http block; `folder` is the private one. */
  readonly http: (folder: string) => readonly string[];
}

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginxProgram(options: NginxOptions): Promise<ForeignServer> {
  const command = programPath('nginx');
  const folder = privateFolder('nginx');
  const config = path.join(folder, 'nginx.conf');
  const args = ['-p', folder, '-c', config, '-e', 'stderr'];
  const kept = await startKept({
    command,
    args,
    folder,
    ready: options.listeners[0]?.port ?? 0,
    async prepare() {
      await writeFile(config, configuration(options, folder));
      await check(command, args);
    },
  });
  return {
    session: kept.pid,
    endpoints: options.listeners,
    died: kept.died,
    restart: (away) => kept.restart(away),
    stop: () => kept.stop(),
  };
}

/** A duration in nginx's words; 0 = never. */
export function nginxTime(duration: Micros): string {
  return duration === 0 ? NEVER : `${Math.max(1, Math.round(duration / 1_000))}ms`;
}

/** nginx counts a slow head or body as 408 in its log, and closes without saying so. */
export function requestTimeouts(hop: RequestTimeouts): string[] {
  return [
    `  client_header_timeout ${nginxTime(hop.requestHeadTimeout)};`,
    `  client_body_timeout ${nginxTime(hop.requestBodyTimeout)};`,
  ];
}

/** Keep-alive to the next hop, for an `upstream` block; `idleMax` connections may be idle. */
export function keepAliveUpstream(
  idleMax: number,
  idleTimeout: Micros,
  requestsMax: number,
): string[] {
  return [
    `    keepalive ${idleMax};`,
    `    keepalive_timeout ${nginxTime(idleTimeout)};`,
    `    keepalive_requests ${requestsMax === 0 ? NO_LIMIT : requestsMax};`,
    `    keepalive_time ${NEVER};`,
  ];
}

function configuration(options: NginxOptions, folder: string): string {
  const user = serverUser(['nobody']);
  return [
    ...(user === null ? [] : [`user ${user} ${serverGroup(['nogroup', 'nobody'])};`]),
    'worker_processes 1;',
    'daemon off;',
    'pid nginx.pid;',
    'error_log stderr warn;',
    `events { worker_connections ${options.workerConnections}; }`,
    'http {',
    '  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;',
    '  uwsgi_temp_path uwsgi; scgi_temp_path scgi;',
    '  tcp_nodelay on;',
    '  proxy_http_version 1.1;',
    '  proxy_set_header Host $http_host;',
    '  proxy_next_upstream error timeout;',
    '  client_max_body_size 2m;',
    ...options.http(folder),
    '}',
    '',
  ].join('\n');
}

function check(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, ['-t', '-q', ...args], (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ForeignError('program-failed', `nginx refuses its configuration: ${stderr}`));
    });
  });
}
