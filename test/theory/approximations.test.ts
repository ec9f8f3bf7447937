/**
 * What is told of waits without a textbook's formula, and of what it is not told: each number lies
 * within the bounds of confidence, together with what its text promises.
 */
import { describe, expect, it } from 'vitest';
import { type Answer, explain } from '../../src/explain/index.ts';
import { app, type Case, checkAnswers, open, parse, users } from './explained.ts';

const evenly = (rate: number, name = 'clients', more = ''): string =>
  `  - { name: ${name}, kind: clients, count: 50${more}, pool: { connectionsMax: 0 }, ` +
  `workload: { kind: open, rate: ${rate}/s, arrivals: constant } }\n`;
const POOL = 'pool: { max: 1000, idle: 1s, evict: 100ms }';
const LOGNORMAL = '"lognormal(median 5ms, p99 40ms)"';
const database = (service: string, servers = 1, more = ''): string =>
  `  - { name: db, kind: database, serviceTime: ${service}, concurrencyMax: ${servers}, ` +
  `connectionsMax: 2000${more} }\n`;
const balancer = (algorithm: string): string =>
  `  - { name: alb, kind: l7-balancer, algorithm: ${algorithm}, ` +
  'healthCheck: { enabled: false } }\n';
const hosts = (count: number): string =>
  `hosts:\n  - { name: host, count: ${count}, hops: [app] }\n`;
const gateway = (settings: string): string =>
  `  - { name: gw, kind: gateway, nodes: 1, ${settings} }\n`;
const upstream = ', upstream: app';

/** The least that is told, so that no case is empty. */
const USUAL = { warmUp: 10, window: 60, also: [], exactAtLeast: 3 } as const;

const CASES: readonly Case[] = [
  {
    ...USUAL,
    name: 'a database behind D/M/1: the sum of both waits',
    hops:
      evenly(75) +
      app(`serviceTime: exponential(10ms), concurrencyMax: 1, ${POOL}`) +
      database('exponential(10ms)'),
  },
  {
    ...USUAL,
    name: 'three queries of an even stream, exponential',
    hops:
      evenly(25) +
      app(`serviceTime: 5ms, queriesPerRequest: 3, ${POOL}`) +
      database('exponential(10ms)'),
  },
  {
    ...USUAL,
    name: 'three queries of an even stream, constant: nobody waits',
    hops: evenly(25) + app(`serviceTime: 5ms, queriesPerRequest: 3, ${POOL}`) + database('10ms'),
  },
  {
    ...USUAL,
    name: 'three queries of Poisson requests, constant',
    hops: open(25) + app(`serviceTime: 5ms, queriesPerRequest: 3, ${POOL}`) + database('10ms'),
  },
  {
    ...USUAL,
    name: 'two queries of Poisson requests, lognormal: exact',
    hops: open(40) + app(`serviceTime: 5ms, queriesPerRequest: 2, ${POOL}`) + database(LOGNORMAL),
    exactAtLeast: 5,
  },
  {
    ...USUAL,
    name: 'four queries at four servers, constant',
    hops: open(80) + app(`serviceTime: 5ms, queriesPerRequest: 4, ${POOL}`) + database('10ms', 4),
    window: 40,
  },
  {
    ...USUAL,
    name: 'M/D/1//N: users of exponential thinking, constant service, one server',
    hops: users(10, 'exponential(50ms)') + app('serviceTime: 10ms, concurrencyMax: 1'),
    exactAtLeast: 6,
  },
  {
    ...USUAL,
    name: 'M/G/1//N: lognormal service',
    hops: users(12, 'exponential(100ms)') + app(`serviceTime: ${LOGNORMAL}, concurrencyMax: 1`),
    exactAtLeast: 6,
  },
  {
    ...USUAL,
    name: 'users of constant service over two hosts in turn',
    hops:
      users(30, 'exponential(100ms)') +
      balancer('round-robin') +
      app('serviceTime: 15ms, concurrencyMax: 2') +
      hosts(2),
    window: 40,
  },
  {
    ...USUAL,
    name: 'users over three hosts in turn, exponential',
    hops:
      users(20, 'exponential(100ms)') +
      balancer('round-robin') +
      app('serviceTime: exponential(15ms), concurrencyMax: 1') +
      hosts(3),
  },
  {
    ...USUAL,
    name: 'users in step, more than one server can do: all wait for the same time',
    hops: users(12, '100ms') + app('serviceTime: 10ms, concurrencyMax: 1'),
    exactAtLeast: 5,
  },
  {
    ...USUAL,
    name: 'users in step, fewer: nobody waits',
    hops: users(5, '100ms') + app('serviceTime: 10ms, concurrencyMax: 1'),
    exactAtLeast: 5,
  },
  {
    ...USUAL,
    name: 'two groups of users at one server',
    hops:
      users(6, 'exponential(100ms)', upstream).replace('name: users', 'name: quick') +
      users(9, 'exponential(600ms)') +
      app('serviceTime: exponential(20ms), concurrencyMax: 1'),
    window: 120,
    exactAtLeast: 8,
  },
  {
    ...USUAL,
    name: 'users and open arrivals at one server',
    hops:
      open(40).replace('kind: clients', `kind: clients${upstream}`) +
      users(10, 'exponential(300ms)') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1'),
    exactAtLeast: 6,
  },
  {
    ...USUAL,
    name: 'M/G/4, lognormal',
    hops: open(400) + app(`serviceTime: ${LOGNORMAL}, concurrencyMax: 4`),
    window: 20,
  },
  {
    ...USUAL,
    name: 'M/D/8',
    hops: open(720) + app('serviceTime: 10ms, concurrencyMax: 8'),
    ...{ warmUp: 5, window: 15 },
  },
  {
    ...USUAL,
    name: 'D/G/2, lognormal',
    hops: evenly(220) + app(`serviceTime: ${LOGNORMAL}, concurrencyMax: 2`),
    window: 30,
  },
  {
    ...USUAL,
    name: 'Poisson and even arrivals together',
    hops:
      open(40).replace('kind: clients', `kind: clients${upstream}`) +
      evenly(40, 'even') +
      app('serviceTime: exponential(10ms), concurrencyMax: 1'),
  },
  {
    ...USUAL,
    name: 'a pool of three connections before a database of one server: one queue in two places',
    hops: open(70) + app('serviceTime: 0s, pool: { max: 3 }') + database('exponential(10ms)'),
    exactAtLeast: 5,
  },
  {
    ...USUAL,
    name: 'a pool of five connections, three queries each: M/M/5 with feedback',
    hops:
      open(120) +
      app('serviceTime: 0s, queriesPerRequest: 3, pool: { max: 5 }') +
      database('exponential(10ms)', 100),
    window: 40,
    exactAtLeast: 4,
  },
  {
    ...USUAL,
    name: 'connections that idle out or reach their cap, of one client',
    hops:
      open(50, '{ connectionsMax: 0, idleTimeout: 2s, requestsPerConnectionMax: 20 }') +
      app('serviceTime: exponential(40ms)'),
    ...{ warmUp: 30, exactAtLeast: 4 },
  },
];

describe('every answer that is exact, or says how far it may be off', () => {
  it.each(CASES)('$name', checkAnswers);
});

describe('what is too uncertain is not told', () => {
  const answer = (hops: string, at: string, quantity: Answer['quantity']): Answer | undefined =>
    explain(parse(`name: t\nduration: 20s\nhops:\n${hops}`)).find(
      (one) => one.at === at && one.quantity === quantity,
    );
  const ONE = app(`serviceTime: 10ms, concurrencyMax: 1, ${POOL}`);
  const bucket = gateway('throttle: { ratePerSecond: 80/s, burst: 5 }');

  it.each([
    ['behind M/D/1', open(75) + ONE + database('10ms'), 'gaps that depend on each other'],
    [
      'behind a throttle',
      open(120) + bucket + app(`serviceTime: 1ms, ${POOL}`) + database('exponential(10ms)'),
      'what a throttle lets through',
    ],
  ])('a wait at a database %s: its remark has both ends', (_title, hops, why) => {
    const wait = answer(hops, 'db', 'meanWaitSeconds');
    expect(wait).toMatchObject({ value: null, standing: 'unknown' });
    expect(wait?.remark).toContain(why);
    expect(wait?.remark).toMatch(/from [0-9.]+ to [0-9.]+$/);
  });

  it.each([
    [
      'who waits too long for a connection',
      open(110) +
        app('serviceTime: 0s, pool: { max: 1, acquire: 50ms }') +
        database('exponential(8ms)', 100),
      'too long for a connection',
    ],
    [
      'constant services with little room',
      open(90) + app('serviceTime: 10ms, concurrencyMax: 1, waitingMax: 5'),
      'refuses some',
    ],
  ])('%s: no time to answer', (_title, hops, why) => {
    const seconds = answer(hops, 'clients', 'secondsToAnswer');
    expect(seconds).toMatchObject({ value: null, standing: 'unknown' });
    expect(seconds?.remark).toContain(why);
  });

  it.each([
    ['times that are in part waits', open(70) + ONE, 'clients->app'],
    [
      'queries that follow each other',
      open(40) + app(`serviceTime: 5ms, queriesPerRequest: 3, ${POOL}`) + database('40ms', 100),
      'app->db',
    ],
    [
      'hosts that are dealt to',
      open(150) + balancer('round-robin') + app('serviceTime: exponential(40ms)') + hosts(3),
      'alb->app',
    ],
  ])('connections of %s are not counted', (_title, hops, at) => {
    expect(answer(hops, at, 'openConnections')).toMatchObject({ value: null });
  });
});
