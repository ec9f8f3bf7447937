/** The small closed forms against sums, integrals and tables that do not use them. */
import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/topology.ts';
import { binomialTail } from './binomial.ts';
import { closedQueue, closedThroughput } from './closed-network.ts';
import { erlangB, erlangC, meanWait } from './erlang.ts';
import { finiteQueue } from './finite-queue.ts';
import { meanOpen } from './growing-pool.ts';
import { endsAtCap, meanLife, requestsPerConnection } from './keep-alive.ts';
import { stationaryShares } from './markov.ts';
import { normal } from './normal.ts';
import { replicated } from './replications.ts';
import { askedWithin } from './stall.ts';
import { meanUpTo, moments, tail } from './times.ts';
import { turnedAway } from './token-bucket.ts';

const NONE = Number.POSITIVE_INFINITY;

describe('a queue with room for some', () => {
  it('is Erlang B without room, and Erlang C with room for all', () => {
    expect(finiteQueue(8, 0, 7).refused).toBeCloseTo(erlangB(8, 7), 12);
    const endless = finiteQueue(3, 2_000, 2.4);
    expect(endless.waits).toBeCloseTo(erlangC(3, 2.4), 12);
    expect(endless.waiting / 2.4).toBeCloseTo(meanWait(3, 2.4, 1, 1), 10);
    expect(endless.serving).toBeCloseTo(2.4, 12);
  });

  it('serves what it does not refuse: M/M/1/4 by hand', () => {
    const a = 1.5;
    const powers = [1, a, a ** 2, a ** 3, a ** 4];
    const sum = powers.reduce((total, one) => total + one, 0);
    const { refused, serving, waiting, waits } = finiteQueue(1, 3, a);
    expect(refused).toBeCloseTo(a ** 4 / sum, 12);
    expect(serving).toBeCloseTo(a * (1 - refused), 12);
    expect(waiting).toBeCloseTo((a ** 2 + 2 * a ** 3 + 3 * a ** 4) / sum, 12);
    expect(waits).toBeCloseTo((a + a ** 2 + a ** 3) / sum, 12);
  });
});

describe('a closed network, station by station', () => {
  const stations = [
    { demand: 0.02, servers: 1 },
    { demand: 0.05, servers: 3 },
  ];

  it('has all users somewhere', () => {
    const rate = closedThroughput(12, 0.2, stations);
    const there = [0, 1].map((number) => closedQueue(12, 0.2, stations, number).present);
    expect((there[0] ?? 0) + (there[1] ?? 0) + rate * 0.2).toBeCloseTo(12, 9);
  });

  it('is the machine repairman: who comes sees one machine fewer', () => {
    const one = [{ demand: 0.5, servers: 1 }];
    // Of two machines, one at work beside the one that fails: busy with 0.5 / (1 + 0.5).
    const { waits, present } = closedQueue(2, 1, one, 0);
    expect(waits).toBeCloseTo(0.5 / 1.5, 12);
    // States 0, 1, 2 weigh 1, 2 x 0.5, 2 x 0.25.
    expect(present).toBeCloseTo((1 + 2 * 0.5) / 2.5, 12);
  });
});

describe('keep-alive', () => {
  it.each([
    [0.3, 5],
    [0.01, 100],
    [0.9, 2],
  ])('P %f and a cap of %i: the sum over all lives', (closes, cap) => {
    let [requests, stays] = [0, 1];
    for (let n = 1; n <= cap; n++) {
      requests += stays;
      if (n < cap) stays *= 1 - closes;
    }
    expect(requestsPerConnection(closes, cap)).toBeCloseTo(requests, 10);
    expect(endsAtCap(closes, cap)).toBeCloseTo(stays, 10);
    const life = meanLife({ closes, cap, busy: 0.1, gap: 0.5, idleTimeout: 3 });
    expect(life).toBeCloseTo(requests * 0.1 + (requests - 1) * 0.5 + (1 - stays) * 3, 10);
  });

  it('is geometric without a cap, and its cap where nothing idles out', () => {
    expect(requestsPerConnection(0.02, NONE)).toBeCloseTo(50, 10);
    expect(requestsPerConnection(0, 100)).toBe(100);
    expect(requestsPerConnection(0, NONE)).toBe(NONE);
    expect(requestsPerConnection(1, 100)).toBe(1);
  });
});

describe('times', () => {
  const all: Distribution[] = [
    { kind: 'constant', value: 2e6 },
    { kind: 'exponential', mean: 2e6 },
    { kind: 'uniform', min: 1e6, max: 4e6 },
    { kind: 'lognormal', median: 1e6, p99: 8e6 },
  ];
  it.each(all)('$kind: mean, variance and truncated mean are integrals of the tail', (time) => {
    const step = 1e-3;
    let [mean, second, upTo] = [0, 0, 0];
    for (let t = step / 2; t < 400; t += step) {
      const later = tail(time, t);
      mean += later * step;
      second += 2 * t * later * step;
      if (t < 2.5) upTo += later * step;
    }
    expect(moments(time).mean).toBeCloseTo(mean, 3);
    expect(moments(time).variation).toBeCloseTo(second / (mean * mean) - 1, 2);
    expect(meanUpTo(time, 2.5)).toBeCloseTo(upTo, 3);
  });

  it('normal distribution: table of Abramowitz and Stegun, 26.1', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.8413447461],
      [1.96, 0.9750021049],
      [-3, 0.0013498980316],
      [2.4, 0.9918024641],
      [2.6, 0.9953388119763],
    ] as const) {
      expect(normal(z)).toBeCloseTo(p, 9);
    }
  });
});

describe('a token bucket', () => {
  it('of one token is Erlang loss, of two M/D/1/2 by hand', () => {
    expect(turnedAway(0.5, 1)).toBeCloseTo(0.5 / 1.5, 12);
    // p(1) / p(0) of M/D/1 is e^load - 1.
    const g = Math.exp(0.8);
    expect(turnedAway(0.8, 2)).toBeCloseTo(1 - g / (1 + 0.8 * g), 12);
  });

  it('turns away what exceeds its rate, and practically nothing at half of it', () => {
    expect(turnedAway(4, 1_000)).toBeCloseTo(0.75, 9);
    expect(turnedAway(0.5, 5_000)).toBeLessThan(1e-12);
    expect(turnedAway(1, 0)).toBe(1);
  });
});

describe('chains and networks', () => {
  it('stationary shares of a ring, where nothing is reversible', () => {
    const jumps = [0, 1, 2, 3].map((from) => ({ from, to: (from + 1) % 4, rate: from + 1 }));
    const shares = stationaryShares(4, jumps);
    const sum = 1 + 1 / 2 + 1 / 3 + 1 / 4;
    shares.forEach((share, n) => {
      expect(share).toBeCloseTo(1 / (n + 1) / sum, 12);
    });
  });

  it('machine repairman M/M/c//N: the throughput of its birth-death process', () => {
    const [users, think, service, servers] = [30, 0.2, 0.02, 2];
    const weights = [1];
    for (let n = 1; n <= users; n++) {
      const up = (users - n + 1) / think;
      weights.push(((weights[n - 1] ?? 0) * up) / (Math.min(n, servers) / service));
    }
    const sum = weights.reduce((total, one) => total + one, 0);
    const rate =
      weights.reduce((total, p, n) => total + p * Math.min(n, servers), 0) / sum / service;
    const station = { demand: service, servers };
    expect(closedThroughput(users, think, [station])).toBeCloseTo(rate, 9);
  });

  it('stays a number for thousands of users', () => {
    const rate = closedThroughput(2_000, 1, [{ demand: 0.001, servers: 1 }]);
    expect(rate).toBeGreaterThan(990);
    expect(rate).toBeLessThan(1_000.001);
  });

  it('a pool that nothing closes but a cap of 1 has what is busy open', () => {
    const pool = { rate: 40, busy: 0.05, sources: NONE, connectionsMax: NONE };
    expect(meanOpen({ ...pool, cap: 1 })).toBeCloseTo(2, 9);
    // Both ways of solving agree where what is busy settles between two changes.
    const [chain, levels] = [15, 17].map((busy) =>
      meanOpen({ rate: busy / 0.01, busy: 0.01, cap: 1e5, sources: NONE, connectionsMax: NONE }),
    );
    expect((levels ?? 0) - (chain ?? 0)).toBeGreaterThan(2);
    expect((levels ?? 0) - (chain ?? 0)).toBeLessThan(5);
  });
});

describe('counts', () => {
  it('binomial tails: 20 coins, and the birthday of one place', () => {
    expect(binomialTail(20, 0.5, 10)).toBeCloseTo(0.41190147399902344, 12);
    expect(binomialTail(100, 1 / 66, 0)).toBeCloseTo(1 - (65 / 66) ** 100, 12);
    expect(binomialTail(15, 1 / 66, 15)).toBe(0);
  });

  it('users that ask within a while: exponential, and constant thinking in even steps', () => {
    expect(askedWithin({ kind: 'exponential', mean: 2e6 }, 3)).toBeCloseTo(1 - Math.exp(-1.5), 12);
    expect(askedWithin({ kind: 'constant', value: 2e6 }, 0.5)).toBeCloseTo(0.25, 12);
  });

  it("Student's bound of five replications", () => {
    const { mean, bound } = replicated([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(bound).toBeCloseTo(8.61 * Math.sqrt(2.5 / 5), 9);
    expect(replicated([1]).bound).toBeNull();
  });
});
