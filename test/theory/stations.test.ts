/** Open queues: an app behind Poisson arrivals is M/M/c, M/M/c/K, M/G/c/c, M/G/1. */
import { describe, expect, it } from 'vitest';
import { birthDeath, erlangB, erlangC, sojournTail } from './erlang.ts';
import {
  chain,
  expectAgreement,
  isOk,
  mean,
  replicate,
  requestsOf,
  share,
  sojourn,
} from './simulated.ts';

const app = (settings: string): string => `{ name: app, kind: app, ${settings} }`;

function manyOf(yaml: string, seed: number, warmUp: number) {
  const requests = requestsOf({ yaml, seed, warmUp });
  expect(requests.length).toBeGreaterThan(1_000);
  return requests;
}

describe('waiting', () => {
  it('M/M/1: mean and tail of the time in system', () => {
    const hops = [app('serviceTime: exponential(10ms), concurrencyMax: 1')];
    const yaml = chain({ seconds: 420, rate: 70, hops });
    const found = replicate((seed) => manyOf(yaml, seed, 20));
    expectAgreement(
      found.map((requests) => mean(requests.map(sojourn))),
      1 / (100 - 70),
      'mean',
    );
    for (const t of [0.02, 0.05, 0.1]) {
      expectAgreement(
        found.map((requests) => share(requests, (one) => sojourn(one) > t)),
        Math.exp(-30 * t),
        `P(T > ${t} s)`,
      );
    }
  });

  it('M/M/c: Erlang C, mean and tail of the time in system', () => {
    const hops = [app('serviceTime: exponential(50ms), concurrencyMax: 5')];
    const yaml = chain({ seconds: 320, rate: 70, hops });
    const found = replicate((seed) => manyOf(yaml, seed, 20));
    const waits = erlangC(5, 3.5);
    expectAgreement(
      found.map((requests) => mean(requests.map(sojourn))),
      waits / (100 - 70) + 0.05,
      'mean',
    );
    for (const t of [0.05, 0.1, 0.2]) {
      expectAgreement(
        found.map((requests) => share(requests, (one) => sojourn(one) > t)),
        sojournTail(5, 70, 20, t),
        `P(T > ${t} s)`,
      );
    }
  });

  it.each([
    ['10ms', 0.01, 0.01 * 0.01],
    ['"uniform(2ms, 18ms)"', 0.01, (0.002 ** 2 + 0.002 * 0.018 + 0.018 ** 2) / 3],
    ['exponential(10ms)', 0.01, 2 * 0.01 * 0.01],
    ['"lognormal(median 6ms, p99 40ms)"', ...lognormalMoments(0.006, 0.04)],
  ] as const)('M/G/1, Pollaczek-Khinchine: %s', (service, first, second) => {
    const rate = 0.7 / first;
    const hops = [app(`serviceTime: ${service}, concurrencyMax: 1`)];
    const yaml = chain({ seconds: 260, rate: Math.round(rate), hops });
    const load = Math.round(rate) * first;
    expectAgreement(
      replicate((seed) => mean(manyOf(yaml, seed, 20).map(sojourn))),
      first + (Math.round(rate) * second) / (2 * (1 - load)),
      'mean time in system',
    );
  });
});

describe('losing', () => {
  it('M/M/c/K: share of arrivals that find no room', () => {
    const hops = [app('serviceTime: exponential(50ms), concurrencyMax: 3, waitingMax: 4')];
    const yaml = chain({ seconds: 220, rate: 70, hops });
    const births = Array.from({ length: 7 }, () => 70);
    const deaths = births.map((_, n) => Math.min(n + 1, 3) * 20);
    expectAgreement(
      replicate((seed) => share(manyOf(yaml, seed, 10), (one) => one.outcome === 503)),
      birthDeath(births, deaths)[7] ?? Number.NaN,
      'refused',
    );
  });

  it.each(['exponential(50ms)', '50ms', '"uniform(0ms, 100ms)"'])(
    'M/G/c/c, Erlang B, whatever the distribution: %s',
    (service) => {
      const hops = [app(`serviceTime: ${service}, concurrencyMax: 5, waitingMax: 0`)];
      const yaml = chain({ seconds: 220, rate: 80, hops });
      expectAgreement(
        replicate((seed) => share(manyOf(yaml, seed, 10), (one) => !isOk(one))),
        erlangB(5, 4),
        'refused',
      );
    },
  );
});

describe('slowing down', () => {
  it('contention: a state-dependent rate, M/M(n)/c/c', () => {
    const two = chain({
      seconds: 220,
      rate: 60,
      hops: [
        app('serviceTime: exponential(20ms), concurrencyMax: 2, waitingMax: 0, contention: 1'),
      ],
    });
    // States: nobody; one at full rate (begun alone); one begun beside another, which is slow and
    // now alone; two, of which the first began alone; two that are both slow.
    const [idle, fast, slow, mixed, both] = [0, 1, 2, 3, 4];
    const rates: [number, number, number][] = [
      [idle, fast, 60],
      [fast, idle, 50],
      [fast, mixed, 60],
      [mixed, slow, 50],
      [mixed, fast, 25],
      [slow, idle, 25],
      [slow, both, 60],
      [both, slow, 50],
    ];
    const at = stationary(5, rates);
    expectAgreement(
      replicate((seed) => share(manyOf(two, seed, 10), (one) => !isOk(one))),
      (at[mixed] ?? 0) + (at[both] ?? 0),
      'refused by two that slow each other down',
    );
  });
});

/** Stationary probabilities of a small Markov chain, by going on for long enough. */
function stationary(states: number, rates: readonly [number, number, number][]): number[] {
  let now = Array.from({ length: states }, () => 1 / states);
  for (let step = 0; step < 200_000; step++) {
    const next = [...now];
    for (const [from, to, rate] of rates) {
      const moved = (now[from] ?? 0) * rate * 1e-4;
      next[from] = (next[from] ?? 0) - moved;
      next[to] = (next[to] ?? 0) + moved;
    }
    now = next;
  }
  return now;
}

function lognormalMoments(median: number, p99: number): [number, number] {
  const sigma = Math.log(p99 / median) / 2.3263478740408408;
  return [median * Math.exp(sigma ** 2 / 2), median ** 2 * Math.exp(2 * sigma ** 2)];
}
