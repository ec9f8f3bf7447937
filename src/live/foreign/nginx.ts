/**
 * Real nginx as the web server of every host: one nginx, a server block per host and listener,
 * each proxying to its own host's app. Every directive that differs between versions is written
 * out (Debian's 1.22 has `keepalive_requests 1000` and upstream keep-alive off).
 *
 * One process for all hosts means one pool of `worker_connections`: it gets that many per host,
 * and a single host may use more than its share.
 *
 * The access log says which request of which connection each line is, so that reuse can be
 * counted from nginx's own words.
 */
import path from 'node:path';
import type { WebServerHop } from '../../model/topology.ts';
import { type ForeignListener, foreignListeners } from './listeners.ts';
import {
  keepAliveUpstream,
  NO_LIMIT,
  nginxTime,
  requestTimeouts,
  startNginxProgram,
} from './nginx-program.ts';
import type { ForeignContext, ForeignServer } from './server.ts';

const LOG_FORMAT =
  "'$msec $connection $connection_requests $status $request_time $upstream_response_time " +
  '$remote_port "$request" "$http_traceparent"\'';

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginx(hop: WebServerHop, ctx: ForeignContext): Promise<ForeignServer> {
  const blocks = await foreignListeners(hop, ctx);
  const listeners = blocks.map((block) => block.listener);
  const hosts = new Set(listeners.map(({ instance }) => instance)).size;
  return startNginxProgram({
    listeners,
    workerConnections: hop.workerConnections * hosts,
    http: (folder) =>
      httpLines(hop, blocks, path.join(ctx.logFolder ?? folder, `${hop.name}-access.log`)),
  });
}

function httpLines(
  hop: WebServerHop,
  blocks: readonly ForeignListener[],
  accessLog: string,
): string[] {
  const keepsUpstream = hop.upstreamIdleMax > 0;
  const servers = blocks.flatMap(({ listener, targets }, index) => [
    `  upstream app_${index} {`,
    `    server ${targets[0]?.address}:${targets[0]?.port} max_fails=0;`,
    ...(keepsUpstream ? keepAliveUpstream(hop.upstreamIdleMax, hop.upstreamIdleTimeout, 0) : []),
    '  }',
    '  server {',
    `    listen ${listener.address}:${listener.port} backlog=4096;`,
    `    location / { proxy_pass http://app_${index}; }`,
    '  }',
  ]);
  return [
    `  log_format waterhammer ${LOG_FORMAT};`,
    `  access_log "${accessLog}" waterhammer buffer=64k flush=1s;`,
    `  keepalive_timeout ${hop.keepAliveTimeout === 0 ? '0' : nginxTime(hop.keepAliveTimeout)};`,
    `  keepalive_requests ${hop.keepAliveRequests === 0 ? NO_LIMIT : hop.keepAliveRequests};`,
    `  keepalive_time ${nginxTime(hop.keepAliveTime)};`,
    ...requestTimeouts(hop),
    `  proxy_set_header Connection ${keepsUpstream ? '""' : 'close'};`,
    `  proxy_connect_timeout ${nginxTime(hop.connectTimeout)};`,
    `  proxy_read_timeout ${nginxTime(hop.responseTimeout)};`,
    ...servers,
  ];
}
