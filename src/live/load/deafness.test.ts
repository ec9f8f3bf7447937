import fc from 'fast-check';
import { expect, it } from 'vitest';
import { randomStream } from '../../random/stream.ts';
import { Deafness } from './deafness.ts';

it('chooses exactly the share, the same clients for the same seed', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(300), (share, count) => {
      const choose = () => new Deafness(randomStream(1, 'deaf')).begin(share, count);
      const chosen = choose();
      expect(chosen).toHaveLength(Math.round(share * count));
      expect(new Set(chosen).size).toBe(chosen.length);
      expect(choose()).toEqual(chosen);
    }),
  );
});

it('a client that two faults made deaf hears only after both', () => {
  const deafness = new Deafness(randomStream(1, 'deaf'));
  const all = deafness.begin(1, 4);
  const half = deafness.begin(0.5, 4);
  expect(half).not.toEqual([1, 2, 3, 4]);
  const hearing = deafness.end(all);
  expect([...hearing, ...half].sort()).toEqual([1, 2, 3, 4]);
  expect(half.every((client) => deafness.has(client))).toBe(true);
  expect(deafness.end(half)).toEqual(half);
  expect(all.some((client) => deafness.has(client))).toBe(false);
});
