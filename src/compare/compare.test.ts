/** Distances against their definitions, and runs against runs of their own kind. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionRow, ExchangeRow } from '../measure/rows.ts';
import type { Summary } from '../model/summary.ts';
import { compareRuns, ksDistance, relativeDistance, unknownMeasures } from './divergence.ts';
import { Observer } from './observations.ts';

const values = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 60 });
const sorted = (list: readonly number[]): Float64Array => Float64Array.from(list).sort();

describe('the Kolmogorov-Smirnov distance', () => {
  it('is the largest difference of the distribution functions', () => {
    const below = (list: readonly number[], x: number): number =>
      list.filter((one) => one <= x).length / list.length;
    fc.assert(
      fc.property(values, values, (x, y) => {
        const differences = [...x, ...y].map((at) => Math.abs(below(x, at) - below(y, at)));
        expect(ksDistance(sorted(x), sorted(y))).toBeCloseTo(Math.max(...differences), 12);
      }),
    );
  });

  it('is 1 where only one of the two has values, and 0 where none has', () => {
    expect(ksDistance(sorted([]), sorted([1]))).toBe(1);
    expect(ksDistance(sorted([]), sorted([]))).toBe(0);
  });
});

it('counts differ by a share of the larger one', () => {
  expect(relativeDistance(0, 0)).toBe(0);
  expect(relativeDistance(50, 100)).toBe(0.5);
  expect(relativeDistance(100, 50)).toBe(0.5);
  expect(relativeDistance(0, 3)).toBe(1);
});

const links = [
  { index: 0, name: 'a->b', downstream: 'a', upstream: 'b', purpose: 'traffic' },
  { index: 1, name: 'a->b#alive', downstream: 'a', upstream: 'b', purpose: 'alive' },
] as const;

function run(times: readonly number[]) {
  const observer = new Observer(links);
  for (const time of times) {
    const exchange = { startedAt: 0, endedAt: time * 1_000, status: 200 };
    observer.exchange({ ...exchange, link: 0 } as ExchangeRow);
    observer.exchange({ ...exchange, link: 1 } as ExchangeRow);
    observer.connection({
      ...{ link: 0, outcome: 'closed', openedAt: 0, closedAt: 5_000 },
      ...{ exchanges: 1, waitedMax: null },
    } as ConnectionRow);
  }
  return observer.observations();
}

const ramp = (from: number): number[] => Array.from({ length: 40 }, (_, index) => from + index);

describe('a comparison', () => {
  it('puts what lies outside first, and keeps inside what runs of A differ by themselves', () => {
    const runs = [run(ramp(0)), run(ramp(4)), run(ramp(8))];
    const far = compareRuns(runs, [run(ramp(30))]);
    expect(far[0]).toMatchObject({ measure: 'time to answer, a->b', inside: false });
    expect(far[0]?.bound).toBeCloseTo(0.2, 12);
    expect(far[0]?.divergence).toBeCloseTo(0.65, 12);
    const near = compareRuns(runs, [run(ramp(6))]);
    expect(near.find(({ measure }) => measure.startsWith('time'))?.inside).toBe(true);
    expect(near.every(({ measure }) => !measure.includes('alive'))).toBe(true);
  });

  it('judges nothing by a single run', () => {
    for (const one of compareRuns([run(ramp(0))], [run(ramp(30))])) {
      expect(one).toMatchObject({ bound: null, inside: null });
    }
  });

  it('shows what only one of them has', () => {
    const found = compareRuns([run(ramp(0))], [new Observer(links).observations()]);
    expect(found[0]).toMatchObject({ divergence: 1, b: null });
  });

  it('keeps the shape of more values than it keeps', () => {
    const many = Array.from({ length: 300_000 }, (_, index) => index % 1_000);
    const one = run(many).distributions.get('time to answer, a->b') ?? sorted([]);
    expect(one.length).toBeLessThanOrEqual(65_536);
    expect(ksDistance(one, sorted(many))).toBeLessThan(0.02);
  });
});

describe('what a run cannot know', () => {
  const summary = (multiplication: number | null) =>
    ({
      clients: [],
      queues: [],
      links: [{ name: 'a->b', opened: 3, closedBy: {}, multiplication }],
    }) as unknown as Summary;
  const counted = (multiplication: number | null, times: readonly number[] | null) => {
    const observer = new Observer(links);
    observer.summary(summary(multiplication));
    for (const time of times ?? []) {
      observer.exchange({ link: 0, startedAt: 0, endedAt: time, status: 200 } as ExchangeRow);
    }
    if (times === null) observer.noRows();
    return observer.observations();
  };
  const names = (one: Parameters<typeof compareRuns>[0], two: Parameters<typeof compareRuns>[1]) =>
    compareRuns(one, two).map(({ measure }) => measure);

  it('is not compared as if it were 0, and named', () => {
    const [known, unknown] = [counted(2, null), counted(null, null)];
    expect(names([known], [known])).toContain('multiplication, a->b');
    for (const [one, two] of [
      [known, unknown],
      [unknown, known],
    ] as const) {
      expect(names([one], [two])).toEqual(['connections opened, a->b']);
      expect(unknownMeasures([one], [two])).toEqual(['multiplication, a->b']);
    }
  });

  it('is every distribution where only series were recorded', () => {
    const [rows, series] = [counted(2, ramp(0)), counted(2, null)];
    expect(names([rows], [rows])).toContain('time to answer, a->b');
    expect(names([rows], [series])).not.toContain('time to answer, a->b');
    expect(unknownMeasures([rows], [series])).toEqual(['time to answer, a->b']);
  });
});
