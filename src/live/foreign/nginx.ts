/**
 * Real nginx as the web server of every host: one nginx, a server block per host and listener,
 * each proxying to its own host's app. Configuration, logs and temporary files lie in a private
 * folder. Every directive that differs between versions is written out (Debian's 1.22 has
 * `keepalive_requests 1000` and upstream keep-alive off).
 *
 * The access log says which request of which connection each line is, so that reuse can be
 * counted from nginx's own words.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Endpoint } from '../../model/run.ts';
import type { WebServerHop } from '../../model/topology.ts';
import { freePorts, startKept } from './keeper.ts';
import { programPath } from './programs.ts';
import { type ForeignContext, ForeignError, type ForeignServer } from './server.ts';

const LOG_FORMAT =
  "'$msec $connection $connection_requests $status $request_time $upstream_response_time " +
  '$remote_port "$request" "$http_traceparent"\'';
/** nginx has no word for "without limit" here. */
const NO_LIMIT = 1_000_000_000;

interface ServerBlock {
  readonly listener: Endpoint;
  readonly app: Endpoint;
}

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginx(hop: WebServerHop, ctx: ForeignContext): Promise<ForeignServer> {
  const command = programPath('nginx');
  const folder = await mkdtemp(path.join(tmpdir(), 'waterhammer-nginx-'));
  try {
    // Its workers give up root and must still reach their temporary files.
    await chmod(folder, 0o711);
    const blocks = await serverBlocks(hop, ctx);
    const config = path.join(folder, 'nginx.conf');
    await writeFile(config, configuration(hop, blocks));
    const args = ['-p', folder, '-c', config, '-e', path.join(folder, 'error.log')];
    await check(command, args);
    const ready = blocks[0]?.listener.port ?? 0;
    const kept = await startKept({ command, args, folder, ready });
    return { ...kept, endpoints: blocks.map((block) => block.listener) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function serverBlocks(hop: WebServerHop, ctx: ForeignContext): Promise<ServerBlock[]> {
  const { plan, endpoints } = ctx;
  const incoming = plan.links.filter((link) => link.upstream === hop.name);
  const outgoing = plan.links.find((link) => link.downstream === hop.name);
  const replicas = plan.instances.filter((instance) => instance.hop === hop.name);
  const ports = await freePorts(incoming.length * replicas.length);
  return incoming.flatMap((link) =>
    replicas.map((instance): ServerBlock => {
      const apps = endpoints.filter((one) => one.link === outgoing?.index);
      const own = apps.find((one) => plan.instances[one.instance]?.host === instance.host);
      const app = instance.host === null ? apps[0] : own;
      if (app === undefined) throw new Error(`${hop.name} has no app to pass requests to`);
      const fixed =
        hop.listen !== null && instance.replica === 0 && link.purpose === 'traffic'
          ? Number(hop.listen.slice(hop.listen.lastIndexOf(':') + 1))
          : null;
      const port = fixed ?? ports.pop() ?? 0;
      const listener = { instance: instance.index, link: link.index, address: '127.0.0.1', port };
      return { listener, app };
    }),
  );
}

function configuration(hop: WebServerHop, blocks: readonly ServerBlock[]): string {
  const seconds = (micros: number): string => `${Math.max(1, Math.round(micros / 1_000))}ms`;
  const keepsUpstream = hop.upstreamIdleMax > 0;
  const servers = blocks.map(({ listener, app }, index) =>
    [
      `  upstream app_${index} {`,
      `    server ${app.address}:${app.port} max_fails=0;`,
      ...(keepsUpstream
        ? [
            `    keepalive ${hop.upstreamIdleMax};`,
            `    keepalive_timeout ${seconds(hop.upstreamIdleTimeout)};`,
          ]
        : []),
      '  }',
      '  server {',
      `    listen ${listener.address}:${listener.port} backlog=4096;`,
      '    location / {',
      `      proxy_pass http://app_${index};`,
      '    }',
      '  }',
    ].join('\n'),
  );
  return [
    ...(process.getuid?.() === 0 ? ['user nobody nogroup;'] : []),
    'worker_processes 1;',
    'daemon off;',
    'pid nginx.pid;',
    'error_log error.log warn;',
    `events { worker_connections ${hop.workerConnections}; }`,
    'http {',
    `  log_format waterhammer ${LOG_FORMAT};`,
    '  access_log access.log waterhammer buffer=64k flush=1s;',
    '  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;',
    '  uwsgi_temp_path uwsgi; scgi_temp_path scgi;',
    '  tcp_nodelay on;',
    `  keepalive_timeout ${hop.keepAliveTimeout === 0 ? '0' : seconds(hop.keepAliveTimeout)};`,
    `  keepalive_requests ${hop.keepAliveRequests === 0 ? NO_LIMIT : hop.keepAliveRequests};`,
    `  keepalive_time ${hop.keepAliveTime === 0 ? '1000d' : seconds(hop.keepAliveTime)};`,
    '  proxy_http_version 1.1;',
    `  proxy_set_header Connection ${keepsUpstream ? '""' : 'close'};`,
    '  proxy_set_header Host $http_host;',
    '  proxy_next_upstream off;',
    `  proxy_connect_timeout ${seconds(hop.connectTimeout)};`,
    `  proxy_read_timeout ${seconds(hop.responseTimeout)};`,
    ...servers,
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
