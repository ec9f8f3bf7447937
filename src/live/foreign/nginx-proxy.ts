/**
 * Real nginx as edge or gateway: an HTTP proxy with keep-alive on both sides, tuned as its users
 * tune it (access log off, upstream keep-alive larger than any run needs, no rewriting).
 *
 *   edge     a listener and a keep-alive pool per location
 *   gateway  a keep-alive pool per node and pool; each request (or client connection) is given
 *            one by `split_clients`, a hash of its connection and its number on it
 *
 * What is not the same as in our own hops: nginx reuses the idle connection that was used last
 * (`reuse: lifo`), has no limit of connections with a queue behind it, makes one attempt, and
 * `proxy_read_timeout` runs between two reads where API Gateway's covers the whole answer. The
 * throttle is `limit_req`, a leaky bucket of the same rate and burst.
 */
import type { EdgeHop, GatewayHop } from '../../model/topology.ts';
import { type ForeignListener, foreignListeners } from './listeners.ts';
import {
  keepAliveUpstream,
  NO_LIMIT,
  nginxTime,
  requestTimeouts,
  startNginxProgram,
} from './nginx-program.ts';
import type { ForeignContext, ForeignServer } from './server.ts';

/** Idle connections that a pool may keep: room for all that a run opens. */
const IDLE_MAX = 1_024;
/** Client and upstream connections; a process here may have 20,000 descriptors. */
const WORKER_CONNECTIONS = 19_000;

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginxEdge(hop: EdgeHop, ctx: ForeignContext): Promise<ForeignServer> {
  const blocks = await foreignListeners(hop, ctx, hop.locations);
  return start(blocks, [
    ...shared(hop, hop.responseTimeout),
    ...blocks.flatMap((block, index) => [
      ...upstream(hop, `pool_${index}`, block),
      ...server(block, `http://pool_${index}`, []),
    ]),
  ]);
}

/** @throws ForeignError `program-missing`, `program-failed` (with nginx's own words) */
export async function startNginxGateway(
  hop: GatewayHop,
  ctx: ForeignContext,
): Promise<ForeignServer> {
  const blocks = await foreignListeners(hop, ctx);
  const pools = hop.nodes * hop.poolsPerNode;
  const throttled = hop.throttle.ratePerSecond > 0;
  return start(blocks, [
    ...shared(hop, hop.integrationTimeout),
    ...(throttled ? throttle(hop) : []),
    ...split(hop, pools),
    ...blocks.flatMap((block, index) => [
      ...Array.from({ length: pools }, (_none, pool) =>
        upstream(hop, `block_${index}_${pool}`, block),
      ).flat(),
      ...server(
        block,
        pools === 1 ? `http://block_${index}_0` : `http://block_${index}_$pool`,
        throttled ? [`limit_req zone=requests burst=${hop.throttle.burst} nodelay;`] : [],
      ),
    ]),
  ]);
}

function start(
  blocks: readonly ForeignListener[],
  http: readonly string[],
): Promise<ForeignServer> {
  const listeners = blocks.map((block) => block.listener);
  return startNginxProgram({ listeners, workerConnections: WORKER_CONNECTIONS, http: () => http });
}

function shared(hop: EdgeHop | GatewayHop, responseTimeout: number): string[] {
  return [
    '  access_log off;',
    `  keepalive_timeout ${nginxTime(hop.clientIdleTimeout)};`,
    `  keepalive_requests ${NO_LIMIT};`,
    '  keepalive_time 20d;',
    ...requestTimeouts(hop),
    '  proxy_set_header Connection "";',
    `  proxy_connect_timeout ${nginxTime(hop.connectTimeout)};`,
    `  proxy_read_timeout ${nginxTime(responseTimeout)};`,
  ];
}

/** `limit_req` counts in whole requests a second; one bucket for all, as an account has. */
function throttle({ throttle: { ratePerSecond } }: GatewayHop): string[] {
  const rate = Math.max(1, Math.round(ratePerSecond));
  return [
    `  limit_req_zone all zone=requests:64k rate=${rate}r/s;`,
    '  limit_req_status 429;',
    '  limit_req_log_level info;',
  ];
}

/** Gives each request, or each client connection, one of the pools by chance. */
function split(hop: GatewayHop, pools: number): string[] {
  if (pools === 1) return [];
  const what = hop.spread === 'request' ? '$connection:$connection_requests' : '$connection';
  const percent = (Math.floor(10_000 / pools) / 100).toFixed(2);
  const shares = Array.from({ length: pools }, (_none, pool) =>
    pool === pools - 1 ? `    * ${pool};` : `    ${percent}% ${pool};`,
  );
  return [`  split_clients "${what}" $pool {`, ...shares, '  }'];
}

function upstream(hop: EdgeHop | GatewayHop, name: string, block: ForeignListener): string[] {
  const { idleTimeout, requestsPerConnectionMax } = hop.pool;
  return [
    `  upstream ${name} {`,
    ...block.targets.map(({ address, port }) => `    server ${address}:${port} max_fails=0;`),
    ...keepAliveUpstream(IDLE_MAX, idleTimeout, requestsPerConnectionMax),
    '  }',
  ];
}

function server({ listener }: ForeignListener, target: string, more: readonly string[]): string[] {
  return [
    '  server {',
    `    listen ${listener.address}:${listener.port} backlog=4096;`,
    ...more.map((line) => `    ${line}`),
    `    location / { proxy_pass ${target}; }`,
    '  }',
  ];
}
