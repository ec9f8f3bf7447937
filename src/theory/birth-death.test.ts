import { describe, expect, it } from 'vitest';
import { type BirthDeath, passagesUp, stateShares } from './birth-death.ts';

/** P(the state above `from` is not reached by t) and the mean of that time, step by step. */
function stepped({ births, deaths }: BirthDeath, from: number, t: number): [number, number] {
  const step = 2e-5;
  let now = births.slice(0, from + 1).map((_, n) => Number(n === from));
  let area = 0;
  const alive = (): number => now.reduce((sum, one) => sum + one, 0);
  for (let x = 0; x < t; x += step) {
    const next = [...now];
    now.forEach((share, n) => {
      const [up, down] = [(births[n] ?? 0) * step * share, (deaths[n] ?? 0) * step * share];
      next[n] = (next[n] ?? 0) - up - down;
      if (n < from) next[n + 1] = (next[n + 1] ?? 0) + up;
      if (n > 0) next[n - 1] = (next[n - 1] ?? 0) + down;
    });
    area += step * alive();
    now = next;
  }
  return [alive(), area];
}

describe('birth-death processes', () => {
  const process = { births: [2, 2, 2, 2, 0], deaths: [0, 1, 2, 3, 4] };

  it('has the shares of M/M/4/4', () => {
    const weights = [1, 2, 2, 4 / 3, 2 / 3];
    const sum = weights.reduce((total, one) => total + one, 0);
    stateShares(process).forEach((share, n) => {
      expect(share).toBeCloseTo((weights[n] ?? 0) / sum, 12);
    });
  });

  it('reaches the first state after an exponential time, and the others as stepping shows', () => {
    const t = 1.5;
    const passages = passagesUp(process, t);
    expect(passages).toHaveLength(4);
    expect(passages[0]?.later).toBeCloseTo(Math.exp(-2 * t), 7);
    expect(passages[0]?.meanUpTo).toBeCloseTo((1 - Math.exp(-2 * t)) / 2, 7);
    for (const from of [1, 2, 3]) {
      const [later, mean] = stepped(process, from, t);
      expect(passages[from]?.later).toBeCloseTo(later, 4);
      expect(passages[from]?.meanUpTo).toBeCloseTo(mean, 4);
    }
  });

  it('does not take rounding for a chance', () => {
    const births = [500, 500, 500, 0];
    const deaths = [0, 90, 180, 270];
    expect(passagesUp({ births, deaths }, 60).map(({ later }) => later)).toEqual([0, 0, 0]);
  });
});
