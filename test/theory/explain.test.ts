/** What `explain` says, against the simulator on a set of topologies, and what it does not say. */
import { describe, expect, it } from 'vitest';
import { type Answer, explain, steadyTopology } from '../../src/explain/index.ts';
import type { Topology } from '../../src/model/topology.ts';
import { app, type Case, checkAnswers, open, parse, shortly, users } from './explained.ts';

const TWO_SERVERS = 'serviceTime: exponential(10ms), concurrencyMax: 2';

const CASES: readonly Case[] = [
  {
    name: 'users, whose connections idle out or reach their cap',
    hops:
      users(40, 'exponential(2s)', ', pool: { connectionsMax: 1, idleTimeout: 0s }') +
      '  - { name: nginx, kind: web-server, keepAliveTimeout: 3s, keepAliveRequests: 5 }\n' +
      '  - { name: app, kind: app, serviceTime: 20ms }\n',
    ...{ warmUp: 60, window: 200, also: [], exactAtLeast: 11 },
  },
  {
    name: 'users that think evenly long, over an app of one server and a database',
    hops:
      users(12, '"uniform(0ms, 400ms)"') +
      '  - { name: app, kind: app, serviceTime: exponential(20ms), concurrencyMax: 1, ' +
      'pool: { max: 50 } }\n' +
      '  - { name: db, kind: database, serviceTime: exponential(15ms), concurrencyMax: 1 }\n',
    ...{ warmUp: 20, window: 200, also: [], exactAtLeast: 6 },
  },
  {
    name: 'open arrivals of few clients: last used first, first passages',
    hops:
      '  - { name: clients, kind: clients, count: 5, pool: { connectionsMax: 0, idleTimeout: 1s }' +
      ', workload: { kind: open, rate: 40/s } }\n' +
      '  - { name: app, kind: app, serviceTime: exponential(300ms), keepAliveTimeout: 0s }\n',
    ...{ warmUp: 20, window: 200, also: [], exactAtLeast: 7 },
  },
  {
    name: 'a gateway whose connections reach their cap, and a queue with slots enough',
    hops:
      users(60, 'exponential(200ms)') +
      '  - { name: gw, kind: gateway, nodes: 4, pool: { reuse: fifo } }\n' +
      '  - { name: queue, kind: connection-queue, activeMax: 90 }\n' +
      '  - { name: nginx, kind: web-server, keepAliveRequests: 100 }\n' +
      '  - { name: app, kind: app, serviceTime: exponential(10ms) }\n',
    ...{ warmUp: 30, window: 100, exactAtLeast: 12 },
    also: ['gw->queue openConnections', 'queue slotsNeeded'],
  },
  {
    name: 'an edge that is last used first, and a throttle that turns away',
    hops:
      '  - { name: clients, kind: clients, count: 500, pool: { connectionsMax: 0 }, ' +
      'workload: { kind: open, rate: 120/s } }\n' +
      '  - { name: cdn, kind: edge, locations: 1, pool: { idleTimeout: 1s } }\n' +
      '  - { name: gw, kind: gateway, nodes: 1, throttle: { ratePerSecond: 130/s, burst: 4 } }\n' +
      '  - { name: app, kind: app, serviceTime: 5ms, keepAliveTimeout: 0s }\n',
    ...{ warmUp: 60, window: 150, exactAtLeast: 3 },
    also: [],
  },
  {
    name: 'an app with room for three to wait (M/M/1/4), more asked than it can do',
    hops: open(150) + app('serviceTime: exponential(10ms), concurrencyMax: 1, waitingMax: 3'),
    ...{ warmUp: 5, window: 60, also: [], exactAtLeast: 6 },
  },
  {
    name: 'an app without room to wait, constant service (Erlang B)',
    hops: open(300) + app('serviceTime: 10ms, concurrencyMax: 4, waitingMax: 0'),
    ...{ warmUp: 5, window: 40, also: [], exactAtLeast: 6 },
  },
  {
    name: 'an app of two servers: connections follow what waits there, too',
    hops: open(140, '{ connectionsMax: 0, idleTimeout: 500ms }') + app(TWO_SERVERS),
    ...{ warmUp: 20, window: 60, also: [], exactAtLeast: 9 },
  },
  {
    name: 'one connection for all: the wait for it is that of M/G/1',
    hops: open(70, '{ connectionsMax: 1 }') + app('serviceTime: "uniform(0ms, 20ms)"'),
    ...{ warmUp: 5, window: 100, also: [], exactAtLeast: 4 },
  },
  {
    name: 'a gateway with four connections, before an app of as many servers',
    hops:
      open(300) +
      '  - { name: gw, kind: gateway, nodes: 1, pool: { connectionsMax: 4 } }\n' +
      app('serviceTime: exponential(10ms), concurrencyMax: 4'),
    ...{ warmUp: 5, window: 60, exactAtLeast: 4 },
    also: ['clients secondsToAnswer'],
  },
  {
    name: 'links with a delay, and a connect for each request',
    hops:
      users(20, 'exponential(500ms)', ', upstreamDelay: 10ms, pool: { idleTimeout: 0s }') +
      '  - { name: nginx, kind: web-server, upstreamDelay: 2ms, keepAliveRequests: 0, ' +
      'keepAliveTime: 0s, keepAliveTimeout: 10m }\n' +
      app('serviceTime: 7ms'),
    ...{ warmUp: 5, window: 100, exactAtLeast: 5 },
    also: ['users secondsToAnswer', 'nginx->app connectionLifeSeconds'],
  },
  {
    name: 'users in step: a think time just below the idle timeout, and caps',
    hops:
      users(20, '2s', ', pool: { connectionsMax: 1, idleTimeout: 0s }') +
      '  - { name: nginx, kind: web-server, keepAliveTimeout: 3s, keepAliveRequests: 7 }\n' +
      '  - { name: app, kind: app, serviceTime: 20ms }\n',
    ...{ warmUp: 20, window: 300, also: [], exactAtLeast: 10 },
  },
  {
    name: 'whoever closes a connection over a delay: the other end hears of it later',
    hops:
      '  - { name: clients, kind: clients, count: 50, requestsPerIteration: 1, ' +
      'upstreamDelay: 15ms, pool: { connectionsMax: 0 }, ' +
      'workload: { kind: open, rate: 100/s } }\n' +
      '  - { name: gw, kind: gateway, upstreamDelay: 10ms, ' +
      'pool: { requestsPerConnectionMax: 1 } }\n' +
      app('serviceTime: exponential(20ms)'),
    ...{ warmUp: 5, window: 200, also: [], exactAtLeast: 9 },
  },
];

describe('every exact answer', () => {
  it.each(CASES)('$name', checkAnswers);
});

describe('what nobody knows', () => {
  const golden = (activeMax: number, reclaim: string): Topology =>
    parse(`name: t
duration: 20s
hops:
${users(60, '200ms', ', timeout: 10m, pool: { connectionsMax: 1, idleTimeout: 9m }')}\
  - { name: queue, kind: connection-queue, activeMax: ${activeMax}, reclaim: ${reclaim} }
  - { name: app, kind: app, serviceTime: 5ms, keepAliveTimeout: 10m }
`);
  const at = (topology: Topology, quantity: Answer['quantity']) =>
    explain(topology).find((one) => one.at === 'queue' && one.quantity === quantity);

  it('flows that a balancer forgets sooner than either side closes them', () => {
    const answers = explain(
      parse(`name: t
duration: 20s
hops:
${users(20, '200ms')}\
  - { name: nlb, kind: l4-balancer, idleTimeout: 100ms }
  - { name: app, kind: app, serviceTime: exponential(5ms) }
`),
    );
    const open = answers.find(({ quantity }) => quantity === 'openConnections');
    expect(open?.value).toBeNull();
    expect(open?.remark).toContain('forgets idle flows');
  });

  it('golden connections: stuck for certain, never with slots for all or with the cure', () => {
    expect(at(golden(15, 'none'), 'stuckStateExists')).toMatchObject({ value: true });
    expect(at(golden(15, 'none'), 'stuckStateExists')?.remark).toContain('45');
    expect(at(golden(60, 'none'), 'stuckStateExists')).toMatchObject({ value: false });
    expect(at(golden(15, 'idle-yield'), 'stuckStateExists')).toMatchObject({ value: false });
    expect(at(golden(15, 'none'), 'slotsNeeded')).toMatchObject({ value: 60, standing: 'exact' });
  });

  it('says why: never a number without a formula, never silence without a reason', () => {
    for (const topology of [golden(15, 'none'), golden(60, 'none'), golden(15, 'idle-yield')]) {
      for (const answer of explain(topology)) {
        if (answer.value === null) expect(answer.remark, shortly(answer)).toBeTruthy();
        else expect(answer.formula, shortly(answer)).not.toBe('');
        if (answer.standing === 'unknown') expect(answer.value).toBeNull();
      }
    }
  });

  const chain = (client: string, settings: string) =>
    parse(
      'name: t\nduration: 20s\nhops:\n' +
        `  - { name: clients, kind: clients, ${client} }\n${app(settings)}`,
    );

  it.each([
    [
      'answers that a timeout cuts off',
      'timeout: 100ms, workload: { kind: open, rate: 80/s }, pool: { connectionsMax: 0 }',
      'serviceTime: exponential(50ms)',
      '0.1 s of a timeout',
    ],
    [
      'an answer that takes exactly as long as a timeout',
      'timeout: 50ms, workload: { kind: open, rate: 80/s }, pool: { connectionsMax: 0 }',
      'serviceTime: 50ms',
      'no less than a timeout',
    ],
    [
      'two queues in a row, the first of which lets few through',
      'workload: { kind: open, rate: 80/s }, pool: { connectionsMax: 2 }',
      'serviceTime: exponential(10ms), concurrencyMax: 1',
      'wait for connections of clients',
    ],
    [
      'users who are refused',
      'count: 20, workload: { kind: closed, thinkTime: exponential(200ms) }',
      'serviceTime: exponential(10ms), concurrencyMax: 1, waitingMax: 2',
      'app refuses some',
    ],
    [
      'who is refused and tries again',
      'retry: { attemptsMax: 2, on: [5xx] }, workload: { kind: open, rate: 80/s }, ' +
        'pool: { connectionsMax: 0 }',
      'serviceTime: exponential(10ms), concurrencyMax: 1, waitingMax: 2',
      'try again',
    ],
  ])('%s: no number that holds for something else', (_title, client, settings, why) => {
    const seconds = explain(chain(client, settings)).find(
      ({ quantity }) => quantity === 'secondsToAnswer',
    );
    expect(seconds).toMatchObject({ value: null, standing: 'unknown' });
    expect(seconds?.remark).toContain(why);
  });

  it.each([
    ['db: { connectionsMax: 2 }', ', connectionsMax: 2', '', 'lets 2 connections in'],
    ['db: statements', ', preparedStatementsMax: 10', 'statements: 20, ', 'for 10 prepared'],
  ])('%s runs out', (_title, db, settings, why) => {
    const topology = parse(
      `name: t\nduration: 20s\nhops:\n${open(100)}${app(`${settings}serviceTime: 1ms`)}` +
        `  - { name: db, kind: database, serviceTime: 10ms${db} }\n`,
    );
    const used = explain(topology).find(
      ({ at, quantity }) => at === 'db' && quantity === 'utilisation',
    );
    expect(used).toMatchObject({ value: null, standing: 'unknown' });
    expect(used?.remark).toContain(why);
  });

  it('ports that are in TIME_WAIT run out', () => {
    const gw = (ports: number) =>
      explain(
        parse(
          `name: t\nduration: 20s\nhops:\n${open(50)}` +
            `  - { name: gw, kind: gateway, nodes: 1, ephemeralPorts: ${ports}, ` +
            `pool: { requestsPerConnectionMax: 1 } }\n${app('serviceTime: 10ms')}`,
        ),
      ).find(({ at, quantity }) => at === 'gw->app' && quantity === 'newConnectionsPerSecond');
    expect(gw(3_100)).toMatchObject({ value: 50, standing: 'exact' });
    expect(gw(600)).toMatchObject({ value: null, standing: 'unknown' });
    expect(gw(600)?.remark).toContain('10.00 connections / s');
  });

  it('random faults are no part of the steady state', () => {
    const faults = 'faults:\n  - { every: 5s, action: stall, hop: app, lasts: 1s }\n';
    const hops = open(10) + app('serviceTime: 1ms');
    const topology = parse(`name: t\nduration: 20s\nhops:\n${hops}${faults}`);
    expect(topology.faults).toHaveLength(1);
    expect(steadyTopology(topology, 1e6).faults).toEqual([]);
  });

  it('more asked than can be done has no steady state', () => {
    const topology = parse(`name: t
duration: 20s
hops:
  - { name: clients, kind: clients, count: 5, workload: { kind: open, rate: 300/s } }
  - { name: app, kind: app, serviceTime: 5ms, concurrencyMax: 1 }
`);
    const seconds = explain(topology).find(({ quantity }) => quantity === 'secondsToAnswer');
    expect(seconds).toMatchObject({ value: null, standing: 'unknown' });
    expect(seconds?.remark).toContain('grows without end');
  });
});
