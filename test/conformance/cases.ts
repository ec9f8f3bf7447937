/**
 * Small topologies that both engines live through. One list, two engines: if both agree, what the
 * simulator says of a topology is what sockets would do.
 *
 * They are chains of one document, side by side, so that one run lives through all of them: the
 * lab is busy with one thing at a time, and runs can be repeated often enough. Loads are far
 * below what a machine can do, and service takes tens of milliseconds: the lab is late by a
 * millisecond or two of timers, which the simulator is not, and that must be small against what
 * is compared.
 */
export const SECONDS = 6;

export interface Case {
  readonly name: string;
  /** Part of the names of its hops; what belongs to a case is recognised by it. */
  readonly mark: string;
  readonly hops: string;
  readonly hosts?: string;
  readonly timeline?: string;
}

const users = (mark: string, count: number, think: string): string => `
  - name: ${mark}-users
    kind: clients
    count: ${count}
    upstream: ${mark}-front
    workload: { kind: closed, thinkTime: exponential(${think}), startWithin: 300ms }
`;

const hoarding = (mark: string, queue: string): string => `${users(mark, 20, '200ms')}
  - { name: ${mark}-front, kind: gateway, nodes: 12, pool: { idleTimeout: 60s } }
  - { name: ${mark}-queue, kind: connection-queue, activeMax: 6, ${queue} }
  - { name: ${mark}-nginx, kind: web-server, keepAliveRequests: 10 }
  - { name: ${mark}-app, kind: app, serviceTime: exponential(30ms), upstream: null }
`;

export const CASES: readonly Case[] = [
  {
    name: 'open arrivals at an app with a limit',
    mark: 'open',
    hops: `
  - name: open-users
    kind: clients
    count: 20
    upstream: open-app
    pool: { connectionsMax: 4, idleTimeout: 500ms }
    workload: { kind: open, rate: 30/s }
  - { name: open-app, kind: app, serviceTime: exponential(80ms), concurrencyMax: 4, upstream: null }
`,
  },
  {
    name: 'keep-alive by time and by requests',
    mark: 'keep',
    hops: `${users('keep', 8, '200ms')}
  - { name: keep-front, kind: web-server, keepAliveTimeout: 400ms, keepAliveRequests: 8 }
  - { name: keep-app, kind: app, serviceTime: exponential(40ms), upstream: null }
`,
  },
  {
    name: 'a gateway spreads, a queue hoards',
    mark: 'hoard',
    hops: hoarding('hoard', 'reclaim: none, whileHeld: unread'),
  },
  {
    name: 'the same with a queue that reclaims',
    mark: 'cure',
    hops: hoarding('cure', 'reclaim: idle-yield, reclaimAfter: 5ms, whileHeld: watch'),
  },
  {
    name: 'timeouts and retries while the database is slow',
    mark: 'slow',
    hops: `
  - name: slow-users
    kind: clients
    count: 8
    upstream: slow-app
    timeout: 400ms
    workload: { kind: closed, thinkTime: exponential(250ms), startWithin: 300ms }
    retry: { attemptsMax: 3, backoff: 100ms, jitter: 0, on: [timeout, 5xx] }
  - name: slow-app
    kind: app
    serviceTime: exponential(20ms)
    pool: { max: 4 }
  - name: slow-db
    kind: database
    serviceTime: exponential(30ms)
    concurrencyMax: 2
    upstream: null
`,
    timeline: '  - { at: 2s, action: slow, hop: slow-db, factor: 8, lasts: 2s }\n',
  },
  {
    name: 'a throttle, and flows over three hosts',
    mark: 'flow',
    hops: `${users('flow', 12, '200ms')}
  - name: flow-front
    kind: gateway
    nodes: 6
    throttle: { ratePerSecond: 30/s, burst: 10 }
  - { name: flow-nlb, kind: l4-balancer }
  - { name: flow-nginx, kind: web-server, keepAliveRequests: 20, upstreamIdleMax: 8 }
  - { name: flow-app, kind: app, serviceTime: exponential(60ms), upstream: null }
`,
    hosts: '  - { name: flow-host, count: 3, hops: [flow-nginx, flow-app] }\n',
  },
];

/** The document that both engines live through. */
export function allCases(): string {
  return [
    'name: conformance\n',
    `duration: ${SECONDS}s\n`,
    'hops:',
    ...CASES.map(({ hops }) => hops),
    'hosts:\n',
    ...CASES.map(({ hosts }) => hosts ?? ''),
    'timeline:\n',
    ...CASES.map(({ timeline }) => timeline ?? ''),
  ].join('');
}
