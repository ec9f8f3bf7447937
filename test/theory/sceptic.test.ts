/**
 * Closed forms that somebody who does not believe the simulator would try next: other arrivals,
 * other service times, order, room to wait, few sources, and what the summary itself reports.
 */
import { describe, expect, it } from 'vitest';
import { birthDeath } from './erlang.ts';
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

const app = (settings: string): string => `{ name: app, kind: app, ${settings} }`;

describe('other arrivals and service times', () => {
  it('M/D/1: the distribution of the time in system, by Erlang', () => {
    const hops = [app('serviceTime: 10ms, concurrencyMax: 1')];
    const yaml = chain({ seconds: 260, rate: 70, hops });
    const found = replicate((seed) => requestsOf({ yaml, seed, warmUp: 20 }));
    for (const services of [0.5, 1.5, 3.25]) {
      expectAgreement(
        found.map((all) => share(all, (one) => sojourn(one) <= 0.01 * (1 + services) + 5e-7)),
        waitOfConstant(0.7, services),
        `P(W <= ${services} services)`,
      );
    }
  });

  it('M/D/3, Crommelin: the mean time in system', () => {
    const hops = [app('serviceTime: 30ms, concurrencyMax: 3')];
    const yaml = chain({ seconds: 260, rate: 80, hops });
    // The number in system after one service time depends on that before it alone.
    const [servers, load, states] = [3, 2.4, 120];
    const arrivals = poisson(load, states);
    let now = Array.from({ length: states }, (_, n) => Number(n === 0));
    for (let round = 0; round < 400; round++) {
      const next = new Array<number>(states).fill(0);
      now.forEach((p, n) => {
        for (let more = 0; more < states; more++) {
          const to = Math.min(states - 1, Math.max(0, n - servers) + more);
          next[to] = (next[to] ?? 0) + p * (arrivals[more] ?? 0);
        }
      });
      now = next;
    }
    const inSystem = now.reduce((sum, p, n) => sum + p * n, 0);
    expectAgreement(
      replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn))),
      inSystem / 80,
      'mean time in system',
    );
  });

  it.each([
    [1, 'D/M/1'],
    [3, 'D/M/3'],
  ])('%i servers, evenly spaced arrivals (%s): mean time in system', (servers) => {
    const [rate, mu] = [80 * servers, 100];
    const hops = [app(`serviceTime: exponential(10ms), concurrencyMax: ${servers}`)];
    const yaml = chain({ seconds: 220, rate, hops }).replace('poisson', 'constant');
    expectAgreement(
      replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn))),
      evenlySpaced(servers, rate, mu),
      'mean time in system',
    );
  });

  it('D/D/1 below capacity: nobody waits, not once', () => {
    const hops = [app('serviceTime: 10ms, concurrencyMax: 1')];
    const yaml = chain({ seconds: 20, rate: 99, hops }).replace('poisson', 'constant');
    const requests = requestsOf({ yaml, seed: 1 });
    expect(requests.length).toBeGreaterThan(1_900);
    expect(requests.every((one) => one.doneAt - one.sentAt === 10_000)).toBe(true);
  });

  it('M/G/infinity: in flight is Poisson, whatever the service time', () => {
    const hops = [app('serviceTime: "lognormal(median 300ms, p99 2s)"')];
    const yaml = chain({ seconds: 620, rate: 20, hops });
    const sigma = Math.log(2 / 0.3) / 2.3263478740408408;
    const load = 20 * 0.3 * Math.exp(sigma ** 2 / 2);
    const gauges = replicate((seed) =>
      [...live({ yaml, seed }).simulation.rows()]
        .filter(({ measure, second }) => measure === 'pending' && second >= 20 && second < 620)
        .map(({ value }) => value ?? 0),
    );
    expectAgreement(gauges.map(mean), load, 'mean in flight');
    expectAgreement(
      gauges.map((all) => mean(all.map((one) => (one - load) ** 2))),
      load,
      'variance in flight',
    );
  });

  it('Burke: what leaves M/M/1 is Poisson again', () => {
    const hops = [app('serviceTime: exponential(10ms), concurrencyMax: 1')];
    const yaml = chain({ seconds: 220, rate: 60, hops });
    const gaps = replicate((seed) => {
      const done = requestsOf({ yaml, seed, warmUp: 20 }).map(({ doneAt }) => doneAt / 1e6);
      return done.slice(1).map((at, index) => at - (done[index] ?? 0));
    });
    for (const t of [0.005, 0.02, 0.05]) {
      expectAgreement(
        gaps.map((all) => share(all, (gap) => gap > t)),
        Math.exp(-60 * t),
        `P(gap > ${t} s)`,
      );
    }
    expectAgreement(
      gaps.map((all) => {
        const pairs = all.slice(1).map((gap, index) => gap * (all[index] ?? 0) * 3_600);
        return mean(pairs);
      }),
      1,
      'neighbouring gaps are independent',
    );
  });
});

describe('room, order and few sources', () => {
  it('M/M/1/K: mean time in system of those that found room', () => {
    const hops = [app('serviceTime: exponential(10ms), concurrencyMax: 1, waitingMax: 4')];
    const yaml = chain({ seconds: 220, rate: 90, hops });
    const births = [90, 90, 90, 90, 90];
    const p = birthDeath(
      births,
      births.map(() => 100),
    );
    const inSystem = p.reduce((sum, one, n) => sum + one * n, 0);
    expectAgreement(
      replicate((seed) => mean(requestsOf({ yaml, seed, warmUp: 10 }).filter(isOk).map(sojourn))),
      inSystem / (90 * (1 - (p[5] ?? 0))),
      'mean time in system',
    );
  });

  it('a queue with room for two more: M/M/3/5, and who finds none is closed', () => {
    const yaml = chain({
      ...{ seconds: 220, rate: 70, clients: 'requestsPerIteration: 1' },
      hops: [
        '{ name: queue, kind: connection-queue, activeMax: 3, heldMax: 2 }',
        app('serviceTime: exponential(50ms)'),
      ],
    });
    const births = [70, 70, 70, 70, 70];
    const deaths = births.map((_, n) => Math.min(n + 1, 3) * 20);
    expectAgreement(
      replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 10 }), (one) => !isOk(one))),
      birthDeath(births, deaths)[5] ?? Number.NaN,
      'closed for want of room',
    );
  });

  it.each([
    ['fifo', 1],
    ['lifo', 1 / (1 - 0.6)],
  ] as const)(
    '%s: the same mean wait, and the second moment that its order gives',
    (order, more) => {
      const yaml = chain({
        ...{ seconds: 420, rate: 60, clients: 'requestsPerIteration: 1' },
        hops: [
          `{ name: queue, kind: connection-queue, activeMax: 1, order: ${order} }`,
          app('serviceTime: exponential(10ms)'),
        ],
      });
      const found = replicate((seed) => requestsOf({ yaml, seed, warmUp: 20 }).map(sojourn));
      const [wait, service] = [0.6 / 40, 0.01];
      expectAgreement(found.map(mean), wait + service, 'mean');
      // E[W^2] last come first served = E[W^2] first come / (1 - load) (Wishart 1960).
      const second = more * 2 * 0.6 * (1 / 40) ** 2;
      expectAgreement(
        found.map((all) => mean(all.map((one) => one * one))),
        second + 2 * wait * service + 2 * service * service,
        'second moment',
      );
    },
  );

  it('Engset: ten users, three servers, no room to wait', () => {
    const yaml = `name: engset
duration: 420s
hops:
  - name: users
    kind: clients
    count: 10
    timeout: 0s
    workload: { kind: closed, thinkTime: exponential(200ms), startWithin: 1s }
  - ${app('serviceTime: exponential(80ms), concurrencyMax: 3, waitingMax: 0')}
`;
    // Who asks sees the system as if without him: 9 sources.
    const births = [9, 8, 7].map((idle) => idle / 0.2);
    const seen = birthDeath(
      births,
      [1, 2, 3].map((n) => n / 0.08),
    );
    expectAgreement(
      replicate((seed) => share(requestsOf({ yaml, seed, warmUp: 20 }), (one) => !isOk(one))),
      seen[3] ?? Number.NaN,
      'refused',
    );
  });

  it('two classes of users at one server: mean value analysis of both', () => {
    const group = (name: string, count: number, think: string): string => `  - name: ${name}
    kind: clients
    count: ${count}
    upstream: app
    timeout: 0s
    workload: { kind: closed, thinkTime: exponential(${think}), startWithin: 1s }
`;
    const yaml = `name: classes
duration: 420s
hops:
${group('quick', 6, '100ms')}${group('slow', 9, '600ms')}\
  - ${app('serviceTime: exponential(20ms), concurrencyMax: 1')}
`;
    const [quick, slow] = twoClasses([6, 9], [0.1, 0.6], 0.02);
    const sent = replicate((seed) => {
      const rates = new Map<string, number>();
      for (const { second, scope, measure, value } of live({ yaml, seed }).simulation.rows()) {
        if (measure !== 'answered' || second < 20) continue;
        rates.set(scope, (rates.get(scope) ?? 0) + (value ?? 0) / 400);
      }
      return [rates.get('clients:quick') ?? 0, rates.get('clients:slow') ?? 0] as const;
    });
    expectAgreement(
      sent.map(([one]) => one),
      quick,
      'quick',
    );
    expectAgreement(
      sent.map(([, one]) => one),
      slow,
      'slow',
    );
  });
});

it('the summary: percentiles of M/M/1 are those of its exponential time in system', () => {
  const hops = [app('serviceTime: exponential(10ms), concurrencyMax: 1')];
  const yaml = chain({ seconds: 420, rate: 60, hops });
  const found = replicate(
    (seed) => live({ yaml, seed }).simulation.measured().clients[0]?.latencyMs,
  );
  for (const [name, p] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p99', 0.99],
  ] as const) {
    const exact = (-1_000 * Math.log(1 - p)) / 40;
    const values = found.map((one) => one?.[name] ?? Number.NaN);
    // A quantile is the middle of its histogram's cell: up to 1/256 away, and that is no chance.
    const nearest = Math.min(
      Math.max(exact, mean(values) * (255 / 256)),
      mean(values) * (257 / 256),
    );
    expectAgreement(values, nearest, name);
    expect(Math.abs(mean(values) / exact - 1)).toBeLessThan(0.1);
  }
});

/** P(W <= t services) in M/D/1 (Erlang 1909). */
function waitOfConstant(load: number, t: number): number {
  let sum = 0;
  let factorial = 1;
  for (let k = 0; k <= Math.floor(t); k++) {
    if (k > 0) factorial *= k;
    sum += ((load * (k - t)) ** k * Math.exp(load * (t - k))) / factorial;
  }
  return (1 - load) * sum;
}

function poisson(load: number, most: number): number[] {
  const shares = [Math.exp(-load)];
  for (let n = 1; n < most; n++) shares.push(((shares[n - 1] ?? 0) * load) / n);
  return shares;
}

/** Mean time in D/M/c, by the chain of what arrivals find (Kleinrock I, 6.2 and 6.4). */
function evenlySpaced(servers: number, rate: number, mu: number): number {
  const states = 80;
  const gap = 1 / rate;
  // Departures within a gap, stepped through: from n in system just after an arrival.
  const left = Array.from({ length: states }, (_, from) => {
    let now = new Array<number>(from + 1).fill(0);
    now[from] = 1;
    const steps = 200;
    for (let step = 0; step < steps; step++) {
      now = now.map((p, n) => {
        const stays = p * Math.exp((-Math.min(n, servers) * mu * gap) / steps);
        const above = now[n + 1] ?? 0;
        return stays + above * -Math.expm1((-Math.min(n + 1, servers) * mu * gap) / steps);
      });
    }
    return now;
  });
  let found = Array.from({ length: states }, (_, n) => Number(n === 0));
  for (let round = 0; round < 300; round++) {
    const next = new Array<number>(states).fill(0);
    found.forEach((p, n) => {
      if (p < 1e-15) return;
      (left[Math.min(n + 1, states - 1)] ?? []).forEach((q, to) => {
        next[to] = (next[to] ?? 0) + p * q;
      });
    });
    found = next;
  }
  return found.reduce(
    (sum, p, n) => sum + p * (1 / mu + Math.max(0, n - servers + 1) / (servers * mu)),
    0,
  );
}

/** Throughputs of two classes at a delay and one server (Reiser and Lavenberg 1980). */
function twoClasses(
  users: readonly [number, number],
  think: readonly [number, number],
  service: number,
): [number, number] {
  const queue = new Map<string, number>([['0,0', 0]]);
  let rates: [number, number] = [0, 0];
  for (let one = 0; one <= users[0]; one++) {
    for (let other = 0; other <= users[1]; other++) {
      if (one + other === 0) continue;
      const first = service * (1 + (queue.get(`${one - 1},${other}`) ?? 0));
      const second = service * (1 + (queue.get(`${one},${other - 1}`) ?? 0));
      rates = [one / (think[0] + first), other / (think[1] + second)];
      queue.set(`${one},${other}`, rates[0] * first + rates[1] * second);
    }
  }
  return rates;
}
