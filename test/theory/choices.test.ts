/** Choosing among servers, trying again, being turned away, and waiting for a connection. */
import { describe, it } from 'vitest';
import { EventKind } from '../../src/model/event.ts';
import { closedThroughput, erlangB, erlangC } from './erlang.ts';
import {
  chain,
  expectAgreement,
  isOk,
  live,
  mean,
  replicate,
  requestsOf,
  share,
  sojourn,
} from './simulated.ts';

describe('two servers with a queue each', () => {
  const [rate, mu] = [140, 100];
  const document = (algorithm: string): string =>
    `${chain({
      ...{ seconds: 220, rate },
      hops: [
        `{ name: alb, kind: l7-balancer, algorithm: ${algorithm}, ` +
          'healthCheck: { enabled: false } }',
        '{ name: app, kind: app, serviceTime: exponential(10ms), concurrencyMax: 1 }',
      ],
    })}hosts:
  - { name: host, count: 2, hops: [app] }
`;
  const meanTime = (yaml: string): number[] =>
    replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn)));

  it.each(['least-outstanding', 'random-two'])('%s: join the shorter queue', (algorithm) => {
    expectAgreement(meanTime(document(algorithm)), shorterQueue(rate, mu), 'mean time');
  });

  it('round-robin: E2/M/1 at each', () => {
    // The share s of full services: s = A*(mu (1 - s)) with the transform of two gaps.
    let s = 0.5;
    for (let round = 0; round < 500; round++) s = (rate / (rate + mu * (1 - s))) ** 2;
    expectAgreement(meanTime(document('round-robin')), 1 / (mu * (1 - s)), 'mean time');
  });
});

describe('trying again', () => {
  it('timeouts that are coins: attempts are geometric, cut off', () => {
    const yaml = chain({
      ...{ seconds: 120, rate: 60 },
      clients: 'retry: { attemptsMax: 4, backoff: 10ms, on: [timeout] }',
      hops: ['{ name: app, kind: app, serviceTime: "uniform(0ms, 200ms)" }'],
    }).replace('timeout: 0s', 'timeout: 120ms');
    const failed = 0.4;
    const found = replicate((seed) => live({ yaml, seed, warmUp: 5 }));
    expectAgreement(
      found.map(({ requests }) => share(requests, (one) => !isOk(one))),
      failed ** 4,
      'given up',
    );
    const attempts = 1 + failed + failed ** 2 + failed ** 3;
    expectAgreement(
      found.map(({ simulation }) => {
        const [clients] = simulation.measured().clients;
        return clients?.attemptsPerSuccess ?? Number.NaN;
      }),
      attempts / (1 - failed ** 4),
      'attempts per success, of the summary',
    );
  });

  it('three attempts, far apart: each finds Erlang loss at the load of all of them', () => {
    const yaml = chain({
      ...{ seconds: 700, rate: 70 },
      clients: 'retry: { attemptsMax: 3, backoff: 30s, backoffMax: 30s, jitter: 1, on: [5xx] }',
      hops: [
        '{ name: app, kind: app, serviceTime: exponential(50ms), concurrencyMax: 5, ' +
          'waitingMax: 0 }',
      ],
    });
    let all = 70;
    for (let round = 0; round < 1_000; round++) {
      const refused = erlangB(5, all / 20);
      all = 70 * (1 + refused + refused ** 2);
    }
    expectAgreement(
      replicate((seed) => {
        const requests = requestsOf({ yaml, seed, warmUp: 100 });
        // Of the last ones only those are known that succeeded soon.
        return share(
          requests.filter(({ sentAt }) => sentAt < 600e6),
          (one) => !isOk(one),
        );
      }),
      erlangB(5, all / 20) ** 3,
      'given up',
    );
  });
});

it.each([
  [0.9, 3],
  [1.3, 5],
  [0.7, 1],
])('token bucket at load %f and burst %i: the share turned away', (load, burst) => {
  const yaml = chain({
    seconds: 320,
    rate: 100 * load,
    hops: [
      `{ name: gw, kind: gateway, throttle: { ratePerSecond: 100/s, burst: ${burst} } }`,
      '{ name: app, kind: app, serviceTime: 0s }',
    ],
  });
  // The alternating sum of Erlang (1909), unnormalised: the work of M/D/1 up to burst - 1.
  let g = 0;
  let factorial = 1;
  for (let k = 0; k < burst; k++) {
    if (k > 0) factorial *= k;
    const x = load * (k - burst + 1);
    g += (x ** k * Math.exp(-x)) / factorial;
  }
  expectAgreement(
    replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 5 }), (one) => !isOk(one))),
    1 - g / (1 + load * g),
    '429',
  );
});

describe('connections', () => {
  it('a pool of three to a database that could do more: M/M/3', () => {
    const yaml = chain({
      ...{ seconds: 320, rate: 50 },
      hops: [
        '{ name: app, kind: app, serviceTime: 0s, pool: { min: 3, max: 3 } }',
        '{ name: db, kind: database, serviceTime: exponential(50ms), concurrencyMax: 100 }',
      ],
    });
    expectAgreement(
      replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn))),
      0.05 + erlangC(3, 2.5) / (60 - 50),
      'mean time in system',
    );
  });

  it('users with one connection each to a gateway whose pool is the bottleneck', () => {
    const yaml = `name: pool
duration: 320s
hops:
  - name: users
    kind: clients
    count: 12
    timeout: 0s
    workload: { kind: closed, thinkTime: exponential(200ms), startWithin: 1s }
  - name: gw
    kind: gateway
    nodes: 1
    pool: { connectionsMax: 1 }
    throttle: { ratePerSecond: 0/s }
  - { name: app, kind: app, serviceTime: exponential(20ms) }
`;
    expectAgreement(
      replicate((seed) => requestsOf({ yaml, seed, warmUp: 20 }).length / 300),
      closedThroughput(12, 0.2, [0.02]),
      'throughput',
    );
  });

  it('Poisson requests that take no time: new with exp(-rate T), lives of a type I counter', () => {
    const [rate, timeout] = [0.8, 2];
    const yaml = `name: poisson
duration: 500s
hops:
  - name: clients
    kind: clients
    count: 40
    pool: { connectionsMax: 0, idleTimeout: ${timeout}s }
    workload: { kind: open, rate: ${rate * 40}/s, arrivals: poisson }
  - { name: app, kind: app, serviceTime: 0s, keepAliveTimeout: 0s }
`;
    const found = replicate((seed) => {
      const lives: number[] = [];
      const open = new Map<number, number>();
      const { requests, simulation } = live({
        yaml,
        seed,
        listen(at, kind, instance, end) {
          if (instance !== 0) return;
          if (kind === EventKind.connected) open.set(end, at);
          const from = open.get(end);
          if (kind === EventKind.closed && from !== undefined && from < 450e6) {
            lives.push((at - from) / 1e6);
          }
        },
      });
      const [link] = simulation.measured().links;
      const gauges = [...simulation.rows()].filter(
        ({ scope, measure, second }) =>
          scope === 'link:clients->app' && measure === 'open' && second >= 20 && second < 500,
      );
      return {
        fresh: (link?.opened ?? Number.NaN) / requests.length,
        life: mean(lives),
        open: mean(gauges.map(({ value }) => value ?? 0)),
      };
    });
    const leaves = Math.exp(-rate * timeout);
    expectAgreement(
      found.map(({ fresh }) => fresh),
      leaves,
      'share of new connections',
    );
    expectAgreement(
      found.map(({ life }) => life),
      (1 / leaves - 1) / rate,
      'life, s',
    );
    expectAgreement(
      found.map(({ open }) => open),
      40 * (1 - leaves),
      'open',
    );
  });
});

/** Mean time of two servers of rate mu, arrivals to the shorter queue, stepped to its end. */
function shorterQueue(rate: number, mu: number): number {
  const most = 40;
  let now = new Float64Array(most * most);
  now[0] = 1;
  const step = 1 / (rate + 2 * mu);
  for (let round = 0; round < 6_000; round++) {
    const next = new Float64Array(most * most);
    for (let one = 0; one < most; one++) {
      for (let other = 0; other < most; other++) {
        const p = now[one * most + other] ?? 0;
        if (p < 1e-16) continue;
        const to = (a: number, b: number, share: number): void => {
          const cell = Math.min(a, most - 1) * most + Math.min(b, most - 1);
          next[cell] = (next[cell] ?? 0) + p * share * step;
        };
        const first = one < other ? 1 : one === other ? 0.5 : 0;
        to(one + 1, other, rate * first);
        to(one, other + 1, rate * (1 - first));
        to(Math.max(0, one - 1), other, mu);
        to(one, Math.max(0, other - 1), mu);
      }
    }
    now = next;
  }
  let inSystem = 0;
  now.forEach((p, cell) => {
    inSystem += p * (Math.floor(cell / most) + (cell % most));
  });
  return inSystem / rate;
}
