/** Arrivals that are not Poisson: even ones, and Poisson ones dealt in turn (GI/M/c). */
import { describe, expect, it } from 'vitest';
import { type Answer, explain } from '../../src/explain/index.ts';
import { app, type Case, checkAnswers, parse } from './explained.ts';

const evenly = (rate: number, more = 'pool: { connectionsMax: 0 }'): string =>
  `  - { name: clients, kind: clients, count: 50, ${more}, ` +
  `workload: { kind: open, rate: ${rate}/s, arrivals: constant } }\n`;
const poisson = (rate: number): string => evenly(rate).replace('constant', 'poisson');
const balancer = (algorithm: string): string =>
  `  - { name: alb, kind: l7-balancer, algorithm: ${algorithm}, ` +
  'healthCheck: { enabled: false } }\n';
const hosts = (count: number): string =>
  `hosts:\n  - { name: host, count: ${count}, hops: [app] }\n`;

const POOL = 'pool: { max: 1000, idle: 1s, evict: 100ms }';
const DATABASE =
  '  - { name: db, kind: database, serviceTime: exponential(10ms), concurrencyMax: 1, ' +
  'connectionsMax: 2000 }\n';

const CASES: readonly Case[] = [
  {
    name: 'D/M/1',
    hops: evenly(80) + app('serviceTime: exponential(10ms), concurrencyMax: 1'),
    ...{ warmUp: 10, window: 150, also: [], exactAtLeast: 4 },
  },
  {
    name: 'D/M/3',
    hops: evenly(270) + app('serviceTime: exponential(10ms), concurrencyMax: 3'),
    ...{ warmUp: 10, window: 60, also: [], exactAtLeast: 4 },
  },
  {
    name: 'D/M/2/4: evenly to little room',
    hops: evenly(260) + app('serviceTime: exponential(10ms), concurrencyMax: 2, waitingMax: 2'),
    ...{ warmUp: 10, window: 60, also: [], exactAtLeast: 5 },
  },
  {
    name: 'D/D/2: nobody waits',
    hops: evenly(199) + app('serviceTime: 10ms, concurrencyMax: 2'),
    ...{ warmUp: 2, window: 20, also: [], exactAtLeast: 4 },
  },
  {
    name: 'E3/M/2: Poisson arrivals dealt to three hosts in turn',
    hops:
      poisson(540) +
      balancer('round-robin') +
      app('serviceTime: exponential(10ms), concurrencyMax: 2') +
      hosts(3),
    ...{ warmUp: 5, window: 60, also: [], exactAtLeast: 4 },
  },
  {
    name: 'E2/M/1/3: dealt in turn to hosts that refuse',
    hops:
      poisson(200) +
      balancer('round-robin') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1, waitingMax: 2') +
      hosts(2),
    ...{ warmUp: 5, window: 60, also: [], exactAtLeast: 5 },
  },
  {
    name: 'D/M/1 at each of two hosts: even arrivals dealt in turn stay even',
    hops:
      evenly(170) +
      balancer('round-robin') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1') +
      hosts(2),
    ...{ warmUp: 10, window: 100, also: [], exactAtLeast: 4 },
  },
  {
    name: 'M/M/1 at each of two hosts, drawn by chance',
    hops:
      poisson(140).replace('kind: clients', 'requestsPerIteration: 1, kind: clients') +
      balancer('flow-hash').replace('l7', 'l4') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1') +
      hosts(2),
    ...{ warmUp: 10, window: 100, also: [], exactAtLeast: 4 },
  },
  {
    name: 'D/M/1 at a database behind an app that takes constant time',
    hops: evenly(85) + app(`serviceTime: 7ms, concurrencyMax: 10, ${POOL}`) + DATABASE,
    ...{ warmUp: 10, window: 100, also: [], exactAtLeast: 5 },
  },
  {
    name: 'one client with three connections: D/M/3 of connections',
    hops:
      evenly(270, 'pool: { connectionsMax: 3 }').replace('count: 50', 'count: 1') +
      app('serviceTime: exponential(10ms)'),
    ...{ warmUp: 10, window: 60, also: [], exactAtLeast: 2 },
  },
  {
    name: 'a bucket at even arrivals: the refill passes',
    hops:
      evenly(130) +
      '  - { name: gw, kind: gateway, throttle: { ratePerSecond: 100/s, burst: 3 } }\n' +
      app('serviceTime: 1ms'),
    ...{ warmUp: 10, window: 60, also: [], exactAtLeast: 3 },
  },
  {
    name: 'D/U/1, approximately',
    hops: evenly(80) + app('serviceTime: "uniform(0ms, 20ms)", concurrencyMax: 1'),
    ...{ warmUp: 10, window: 100, exactAtLeast: 4 },
    also: ['clients secondsToAnswer', 'app meanWaitSeconds'],
  },
  {
    name: 'E2/D/1, approximately',
    hops:
      poisson(160) +
      balancer('round-robin') +
      app('serviceTime: 10ms, concurrencyMax: 1') +
      hosts(2),
    ...{ warmUp: 10, window: 60, exactAtLeast: 4 },
    also: ['clients secondsToAnswer', 'app meanWaitSeconds'],
  },
  {
    name: 'D/M/1 at an app, whatever the database behind it makes of that',
    hops: evenly(70) + app(`serviceTime: exponential(10ms), concurrencyMax: 1, ${POOL}`) + DATABASE,
    ...{ warmUp: 20, window: 100, also: [], exactAtLeast: 4 },
  },
  {
    name: 'M/M/1 and M/M/1: connections between them follow what waits at the second',
    hops:
      poisson(70) + app(`serviceTime: exponential(10ms), concurrencyMax: 1, ${POOL}`) + DATABASE,
    ...{ warmUp: 20, window: 100, exactAtLeast: 6 },
    also: ['app->db openConnections', 'app->db newConnectionsPerSecond'],
  },
  {
    name: 'two Poisson groups are one: M/M/1',
    hops:
      poisson(40).replace('kind: clients', 'kind: clients, upstream: app') +
      poisson(30).replace('name: clients, kind: clients', 'name: more, kind: clients') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1'),
    ...{ warmUp: 10, window: 100, also: [], exactAtLeast: 5 },
  },
];

describe('every exact answer', () => {
  it.each(CASES)('$name', checkAnswers);
});

describe('what is not exact says so', () => {
  const waitOf = (hops: string, at = 'app'): Answer | undefined =>
    explain(parse(`name: t\nduration: 20s\nhops:\n${hops}`)).find(
      (one) => one.at === at && one.quantity === 'meanWaitSeconds',
    );
  const ONE = app('serviceTime: exponential(10ms), concurrencyMax: 1');

  it.each([
    ['least-outstanding', 'shorter than dealt in turn', 'approximation'],
    ['random-two', 'shorter than one drawn', 'unknown'],
  ])('%s has no closed form', (algorithm, why, standing) => {
    const wait = waitOf(poisson(140) + balancer(algorithm) + ONE + hosts(2));
    expect(wait?.standing).toBe(standing);
    expect(wait?.remark).toContain(why);
  });

  it('even arrivals of two groups, and after an app that waits', () => {
    const two =
      evenly(40).replace('kind: clients', 'kind: clients, upstream: app') +
      evenly(30).replace('name: clients, kind: clients', 'name: more, kind: clients');
    expect(waitOf(two + ONE)).toMatchObject({ standing: 'unknown' });
    const database =
      '  - { name: db, kind: database, serviceTime: exponential(10ms), concurrencyMax: 1 }\n';
    expect(waitOf(evenly(40) + ONE + database, 'db')).toMatchObject({ standing: 'unknown' });
  });

  it('an L4 balancer deals connections, not requests', () => {
    const l4 = balancer('round-robin').replace('l7', 'l4');
    const kept = waitOf(poisson(140) + l4 + ONE + hosts(2));
    expect(kept?.standing).toBe('unknown');
    const each = 'requestsPerIteration: 1, kind: clients';
    const own = waitOf(poisson(140).replace('kind: clients', each) + l4 + ONE + hosts(2));
    expect(own?.standing).toBe('exact');
  });
});
