/** The gateway between real clients and a real node:http upstream. */
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { GatewayHop } from '../../model/topology.ts';
import { causesOf, endsOf, type RunningHop, request, startHop } from '../test-http.case.ts';
import { testMachine, testPool, testUpstream, until } from '../test-support.ts';
import { createGateway } from './gateway.ts';

const settings: GatewayHop = {
  kind: 'gateway',
  implementation: 'builtin',
  name: 'apigw',
  upstream: 'nlb',
  listen: null,
  ...testMachine,
  nodes: 4,
  poolsPerNode: 1,
  spread: 'request',
  pool: testPool(),
  throttle: { ratePerSecond: 0, burst: 0 },
  clientIdleTimeout: 0,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  integrationTimeout: 5_000_000,
};

const cleanups: (() => Promise<unknown>)[] = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
afterEach(async () => {
  agent.destroy();
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(
  changes: Partial<GatewayHop>,
  handler: http.RequestListener = (_req, res) => res.end('ok'),
): Promise<RunningHop> {
  const upstream = await testUpstream(handler);
  cleanups.push(() => upstream.close());
  const targets = [upstream.endpoint];
  const gateway = await startHop(createGateway, { ...settings, ...changes }, { targets });
  cleanups.push(() => gateway.stop());
  return gateway;
}

async function askTimes(port: number, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await request(port, { agent })).status);
  return statuses;
}

const connections = (gateway: RunningHop): number =>
  endsOf(gateway.events(), EventKind.connected).size;

describe('gateway', () => {
  it('makes many upstream connections of one client connection: one per pool', async () => {
    const gateway = await start({ nodes: 3, poolsPerNode: 2 });
    expect(new Set(await askTimes(gateway.port, 100))).toEqual(new Set([200]));
    expect(endsOf(gateway.events(), EventKind.accepted).size).toBe(1);
    expect(connections(gateway)).toBe(6);
    await gateway.stop();
  });

  it('keeps to one node per client connection where it is told to', async () => {
    const gateway = await start({ nodes: 8, spread: 'connection' });
    await askTimes(gateway.port, 50);
    expect(connections(gateway)).toBe(1);
    await gateway.stop();
  });

  it('throttles with 429 and Retry-After, and takes new limits at once', async () => {
    const throttle = { ratePerSecond: 1, burst: 2 };
    const gateway = await start({ throttle });
    expect(await askTimes(gateway.port, 4)).toEqual([200, 200, 429, 429]);
    const answer = await request(gateway.port, { agent });
    expect(answer.headers['retry-after']).toBe('1');
    expect(gateway.counters.throttled429).toBe(3);
    const off = { action: 'set', path: 'apigw.throttle.ratePerSecond', to: 0 } as const;
    expect(gateway.live.apply(off)).toBe(true);
    expect(await askTimes(gateway.port, 3)).toEqual([200, 200, 200]);
    // A throttled request never reached a pool, and did not cost the client its connection.
    const events = await gateway.stop();
    expect(endsOf(events, EventKind.accepted).size).toBe(1);
  });

  it('answers a throttled POST without reading on', async () => {
    const gateway = await start({ throttle: { ratePerSecond: 0.001, burst: 0 } });
    const body = Buffer.alloc(3_000_000);
    const headers = { 'content-length': body.length };
    const { status } = await request(gateway.port, { method: 'POST', headers }, body);
    expect(status).toBe(429);
    await gateway.stop();
  });

  it('answers 504 after the integration timeout, counted from the head', async () => {
    const gateway = await start({ integrationTimeout: 600_000 }, (_req, res) => {
      // Bytes keep coming, but the whole is too late.
      res.setHeader('content-length', 1_000);
      const timer = setInterval(() => res.write('x'), 20);
      res.on('close', () => clearInterval(timer));
    });
    await expect(request(gateway.port)).rejects.toThrow(/aborted|ECONNRESET/);
    const events = await gateway.stop();
    expect(causesOf(events, endsOf(events, EventKind.connected))).toEqual(['request_timeout']);
  });

  it('answers 504 to a request that waits too long for a connection', async () => {
    const gateway = await start(
      { nodes: 1, integrationTimeout: 80_000, pool: testPool({ connectionsMax: 1 }) },
      () => {},
    );
    const statuses = await Promise.all([request(gateway.port), request(gateway.port)]);
    expect(statuses.map(({ status }) => status)).toEqual([504, 504]);
    const events = await gateway.stop();
    expect(endsOf(events, EventKind.connected).size).toBeLessThanOrEqual(2);
  });

  it('answers 503 when too many wait for a connection', async () => {
    const gateway = await start(
      { nodes: 1, pool: testPool({ connectionsMax: 1, waitersMax: 1 }) },
      (_req, res) => setTimeout(() => res.end('ok'), 50),
    );
    const answers = await Promise.all([1, 2, 3].map(() => request(gateway.port)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    await gateway.stop();
  });

  it('answers 502 to a reset, without a second try', async () => {
    let requests = 0;
    const gateway = await start({ nodes: 1 }, (req, res) => {
      requests += 1;
      if (requests === 2) req.socket.resetAndDestroy();
      else res.end();
    });
    expect(await askTimes(gateway.port, 3)).toEqual([200, 502, 200]);
    expect(requests).toBe(3);
    await gateway.stop();
  });

  it('loses the pools of replaced nodes: idle connections at once, busy ones after', async () => {
    let release: () => void = () => {};
    const gateway = await start({ nodes: 2 }, (req, res) => {
      if (req.url === '/slow') release = () => res.end('slow');
      else res.end('ok');
    });
    await askTimes(gateway.port, 30);
    expect(connections(gateway)).toBe(2);
    const slow = request(gateway.port, { path: '/slow' });
    await until('the slow request', () => gateway.counters.requests === 31);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const replace = { action: 'replace-nodes', hop: 'apigw', count: 2 } as const;
    expect(gateway.live.apply(replace)).toBe(true);
    expect(gateway.live.apply({ ...replace, hop: 'other' })).toBe(false);
    const drained = (): number => {
      const events = gateway.events();
      const causes = causesOf(events, endsOf(events, EventKind.connected));
      return causes.filter((cause) => cause === 'drain').length;
    };
    await until('idle connections to close', () => drained() >= 1);
    const before = drained();
    release();
    expect((await slow).body.toString()).toBe('slow');
    await until('the busy connection to close', () => drained() === before + 1);
    expect(await askTimes(gateway.port, 5)).toEqual([200, 200, 200, 200, 200]);
    await gateway.stop();
  });

  it('closes idle upstream connections and recycles used ones', async () => {
    const pool = testPool({ idleTimeout: 40_000, requestsPerConnectionMax: 2 });
    const gateway = await start({ nodes: 1, pool });
    await askTimes(gateway.port, 3);
    const causes = () => {
      const events = gateway.events();
      return causesOf(events, endsOf(events, EventKind.connected));
    };
    await until('the idle timeout', () => causes().length === 2);
    expect(causes()).toEqual(['max_requests', 'idle_timeout']);
    await gateway.stop();
  });
});
