/** Real nginx as edge and as gateway, in front of a real HTTP server. */
import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import type { EdgeHop, GatewayHop } from '../../model/topology.ts';
import { request } from '../test-http.case.ts';
import { testMachine, testUpstream } from '../test-support.ts';
import { startNginxEdge, startNginxGateway } from './nginx-proxy.ts';
import type { ForeignServer } from './server.ts';
import { foreignContext } from './test-plan.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const pool = {
  connectionsMax: 0,
  waitersMax: 0,
  idleTimeout: 60_000_000,
  requestsPerConnectionMax: 0,
  reuse: 'lifo',
} as const;

const edge: EdgeHop = {
  kind: 'edge',
  name: 'hop',
  implementation: 'nginx',
  upstream: 'app',
  listen: null,
  ...testMachine,
  locations: 3,
  pool,
  clientIdleTimeout: 60_000_000,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  connectionAttempts: 1,
  responseTimeout: 100_000,
  responseAttempts: 1,
};

const gateway: GatewayHop = {
  kind: 'gateway',
  name: 'hop',
  implementation: 'nginx',
  upstream: 'app',
  listen: null,
  ...testMachine,
  nodes: 4,
  poolsPerNode: 2,
  spread: 'request',
  pool,
  throttle: { ratePerSecond: 0, burst: 0 },
  clientIdleTimeout: 60_000_000,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  integrationTimeout: 1_000_000,
};

/** An upstream that never answers /never, and how many connections it has accepted. */
async function upstream(): Promise<{ port: number; accepted: () => number }> {
  let accepted = 0;
  const { endpoint, server, close } = await testUpstream((asked, answer) => {
    if (asked.url !== '/never') answer.end(asked.headers.traceparent ?? '');
  });
  server.on('connection', () => {
    accepted += 1;
  });
  cleanups.push(close);
  return { port: endpoint.port, accepted: () => accepted };
}

function kept(server: ForeignServer): number[] {
  cleanups.push(() => server.stop());
  return server.endpoints.filter(({ link }) => link === 0).map(({ port }) => port);
}

function oneConnection(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanups.push(() => agent.destroy());
  return agent;
}

beforeEach((context) => void requireProgram('nginx', context));

describe('nginx', () => {
  it('as edge: a listener and a kept connection per location', async () => {
    const { port, accepted } = await upstream();
    const ports = kept(await startNginxEdge(edge, foreignContext(edge, [port])));
    expect(new Set(ports).size).toBe(3);
    for (const location of [...ports, ...ports]) {
      const answer = await request(location, { headers: { traceparent: '00-1-2-01' } });
      expect(answer.body.toString()).toBe('00-1-2-01');
    }
    expect(accepted()).toBe(3);
    expect((await request(ports[0] ?? 0, { path: '/never' })).status).toBe(504);
  });

  it('as gateway: the requests of one client go over the pools of all nodes', async () => {
    const { port, accepted } = await upstream();
    const [own = 0] = kept(await startNginxGateway(gateway, foreignContext(gateway, [port])));
    const agent = oneConnection();
    for (let i = 0; i < 100; i++) await request(own, { agent });
    expect(accepted()).toBe(8);
  });

  it('as gateway: or stay with one pool; a throttle says 429', async () => {
    const { port, accepted } = await upstream();
    const throttle = { ratePerSecond: 1, burst: 5 };
    const hop: GatewayHop = { ...gateway, spread: 'connection', throttle };
    const [own = 0] = kept(await startNginxGateway(hop, foreignContext(hop, [port])));
    const agent = oneConnection();
    const statuses: number[] = [];
    for (let i = 0; i < 40; i++) statuses.push((await request(own, { agent })).status);
    expect(statuses.slice(0, 6)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(statuses).toContain(429);
    expect(accepted()).toBe(1);
  });
});
