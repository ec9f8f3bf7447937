/** Clients who leave after an exponential time: what explain says, against the simulator. */
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/explain/index.ts';
import { abandoned } from './erlang.ts';
import { type Case, checkAnswers, parse } from './explained.ts';

const clients = (rate: number, more = 'requestsPerIteration: 1'): string =>
  '  - { name: clients, kind: clients, count: 1000, pool: { connectionsMax: 0 }, timeout: 0s, ' +
  `patience: exponential(200ms), ${more}, workload: { kind: open, rate: ${rate}/s } }\n`;
const queue = (more: string): string =>
  `  - { name: queue, kind: connection-queue, activeMax: 5${more} }\n`;
const app = (more: string): string => `  - { name: app, kind: app, ${more} }\n`;
const WORK = 'serviceTime: exponential(50ms)';

const CASES: readonly Case[] = [
  {
    name: 'M/M/3: the app works on for those who left',
    hops: clients(50, 'path: /items/1') + app(`${WORK}, concurrencyMax: 3`),
    ...{ warmUp: 5, window: 120, also: [], exactAtLeast: 6 },
  },
  {
    name: 'D/M/1 behind a gateway',
    hops:
      clients(80, 'path: /items/1').replace('80/s', '80/s, arrivals: constant') +
      '  - { name: gw, kind: gateway }\n' +
      app('serviceTime: exponential(10ms), concurrencyMax: 1'),
    ...{ warmUp: 5, window: 120, also: [], exactAtLeast: 4 },
  },
  {
    name: 'M/G/infinity, lognormal',
    hops: clients(60) + app('serviceTime: "lognormal(median 60ms, p99 500ms)"'),
    ...{ warmUp: 5, window: 60, also: [], exactAtLeast: 4 },
  },
  {
    name: 'Erlang A, overloaded, with an app that works on',
    hops: clients(110) + queue(', whileHeld: watch') + app(`${WORK}, implementation: builtin`),
    ...{ warmUp: 5, window: 120, also: [], exactAtLeast: 5 },
  },
  {
    name: 'Erlang A, overloaded, with an app that hangs up',
    hops: clients(110) + queue(', whileHeld: watch') + app(`${WORK}, implementation: node`),
    ...{ warmUp: 5, window: 120, also: [], exactAtLeast: 5 },
  },
];

describe('every exact answer', () => {
  it.each(CASES)('$name', checkAnswers);
});

const leaving = (hops: string) =>
  explain(parse(`name: t\nduration: 20s\nhops:\n${hops}`)).find(
    ({ quantity }) => quantity === 'abandonedShare',
  );

it('is Erlang A of the integral by Zeltyn and Mandelbaum', () => {
  const hops = clients(110) + queue(', whileHeld: watch') + app(`${WORK}, implementation: builtin`);
  const left = abandoned({ servers: 5, rate: 110, mu: 20 }, (x) => (1 - Math.exp(-5 * x)) / 5);
  expect(leaving(hops)?.value).toBeCloseTo(1 - (1 - left) * (20 / 25), 5);
});

it.each([
  ['a queue that does not watch', clients(80) + queue(', whileHeld: unread') + app(WORK)],
  ['an app without room for all', clients(80) + app(`${WORK}, concurrencyMax: 5, waitingMax: 2`)],
  [
    'who tries again',
    clients(80, 'retry: { attemptsMax: 2, on: [timeout] }') + app(`${WORK}, concurrencyMax: 5`),
  ],
  [
    'two stations',
    clients(10) +
      app(WORK) +
      '  - { name: db, kind: database, serviceTime: 1ms, concurrencyMax: 10 }\n',
  ],
])('%s: it is named, and has no number', (_title, hops) => {
  expect(leaving(hops)).toBeUndefined();
  const seconds = explain(parse(`name: t\nduration: 20s\nhops:\n${hops}`)).find(
    ({ quantity }) => quantity === 'secondsToAnswer',
  );
  expect(seconds).toMatchObject({ value: null, standing: 'unknown' });
});
