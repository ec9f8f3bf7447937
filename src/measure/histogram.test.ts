import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
}

describe('histogram', () => {
  test('is null when empty', () => {
    const histogram = new Histogram();
    expect(histogram.quantile(0.5)).toBeNull();
    expect(histogram.mean).toBeNull();
  });

  test('every quantile is within 0.4 % of the exactly sorted one', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 2 ** 39 }));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 300 }),
        fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999, 1),
        (values, share) => {
          const histogram = new Histogram();
          for (const one of values) histogram.add(one);
          const truth = exact(values, share);
          const found = histogram.quantile(share) as number;
          expect(Math.abs(found - truth)).toBeLessThanOrEqual(truth / 256 + 1e-9);
        },
      ),
    );
  });

  test('values below 256 and the ends are exact', () => {
    const histogram = new Histogram();
    for (const one of [3, 255, 1_000_003]) histogram.add(one);
    expect(histogram.quantile(0)).toBe(3);
    expect(histogram.quantile(0.5)).toBe(255);
    expect(histogram.mean).toBe((3 + 255 + 1_000_003) / 3);
  });

  test('merged histograms equal one that saw everything; cleared ones are as new', () => {
    const values = fc.array(fc.integer({ min: 0, max: 10 ** 9 }), { minLength: 1 });
    fc.assert(
      fc.property(values, values, (first, second) => {
        const parts = [first, second].map((list) => {
          const histogram = new Histogram();
          for (const one of list) histogram.add(one);
          return histogram;
        }) as [Histogram, Histogram];
        const whole = new Histogram();
        for (const one of [...first, ...second]) whole.add(one);
        parts[0].merge(parts[1]);
        for (const share of [0, 0.5, 0.99, 1]) {
          expect(parts[0].quantile(share)).toBe(whole.quantile(share));
        }
        parts[0].clear();
        expect(parts[0].quantile(0.5)).toBeNull();
      }),
    );
  });
});
