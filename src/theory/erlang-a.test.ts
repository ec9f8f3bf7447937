import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/topology.ts';
import { erlangC } from './erlang.ts';
import { erlangA } from './erlang-a.ts';
import { meanUpTo, moments, transform } from './times.ts';

describe('Erlang A', () => {
  it('is Erlang C for those who hardly ever leave', () => {
    const found = erlangA({ servers: 3, rate: 24, service: 0.1, leave: 1e-6 });
    expect(found?.waits).toBeCloseTo(erlangC(3, 2.4), 5);
    expect(found?.wait).toBeCloseTo(erlangC(3, 2.4) / 6, 5);
    expect(found?.left).toBeLessThan(1e-6);
  });

  it('is M/M/infinity where one leaves as soon as one would be served', () => {
    // By hand: Poisson of mean 2, of which those beyond the first wait.
    const found = erlangA({ servers: 1, rate: 2, service: 1, leave: 1 });
    const waiting = 2 - 1 + Math.exp(-2);
    expect(found?.left).toBeCloseTo(waiting / 2, 10);
    expect(found?.waits).toBeCloseTo(1 - Math.exp(-2), 10);
  });

  it('splits the wait of all into those who are served and those who leave', () => {
    const leave = 3;
    const found = erlangA({ servers: 2, rate: 30, service: 0.1, leave });
    // Overloaded by half: a third leaves, at least.
    expect(found?.left).toBeGreaterThan(1 / 3);
    // Of all waits the served ones are a part, and the other part is that of the rest.
    const { left = 0, wait = 0, waitOfServed = 0 } = found ?? {};
    const ofLeft = (wait - (1 - left) * waitOfServed) / left;
    expect(ofLeft).toBeGreaterThan(0);
    expect(left).toBeCloseTo(leave * wait, 12);
  });

  it('gives up where too many states would count', () => {
    expect(erlangA({ servers: 1, rate: 1e6, service: 1, leave: 1e-3 })).toBeNull();
  });
});

describe('the transform of a time', () => {
  it.each<Distribution>([
    { kind: 'constant', value: 20_000 },
    { kind: 'exponential', mean: 20_000 },
    { kind: 'uniform', min: 5_000, max: 35_000 },
    { kind: 'lognormal', median: 15_000, p99: 90_000 },
  ])('is 1 - s x integral of exp(-s t) P(time > t): %o', (time) => {
    expect(transform(time, 0)).toBeCloseTo(1, 12);
    const s = 60;
    // By parts: s x integral of exp(-s t) P(> t) = s^2 x integral of exp(-s t) E[min(time, t)].
    let area = 0;
    const step = 1e-5;
    for (let t = step / 2; t < 0.6; t += step) area += Math.exp(-s * t) * meanUpTo(time, t) * step;
    expect(transform(time, s)).toBeCloseTo(1 - s * s * area, 5);
    const slope = (1 - transform(time, 1e-6)) / 1e-6;
    expect(slope).toBeCloseTo(moments(time).mean, 6);
  });
});
