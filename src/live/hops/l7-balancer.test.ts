/** The L7 balancer between real clients and several real targets. */
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import type { L7BalancerHop } from '../../model/topology.ts';
import { endsOf, type RunningHop, request, startHop } from '../test-http.case.ts';
import { testLinks, testMachine, testPool, testUpstream, until } from '../test-support.ts';
import { createL7Balancer } from './l7-balancer.ts';

const settings: L7BalancerHop = {
  kind: 'l7-balancer',
  name: 'alb',
  upstream: 'nginx',
  listen: null,
  ...testMachine,
  algorithm: 'round-robin',
  pool: testPool(),
  clientIdleTimeout: 0,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  responseTimeout: 100_000,
  deregistrationDelay: 1_000_000,
  healthCheck: {
    enabled: true,
    hop: 'nginx',
    path: '/alive',
    interval: 20_000,
    timeout: 50_000,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  },
};

const cleanups: (() => Promise<unknown>)[] = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
afterEach(async () => {
  agent.destroy();
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

interface Target {
  readonly endpoint: Endpoint;
  readonly alive: Endpoint;
  healthy: boolean;
}

/** Targets that answer with their number; `/alive` says how they are. */
async function startTargets(
  count: number,
  handler: http.RequestListener | null = null,
): Promise<Target[]> {
  const targets: Target[] = [];
  for (let number = 0; number < count; number++) {
    const up = await testUpstream((req, res) => {
      if (req.url === '/alive') res.statusCode = targets[number]?.healthy === true ? 200 : 500;
      else if (handler !== null) {
        handler(req, res);
        return;
      }
      res.end(`${number}`);
    });
    cleanups.push(() => up.close());
    const endpoint = { ...up.endpoint, instance: number + 1 };
    const alive = { ...endpoint, link: testLinks.aliveOutgoing.index };
    targets.push({ endpoint, alive, healthy: true });
  }
  return targets;
}

async function start(
  targets: readonly Target[],
  changes: Partial<L7BalancerHop> = {},
  checks = false,
): Promise<RunningHop> {
  const balancer = await startHop(
    createL7Balancer,
    { ...settings, ...changes },
    {
      targets: targets.map(({ endpoint }) => endpoint),
      ...(checks ? { aliveTargets: targets.map(({ alive }) => alive) } : {}),
    },
  );
  cleanups.push(() => balancer.stop());
  return balancer;
}

async function servedBy(port: number, times: number): Promise<string[]> {
  const numbers: string[] = [];
  for (let i = 0; i < times; i++) numbers.push((await request(port, { agent })).body.toString());
  return numbers;
}

describe('L7 balancer', () => {
  it('routes the requests of one connection to all targets, over a pool for each', async () => {
    const balancer = await start(await startTargets(3));
    const numbers = await servedBy(balancer.port, 9);
    expect(numbers.sort().join('')).toBe('000111222');
    const events = await balancer.stop();
    expect(endsOf(events, EventKind.accepted).size).toBe(1);
    expect(endsOf(events, EventKind.connected).size).toBe(3);
  });

  it('sends a request where the fewest are outstanding', async () => {
    const open: http.ServerResponse[] = [];
    const served: (number | undefined)[] = [];
    const targets = await startTargets(2, (req, res) => {
      served.push(req.socket.localPort);
      if (req.url === '/hang') open.push(res);
      else res.end('free');
    });
    const balancer = await start(targets, {
      algorithm: 'least-outstanding',
      responseTimeout: 5_000_000,
    });
    const hanging = request(balancer.port, { path: '/hang' });
    await until('the hanging request', () => open.length === 1);
    for (let i = 0; i < 6; i++) await request(balancer.port, { agent });
    const [busy, ...others] = served;
    expect(others).toHaveLength(6);
    expect(others).not.toContain(busy);
    for (const response of open) response.end('at last');
    expect((await hanging).body.toString()).toBe('at last');
    await balancer.stop();
  });

  it('leaves an unhealthy target out, and uses all when all are unhealthy', async () => {
    const targets = await startTargets(2);
    const [first, second] = targets;
    if (first === undefined || second === undefined) throw new Error('two targets');
    const balancer = await start(targets, {}, true);
    const health = (): number[] =>
      balancer
        .events()
        .filter(({ kind, b }) => kind === EventKind.health && b === 0)
        .map(({ a }) => a);
    first.healthy = false;
    await until('target 1 to be unhealthy', () => health().includes(1));
    expect(new Set(await servedBy(balancer.port, 6))).toEqual(new Set(['1']));
    second.healthy = false;
    await until('target 2 to be unhealthy', () => health().includes(2));
    expect(new Set(await servedBy(balancer.port, 6))).toEqual(new Set(['0', '1']));
    await balancer.stop();
  });

  it('answers 503 without targets, 502 to a broken target, 504 to a silent one', async () => {
    const none = await start([]);
    expect((await request(none.port)).status).toBe(503);
    const targets = await startTargets(1, (req) => {
      if (req.url === '/break') req.socket.resetAndDestroy();
    });
    const balancer = await start(targets);
    expect((await request(balancer.port, { path: '/break' })).status).toBe(502);
    expect((await request(balancer.port, { path: '/silent' })).status).toBe(504);
    expect(balancer.counters.serverErrors5xx).toBe(2);
    await balancer.stop();
  });
});
