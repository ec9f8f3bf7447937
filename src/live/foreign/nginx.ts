/**
 * Real nginx as the web server of every host: one nginx, a server block per host and listener,
 * each proxying to its own host's app. Configuration and temporary files lie in a private
 * folder. Every directive that differs between versions is written out (Debian's 1.22 has
 * `keepalive_requests 1000` and upstream keep-alive off).
 *
 * One process for all hosts means one pool of `worker_connections`: it gets that many per host,
 * and a single host may use more than its share.
 *
 * The access log says which request of which connection each line is, so that reuse can be
 * counted from nginx's own words.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from '../../model/run.ts';
import type { WebServerHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { fixedPort, freePorts, privateFolder, startKept } from './keeper.ts';
import { programPath, serverGroup, serverUser } from './programs.ts';
import { type ForeignContext, ForeignError, type ForeignServer } from './server.ts';

const LOG_FORMAT =
  "'$msec $connection $connection_requests $status $request_time $upstream_response_time " +
  '$remote_port "$request" "$http_traceparent"\'';
/** nginx has no words for "without limit" and "never" here: what no run reaches. */
const NO_LIMIT = 1_000_000_000;
const NEVER = '20d';

interface ServerBlock {
  readonly listener: Endpoint;
  readonly app: Endpoint;
}

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginx(hop: WebServerHop, ctx: ForeignContext): Promise<ForeignServer> {
  const command = programPath('nginx');
  const blocks = await serverBlocks(hop, ctx);
  const folder = privateFolder('nginx');
  const config = path.join(folder, 'nginx.conf');
  const logs = path.join(ctx.logFolder ?? folder, `${hop.name}-access.log`);
  const args = ['-p', folder, '-c', config, '-e', 'stderr'];
  const kept = await startKept({
    command,
    args,
    folder,
    ready: blocks[0]?.listener.port ?? 0,
    async prepare() {
      await writeFile(config, configuration(hop, blocks, logs));
      await check(command, args);
    },
  });
  return {
    endpoints: blocks.map((block) => block.listener),
    died: kept.died,
    stop: () => kept.stop(),
  };
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
      const isFirst = instance.replica === 0 && link === incoming[0];
      const port = (isFirst ? fixedPort(hop.listen) : null) ?? ports.pop() ?? 0;
      const listener = { instance: instance.index, link: link.index, address: '127.0.0.1', port };
      return { listener, app };
    }),
  );
}

/** A duration in nginx's words; 0 = never. */
function time(duration: Micros): string {
  return duration === 0 ? NEVER : `${Math.max(1, Math.round(duration / 1_000))}ms`;
}

function configuration(
  hop: WebServerHop,
  blocks: readonly ServerBlock[],
  accessLog: string,
): string {
  const hosts = new Set(blocks.map(({ listener }) => listener.instance)).size;
  const user = serverUser(['nobody']);
  const keepsUpstream = hop.upstreamIdleMax > 0;
  const servers = blocks.map(({ listener, app }, index) =>
    [
      `  upstream app_${index} {`,
      `    server ${app.address}:${app.port} max_fails=0;`,
      ...(keepsUpstream
        ? [
            `    keepalive ${hop.upstreamIdleMax};`,
            `    keepalive_timeout ${time(hop.upstreamIdleTimeout)};`,
            `    keepalive_requests ${NO_LIMIT};`,
            `    keepalive_time ${NEVER};`,
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
    ...(user === null ? [] : [`user ${user} ${serverGroup(['nogroup', 'nobody'])};`]),
    'worker_processes 1;',
    'daemon off;',
    'pid nginx.pid;',
    'error_log stderr warn;',
    `events { worker_connections ${hop.workerConnections * hosts}; }`,
    'http {',
    `  log_format waterhammer ${LOG_FORMAT};`,
    `  access_log "${accessLog}" waterhammer buffer=64k flush=1s;`,
    '  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;',
    '  uwsgi_temp_path uwsgi; scgi_temp_path scgi;',
    '  tcp_nodelay on;',
    `  keepalive_timeout ${hop.keepAliveTimeout === 0 ? '0' : time(hop.keepAliveTimeout)};`,
    `  keepalive_requests ${hop.keepAliveRequests === 0 ? NO_LIMIT : hop.keepAliveRequests};`,
    `  keepalive_time ${time(hop.keepAliveTime)};`,
    '  proxy_http_version 1.1;',
    `  proxy_set_header Connection ${keepsUpstream ? '""' : 'close'};`,
    '  proxy_set_header Host $http_host;',
    '  proxy_next_upstream error timeout;',
    '  client_max_body_size 2m;',
    `  proxy_connect_timeout ${time(hop.connectTimeout)};`,
    `  proxy_read_timeout ${time(hop.responseTimeout)};`,
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
