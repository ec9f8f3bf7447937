import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Shape } from '../model/topology.ts';
import { ArrivalProcess, arrivalProcess, shapeAt, shapeIntegral } from './arrivals.ts';
import { exp } from './elementary.ts';
import { randomStream } from './stream.ts';

const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

const noon: Shape = {
  shape: 'diurnal',
  peak: 4_000,
  trough: 1_300,
  peakAt: DAY / 2,
  period: DAY,
};
const fast: Shape = { shape: 'diurnal', peak: 50, trough: 0, peakAt: 0, period: 3 * SECOND };
const steps: Shape = {
  shape: 'steps',
  steps: [
    { at: 0, value: 100 },
    { at: 2 * SECOND, value: 0 },
    { at: 3 * SECOND, value: 7 },
    { at: 5 * SECOND, value: 1_000 },
  ],
};

function process(rate: Shape, arrivals: 'constant' | 'poisson', seed = 1): ArrivalProcess {
  return arrivalProcess({ rate, arrivals }, randomStream(seed, 'arrivals'), 0);
}

function until(end: number, source: ArrivalProcess): number[] {
  const all: number[] = [];
  for (let at = source.next(); at <= end; at = source.next()) all.push(at);
  return all;
}

/** The integral as a sum of many small pieces: slow, and surely right to a ten-thousandth. */
function summed(shape: Shape, from: number, to: number, startTimeOfDay = 0): number {
  const pieces = 20_000;
  const width = (to - from) / pieces;
  let sum = 0;
  for (let i = 0; i < pieces; i++) {
    sum += shapeAt(shape, from + (i + 0.5) * width, startTimeOfDay) * width;
  }
  return sum / SECOND;
}

const shapes: fc.Arbitrary<Shape> = fc.oneof(
  fc.integer({ min: 1, max: 5_000 }).map((value): Shape => ({ shape: 'constant', value })),
  fc
    .record({
      low: fc.integer({ min: 0, max: 500 }),
      more: fc.integer({ min: 1, max: 2_000 }),
      peakAt: fc.integer({ min: 0, max: 20 * SECOND }),
      period: fc.integer({ min: 200_000, max: 20 * SECOND }),
    })
    .map(
      ({ low, more, peakAt, period }): Shape => ({
        shape: 'diurnal',
        trough: low,
        peak: low + more,
        peakAt,
        period,
      }),
    ),
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 3 * SECOND }), fc.integer({ min: 0, max: 1_000 })), {
      maxLength: 5,
    })
    .map((pairs): Shape => {
      let at = 0;
      const later = pairs.map(([after, value]) => {
        at += after;
        return { at, value };
      });
      return { shape: 'steps', steps: [{ at: 0, value: 50 }, ...later] };
    }),
);

describe('a shape', () => {
  it('is highest at its peak, lowest half a period away, whatever the time of the start', () => {
    expect(shapeAt(noon, 0, DAY / 2)).toBe(4_000);
    expect(shapeAt(noon, DAY / 2, 0)).toBe(4_000);
    expect(shapeAt(noon, 0, 0)).toBeCloseTo(1_300, 9);
    expect(shapeAt(noon, DAY / 4, 0)).toBeCloseTo(2_650, 9);
  });

  it('steps at the step, not after it', () => {
    expect([0, 2 * SECOND - 1, 2 * SECOND, 5 * SECOND].map((at) => shapeAt(steps, at, 0))).toEqual([
      100, 100, 0, 1_000,
    ]);
  });

  it('has the integral that its pieces add up to', () => {
    const from = fc.integer({ min: 0, max: 10 * SECOND });
    fc.assert(
      fc.property(shapes, from, from, from, (shape, start, lasts, timeOfDay) => {
        const exact = shapeIntegral(shape, start, lasts, timeOfDay);
        const right = summed(shape, start, start + lasts, timeOfDay);
        expect(Math.abs(exact - right)).toBeLessThan(1 + right / 1_000);
      }),
      { numRuns: 60 },
    );
  });
});

describe('constant arrivals', () => {
  it('come each time the integral of the rate has grown by exactly 1', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 0, max: 20 * SECOND }), (rate, timeOfDay) => {
        const source = new ArrivalProcess(
          { rate, arrivals: 'constant' },
          randomStream(1, 'x'),
          timeOfDay,
        );
        let before = 0;
        for (let i = 1; i <= 200; i++) {
          const at = source.next();
          if (at === Infinity) return;
          expect(shapeIntegral(rate, before, at - before, timeOfDay)).toBeCloseTo(1, 6);
          before = at;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('do not drift: 120,000 of the 229 million of a day are where the integral says', () => {
    // From noon on, about 30 s at 4,000 requests/s.
    const source = arrivalProcess(
      { rate: noon, arrivals: 'constant' },
      randomStream(1, 'x'),
      DAY / 2,
    );
    let last = 0;
    for (let i = 0; i < 120_000; i++) last = source.next();
    expect(shapeIntegral(noon, 0, last, DAY / 2)).toBeCloseTo(120_000, 3);
    expect(shapeIntegral(noon, 0, DAY, 0) / 229e6).toBeCloseTo(1, 2);
  });

  it('skip the time without a rate, and end where there is none any more', () => {
    const source = process(steps, 'constant');
    const all = until(5 * SECOND, source);
    expect(all.filter((at) => at <= 2 * SECOND)).toHaveLength(200);
    // A rounding may put the 200th at the very end or a hair beyond, not more.
    expect(all.filter((at) => at > 2 * SECOND + 1 && at < 3 * SECOND)).toEqual([]);
    expect(all).toHaveLength(214);
    const ending: Shape = {
      shape: 'steps',
      steps: [
        { at: 0, value: 10 },
        { at: SECOND, value: 0 },
      ],
    };
    const ended = process(ending, 'constant');
    expect(until(1e15, ended).length).toBeGreaterThanOrEqual(9);
    expect([ended.next(), ended.next()]).toEqual([Infinity, Infinity]);
    expect(process({ shape: 'constant', value: 0 }, 'poisson').next()).toBe(Infinity);
    const flat: Shape = { shape: 'diurnal', peak: 0, trough: 0, peakAt: 0, period: DAY };
    expect(process(flat, 'poisson').next()).toBe(Infinity);
  });
});

describe('Poisson arrivals', () => {
  it('are exponentially spaced in the time of the integral (Kolmogorov-Smirnov)', () => {
    for (const rate of [noon, fast, { shape: 'constant', value: 250 } as const]) {
      const source = process(rate, 'poisson');
      const grown: number[] = [];
      let before = 0;
      for (let i = 0; i < 5_000; i++) {
        const at = source.next();
        grown.push(shapeIntegral(rate, before, at - before, 0));
        before = at;
      }
      grown.sort((x, y) => x - y);
      let distance = 0;
      grown.forEach((value, index) => {
        const p = 1 - exp(-value);
        distance = Math.max(distance, p - index / 5_000, (index + 1) / 5_000 - p);
      });
      expect(distance * Math.sqrt(5_000)).toBeLessThan(2.7);
    }
  });

  it('fall into windows as often as the rate says, also where it is nearly nothing', () => {
    const times = until(300 * SECOND, process(fast, 'poisson', 2));
    const counts = new Array<number>(6).fill(0);
    for (const at of times) {
      const part = Math.floor((at % (3 * SECOND)) / (SECOND / 2));
      counts[part] = (counts[part] ?? 0) + 1;
    }
    counts.forEach((count, part) => {
      const expected = 100 * shapeIntegral(fast, (part * SECOND) / 2, SECOND / 2, 0);
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
    });
  });

  it('are the same for the same seed, in order of time', () => {
    const one = until(10 * SECOND, process(noon, 'poisson', 5));
    expect(until(10 * SECOND, process(noon, 'poisson', 5))).toEqual(one);
    expect(until(10 * SECOND, process(noon, 'poisson', 6))).not.toEqual(one);
    expect([...one].sort((x, y) => x - y)).toEqual(one);
  });
});

describe('golden values', () => {
  it('are the same for ever', () => {
    const source = process(noon, 'poisson');
    const found = Array.from({ length: 5 }, () => Math.floor(source.next()));
    expect(found).toEqual([358, 541, 1_065, 3_956, 8_109]);
  });
});

describe('a rate that is replaced', () => {
  it('by the same one changes no arrival, however often', () => {
    for (const arrivals of ['constant', 'poisson'] as const) {
      const plain = until(3 * SECOND, process(fast, arrivals));
      const source = process(fast, arrivals);
      const seen: number[] = [];
      let next = source.next();
      for (let at = 10_000; at <= 3 * SECOND; at += 10_000) {
        for (; Math.floor(next) <= at; next = source.next()) seen.push(next);
        source.replaceRate(at, fast);
        next = source.next();
      }
      expect(seen.length).toBe(plain.length);
      seen.forEach((at, index) => {
        expect(Math.abs(at - (plain[index] ?? 0))).toBeLessThan(0.01);
      });
    }
  });

  it('counts the way already made: half an interval at 1/s, the rest at 10/s', () => {
    const source = process({ shape: 'constant', value: 1 }, 'constant');
    expect(source.next()).toBe(SECOND);
    source.replaceRate(SECOND / 2, { shape: 'constant', value: 10 });
    expect(source.next()).toBe(SECOND / 2 + 50_000);
    expect(source.next()).toBe(SECOND / 2 + 150_000);
  });

  it('several times before the next arrival is asked for still counts all the way made', () => {
    const millisecond = fc.integer({ min: 0, max: 999 });
    fc.assert(
      fc.property(fc.array(millisecond, { maxLength: 8 }), fc.boolean(), (times, asked) => {
        const rate: Shape = { shape: 'constant', value: 1 };
        const source = process(rate, 'constant');
        if (asked) source.next();
        for (const time of times.sort((x, y) => x - y)) source.replaceRate(time * 1_000, rate);
        const asksAgain = times.length > 0 || !asked;
        expect(source.next()).toBeCloseTo(asksAgain ? SECOND : 2 * SECOND, 3);
        expect(source.next()).toBeCloseTo(asksAgain ? 2 * SECOND : 3 * SECOND, 3);
      }),
    );
  });

  it('in the very µs of an arrival does not give that arrival again', () => {
    for (const arrivals of ['constant', 'poisson'] as const) {
      const rate: Shape = { shape: 'constant', value: 3 };
      const plain = process(rate, arrivals);
      const source = process(rate, arrivals);
      for (let i = 0; i < 100; i++) {
        const due = source.next();
        expect(Math.abs(due - plain.next())).toBeLessThan(0.01);
        source.replaceRate(Math.floor(due), rate);
      }
    }
  });

  it('wakes up from a standstill', () => {
    const source = process({ shape: 'constant', value: 0 }, 'constant');
    expect(source.next()).toBe(Infinity);
    source.replaceRate(7 * SECOND, { shape: 'constant', value: 2 });
    expect(source.next()).toBe(7.5 * SECOND);
  });
});
