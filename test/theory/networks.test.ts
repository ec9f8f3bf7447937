/** Networks of queues, and people who leave or come again. */
import { describe, it } from 'vitest';
import { abandoned, birthDeath, closedThroughput, erlangB } from './erlang.ts';
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

describe('several stations', () => {
  it.each([
    [5, 'one station: the machine repairman', '', [0.02]],
    [40, 'one station, saturated', '', [0.02]],
    [12, 'app and database', 'exponential(15ms)', [0.02, 0.015]],
  ] as const)('closed network of %i users, mean value analysis: %s', (users, _, query, demands) => {
    const seconds = 320;
    const yaml = `name: closed
duration: ${seconds}s
hops:
  - name: users
    kind: clients
    count: ${users}
    timeout: 0s
    workload: { kind: closed, thinkTime: exponential(200ms), startWithin: 1s }
  - { name: app, kind: app, serviceTime: exponential(20ms), concurrencyMax: 1, pool: { max: 50 } }
${query === '' ? '' : `  - { name: db, kind: database, serviceTime: ${query}, concurrencyMax: 1 }`}
`;
    expectAgreement(
      replicate((seed) => requestsOf({ yaml, seed, warmUp: 20 }).length / (seconds - 20)),
      closedThroughput(users, 0.2, demands),
      'throughput',
    );
  });

  it('Jackson with feedback: an app, and a database that each request visits three times', () => {
    const yaml = chain({
      seconds: 420,
      rate: 30,
      hops: [
        '{ name: app, kind: app, serviceTime: exponential(15ms), concurrencyMax: 1, ' +
          'queriesPerRequest: 3, pool: { max: 1000, min: 1000 } }',
        '{ name: db, kind: database, serviceTime: exponential(7ms), concurrencyMax: 1, ' +
          'connectionsMax: 2000 }',
      ],
    });
    const app = 1 / (1 / 0.015 - 30);
    const database = 1 / (1 / 0.007 - 90);
    expectAgreement(
      replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn))),
      app + 3 * database,
      'mean time in system',
    );
  });
});

describe('impatience', () => {
  const load = { servers: 5, rate: 110, mu: 20 };

  it('fixed patience, M/M/n+D: a queue that closes what it held for 80 ms', () => {
    const yaml = chain({
      ...{ seconds: 120, rate: load.rate, clients: 'requestsPerIteration: 1' },
      hops: [
        '{ name: queue, kind: connection-queue, activeMax: 5, heldTimeout: 80ms }',
        '{ name: app, kind: app, serviceTime: exponential(50ms) }',
      ],
    });
    expectAgreement(
      replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 20 }), (one) => !isOk(one))),
      abandoned(load, (x) => Math.min(x, 0.08)),
      'left',
    );
  });

  const erlangA = (app: string): string =>
    chain({
      ...{ seconds: 120, rate: load.rate },
      clients: 'requestsPerIteration: 1\n    patience: exponential(200ms)',
      hops: [
        '{ name: queue, kind: connection-queue, activeMax: 5, whileHeld: watch }',
        `{ name: app, kind: app, serviceTime: exponential(50ms), implementation: ${app} }`,
      ],
    });

  it('exponential patience, Erlang A: clients that leave a queue that watches', () => {
    const yaml = erlangA('builtin');
    const left = abandoned(load, (x) => (1 - Math.exp(-5 * x)) / 5);
    expectAgreement(
      replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 20 }), isOk)),
      // Who is served may lose patience still; the slot is held until the work is done.
      (1 - left) * (20 / (20 + 5)),
      'answered in time',
    );
  });

  it('the same with an app that hangs up at once: who leaves frees the slot', () => {
    const yaml = erlangA('node');
    const states = 60;
    const births = Array.from({ length: states }, () => load.rate);
    const deaths = births.map((_, n) => Math.min(n + 1, 5) * 20 + (n + 1) * 5);
    const served = birthDeath(births, deaths).map((p, n) => p * Math.min(n, 5) * 20);
    expectAgreement(
      replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 20 }), isOk)),
      served.reduce((sum, one) => sum + one, 0) / load.rate,
      'answered in time',
    );
  });

  it('retrials: refused requests that come again much later are Poisson arrivals, too', () => {
    const [servers, rate, mu] = [5, 70, 20];
    const yaml = chain({
      ...{ seconds: 700, rate },
      clients: 'retry: { attemptsMax: 100, backoff: 30s, backoffMax: 30s, jitter: 1, on: [5xx] }',
      hops: [
        '{ name: app, kind: app, serviceTime: exponential(50ms), concurrencyMax: 5, ' +
          'waitingMax: 0 }',
      ],
    });
    // Cohen (1957): all arrivals = rate / (1 - B(all arrivals)), for slow retrials.
    let all = rate;
    for (let round = 0; round < 1_000; round++) all = rate / (1 - erlangB(servers, all / mu));
    expectAgreement(
      replicate((seed) => {
        const { simulation } = live({ yaml, seed });
        const attempts = new Map<string, number>();
        for (const { second, measure, value } of simulation.rows()) {
          if (second < 300 || second >= 700) continue;
          attempts.set(measure, (attempts.get(measure) ?? 0) + (value ?? 0));
        }
        return (attempts.get('attempts') ?? 0) / 400;
      }),
      all,
      'attempts per second',
    );
  });
});
