/** A connection queue whose slots are servers: each request has a connection to itself. */
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/explain/index.ts';
import { type Case, checkAnswers, parse } from './explained.ts';

const clients = (rate: number, more = ''): string =>
  '  - { name: clients, kind: clients, count: 100, requestsPerIteration: 1, ' +
  `pool: { connectionsMax: 0 }, workload: { kind: open, rate: ${rate}/s${more} } }\n`;
const queue = (slots: number): string =>
  `  - { name: queue, kind: connection-queue, activeMax: ${slots} }\n`;
const app = (time: string): string => `  - { name: app, kind: app, serviceTime: ${time} }\n`;
const balanced = (algorithm: string): string =>
  `  - { name: nlb, kind: l4-balancer, algorithm: ${algorithm}, ` +
  'healthCheck: { enabled: false } }\n';
const HOSTS = 'hosts:\n  - { name: host, count: 2, hops: [queue, app] }\n';

const CASES: readonly Case[] = [
  {
    name: 'M/M/5: clients wait with their connections, and hold slots while they are served',
    hops: clients(80) + queue(5) + app('exponential(50ms)'),
    ...{ warmUp: 10, window: 150, also: [], exactAtLeast: 11 },
  },
  {
    name: 'M/G/1 of one slot',
    hops: clients(70) + queue(1) + app('"uniform(0ms, 20ms)"'),
    ...{ warmUp: 10, window: 100, also: [], exactAtLeast: 11 },
  },
  {
    name: 'D/M/3',
    hops: clients(54, ', arrivals: constant') + queue(3) + app('exponential(50ms)'),
    ...{ warmUp: 10, window: 100, exactAtLeast: 8 },
    also: [],
  },
  {
    name: 'two hosts by hash: M/M/3 at each',
    hops: clients(90) + balanced('flow-hash') + queue(3) + app('exponential(50ms)') + HOSTS,
    ...{ warmUp: 10, window: 150, also: [], exactAtLeast: 14 },
  },
  {
    name: 'two hosts in turn: E2/M/3 at each',
    hops: clients(90) + balanced('round-robin') + queue(3) + app('exponential(50ms)') + HOSTS,
    ...{ warmUp: 10, window: 150, also: [], exactAtLeast: 14 },
  },
];

describe('every exact answer', () => {
  it.each(CASES)('$name', checkAnswers);
});

describe('what is not exact says so', () => {
  it('users who wait for slots have no number', () => {
    const users = clients(1).replace(
      '{ kind: open, rate: 1/s }',
      '{ kind: closed, thinkTime: exponential(200ms) }',
    );
    const topology = parse(
      `name: t\nduration: 20s\nhops:\n${users}${queue(5)}${app('exponential(50ms)')}`,
    );
    const seconds = explain(topology).find(({ quantity }) => quantity === 'secondsToAnswer');
    expect(seconds).toMatchObject({ value: null, standing: 'unknown' });
    expect(seconds?.remark).toContain('wait for slots of queue');
  });

  it.each([
    [36, 'bound'],
    [200, 'exact'],
  ])('kept connections, whose number changes, and %i slots: %s', (slots, standing) => {
    const kept = clients(40).replace('requestsPerIteration: 1, ', '').replace('100', '5');
    const topology = parse(
      `name: t\nduration: 20s\nhops:\n${kept}${queue(slots)}${app('exponential(300ms)')}`,
    );
    const seconds = explain(topology).find(({ quantity }) => quantity === 'secondsToAnswer');
    expect(seconds?.standing).toBe(standing);
  });
});
