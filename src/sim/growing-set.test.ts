/** Against a `Set`: sizes after each number, through lists, tables and their growth. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GrowingSet } from './growing-set.ts';

const numbers = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 2_147_483_647 }), { maxLength: 400 }),
  // Few different ones, numbers in a row, and numbers that share their last bits.
  fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }),
  fc.nat(3_000).map((count) => Array.from({ length: count }, (_, at) => at + 1)),
  fc.nat(200).map((count) => Array.from({ length: count }, (_, at) => (at + 1) * 65_536)),
);

it('knows how many different numbers it was given, and none when it was emptied', () => {
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 3 }), (rounds) => {
      const set = new GrowingSet();
      for (const round of rounds) {
        const plain = new Set<number>();
        for (const value of round) {
          set.add(value);
          plain.add(value);
          if (set.size !== plain.size) expect(set.size).toBe(plain.size);
        }
        for (const value of round) set.add(value);
        expect(set.size).toBe(plain.size);
        set.clear();
        expect(set.size).toBe(0);
      }
    }),
  );
});
