import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/topology.ts';
import { LONGEST, meanOf, sampler } from './distribution.ts';
import { exp, inverseNormal, ln } from './elementary.ts';
import { randomStream } from './stream.ts';

/** Made by this code once; a change here changes every run of every seed. */
const GOLDEN = [
  [11_149, 16_170, 7_489, 3_598, 1_602],
  [68_766, 34_528, 45_872, 17_248, 43_811],
  [13_700, 6_182, 8_136, 3_537, 7_756],
];

const N = 20_000;
/** Kolmogorov-Smirnov: beyond this sqrt(n) x distance comes once in a million tests. */
const KS_MAX = 2.7;

function draw(distribution: Distribution, count: number, seed = 1): number[] {
  const next = sampler(distribution, randomStream(seed, 'sample'));
  return Array.from({ length: count }, next);
}

/** Largest distance between the samples and a continuous distribution function, x sqrt(n). */
function ksDistance(samples: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...samples].sort((x, y) => x - y);
  let largest = 0;
  sorted.forEach((value, index) => {
    // Rounding to whole µs moves a value by half of one at most; both ends are allowed for.
    const above = index / sorted.length - cdf(value + 0.5);
    const below = cdf(value - 0.5) - (index + 1) / sorted.length;
    largest = Math.max(largest, above, below);
  });
  return largest * Math.sqrt(sorted.length);
}

/** The normal distribution function, by inverting the inverse: bisection needs no formula. */
function normalCdf(z: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (inverseNormal(middle) < z) low = middle;
    else high = middle;
  }
  return low;
}

const LOGNORMAL = { kind: 'lognormal', median: 10_000, p99: 80_000 } as const;
const SIGMA = ln(8) / 2.3263478740408408;

const cases: readonly { of: Distribution; cdf: (x: number) => number }[] = [
  { of: { kind: 'exponential', mean: 25_000 }, cdf: (x) => 1 - exp(-Math.max(x, 0) / 25_000) },
  {
    of: { kind: 'uniform', min: 5_000, max: 105_000 },
    cdf: (x) => Math.min(Math.max((x - 5_000) / 100_000, 0), 1),
  },
  { of: LOGNORMAL, cdf: (x) => (x <= 0 ? 0 : normalCdf((ln(x) - ln(10_000)) / SIGMA)) },
];

describe.each(cases)('sampler of $of.kind', ({ of, cdf }) => {
  it('has the distribution that it is said to have (Kolmogorov-Smirnov)', () => {
    for (const seed of [1, 2, 3]) expect(ksDistance(draw(of, N, seed), cdf)).toBeLessThan(KS_MAX);
  });

  it('would be found out if it were off by a twentieth', () => {
    const off = draw(of, N).map((value) => value * 1.05);
    expect(ksDistance(off, cdf)).toBeGreaterThan(KS_MAX);
  });

  it('has the mean that meanOf says, within five standard errors', () => {
    const samples = draw(of, N);
    const mean = samples.reduce((sum, value) => sum + value, 0) / N;
    const variance = samples.reduce((sum, value) => sum + (value - mean) ** 2, 0) / N;
    expect(Math.abs(mean - meanOf(of))).toBeLessThan(5 * Math.sqrt(variance / N));
  });
});

describe('sampler', () => {
  it('gives whole µs, never below 0, for any parameters', () => {
    const micros = fc.integer({ min: 0, max: 10_000_000_000 });
    const any: fc.Arbitrary<Distribution> = fc.oneof(
      micros.map((value) => ({ kind: 'constant' as const, value })),
      micros.map((mean) => ({ kind: 'exponential' as const, mean })),
      fc
        .tuple(micros, micros)
        .map(([a, b]) => ({ kind: 'uniform' as const, min: Math.min(a, b), max: Math.max(a, b) })),
      fc.tuple(micros, micros).map(([a, b]) => ({
        kind: 'lognormal' as const,
        median: Math.min(a, b),
        p99: Math.max(a, b),
      })),
    );
    fc.assert(
      fc.property(any, fc.nat(), (distribution, seed) => {
        for (const value of draw(distribution, 20, seed)) {
          expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
        }
      }),
    );
  });

  it('cuts the endless tail of a lognormal whose p99 is far off', () => {
    // A thousandth of these would be longer than an integer can tell.
    const samples = draw({ kind: 'lognormal', median: 0, p99: 1e12 }, 50_000);
    expect(samples.every((value) => Number.isInteger(value) && value <= LONGEST)).toBe(true);
    expect(samples.filter((value) => value === LONGEST).length).toBeGreaterThan(5);
  });

  it('and the mean count a lognormal of 0 as 1 µs', () => {
    const nothing = { kind: 'lognormal', median: 0, p99: 0 } as const;
    expect([...draw(nothing, 3), meanOf(nothing)]).toEqual([1, 1, 1, 1]);
  });

  it('puts the median and the 99th percentile of a lognormal where they were asked for', () => {
    const samples = draw(LOGNORMAL, 100_000).sort((x, y) => x - y);
    expect(Math.abs((samples[50_000] ?? 0) / 10_000 - 1)).toBeLessThan(0.02);
    expect(Math.abs((samples[99_000] ?? 0) / 80_000 - 1)).toBeLessThan(0.04);
  });

  it('takes the same quantile for the same draw, so that only the parameter differs', () => {
    const one = draw({ kind: 'exponential', mean: 1_000_000 }, 100);
    const half = draw({ kind: 'exponential', mean: 500_000 }, 100);
    half.forEach((value, index) => {
      expect(Math.abs(value * 2 - (one[index] ?? 0))).toBeLessThanOrEqual(2);
    });
  });

  it('draws nothing for a constant', () => {
    const stream = randomStream(1, 'x');
    expect(sampler({ kind: 'constant', value: 7 }, stream)()).toBe(7);
    expect(stream.uint32()).toBe(randomStream(1, 'x').uint32());
  });

  it('is the same for ever: golden values', () => {
    const found = cases.map(({ of }) => draw(of, 5));
    expect(found).toEqual(GOLDEN);
  });
});
