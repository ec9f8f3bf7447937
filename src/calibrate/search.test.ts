import { expect, it } from 'vitest';
import { randomStream } from '../random/stream.ts';
import { latinHypercube, type Point, search } from './search.ts';

const keyOf = (point: Point): string => point.map((one) => one.toFixed(4)).join(' ');

async function minimise(
  scoreOf: (point: Point) => number,
  options: { readonly seed: number; readonly most: number },
): Promise<{ readonly points: Point[]; readonly best: Point }> {
  const points: Point[] = [];
  await search({
    dimensions: 2,
    start: [],
    first: 20,
    keyOf,
    ...options,
    scores: async (batch) => {
      points.push(...batch);
      return batch.map(scoreOf);
    },
  });
  const [first, ...others] = points;
  if (first === undefined) throw new Error('no point was tried');
  return { points, best: others.reduce((a, b) => (scoreOf(b) < scoreOf(a) ? b : a), first) };
}

const bowl = ([x = 0, y = 0]: Point): number => (x - 0.3) ** 2 + (y - 0.8) ** 2;

it('gives every point of a hypercube a slice of its own, in every dimension', () => {
  const points = latinHypercube(17, 3, randomStream(1, 'test'));
  for (const dimension of [0, 1, 2]) {
    const slices = points.map((point) => Math.floor((point[dimension] ?? 0) * 17));
    expect(slices.sort((a, b) => a - b)).toEqual(Array.from({ length: 17 }, (_, slice) => slice));
  }
});

it('comes close to a minimum, much closer than its first points', async () => {
  const { points, best } = await minimise(bowl, { seed: 1, most: 200 });
  const first = Math.min(...points.slice(0, 20).map(bowl));
  expect(bowl(best)).toBeLessThan(1e-3);
  expect(bowl(best)).toBeLessThan(first / 10);
});

it('stays within its ranges and its budget', async () => {
  const { points } = await minimise(([x = 0]) => -x, { seed: 2, most: 77 });
  expect(points.length).toBe(77);
  for (const coordinate of points.flat()) {
    expect(coordinate).toBeGreaterThanOrEqual(0);
    expect(coordinate).toBeLessThanOrEqual(1);
  }
});

it('tries the same points for the same seed, and others for another', async () => {
  const one = await minimise(bowl, { seed: 5, most: 60 });
  const same = await minimise(bowl, { seed: 5, most: 60 });
  const other = await minimise(bowl, { seed: 6, most: 60 });
  expect(same.points).toEqual(one.points);
  expect(other.points).not.toEqual(one.points);
});

it('spreads along what the scores cannot tell apart', async () => {
  const ridge = ([x = 0, y = 0]: Point): number => Math.max(0, Math.abs(x - y) - 0.05);
  const { points } = await minimise(ridge, { seed: 3, most: 300 });
  const places = points.filter((point) => ridge(point) === 0).map(([x = 0]) => x);
  expect(Math.max(...places) - Math.min(...places)).toBeGreaterThan(0.6);
});

it('ends when there is nothing new to try, and when it is interrupted', async () => {
  let batches = 0;
  const scores = async (points: readonly Point[]): Promise<readonly number[]> => {
    batches += 1;
    return points.map(() => 1);
  };
  const keyOfAll = (): string => 'always the same';
  const keys = { keyOf: keyOfAll, dimensions: 1, seed: 1, start: [], first: 8, most: 1_000 };
  await search({ ...keys, scores });
  expect(batches).toBeLessThan(20);
  let asked = 0;
  const interrupted = async (): Promise<null> => {
    asked += 1;
    return null;
  };
  await search({ ...keys, keyOf, scores: interrupted });
  expect(asked).toBe(1);
});

it('begins where it is told to', async () => {
  const points: Point[] = [];
  const start = [[0.3, 0.8]];
  const scores = async (batch: readonly Point[]): Promise<number[]> => {
    points.push(...batch);
    return batch.map(bowl);
  };
  await search({ dimensions: 2, seed: 1, start, first: 8, most: 8, keyOf, scores });
  expect(points[0]).toEqual([0.3, 0.8]);
  expect(points).toHaveLength(8);
});
