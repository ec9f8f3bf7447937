/** Which exchanges are used again: those whose answer has come, and those nobody can reach. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as at from './exchanges.ts';
import { Exchanges } from './exchanges.ts';

it('uses one again whose answer has come, unless somebody may still hear of it', () => {
  const exchanges = new Exchanges();
  const answered = exchanges.take(at.Asker.client, 0, 0, at.ITEM);
  const held = exchanges.take(at.Asker.client, 0, 0, at.ITEM);
  exchanges.set(held, at.HELD);
  exchanges.give(answered);
  exchanges.give(held);
  expect(exchanges.take(at.Asker.client, 0, 0, at.POST)).toBe(answered);
  expect(exchanges.get(answered, at.FLAGS)).toBe(at.POST);
  expect(exchanges.take(at.Asker.client, 0, 0, at.POST)).not.toBe(held);
});

it('finds those that nobody can reach, and no others', () => {
  const parents = fc.array(fc.nat(), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(parents, fc.array(fc.nat()), fc.array(fc.nat()), (given, known, kept) => {
      const exchanges = new Exchanges();
      const all: number[] = [];
      for (const parent of given) {
        const of = all.length === 0 ? 0 : (all[parent % (all.length + 1)] ?? 0);
        all.push(exchanges.take(at.Asker.relay, 0, of, at.ITEM));
      }
      const pick = (places: number[]): number[] =>
        places.map((place) => all[place % all.length] ?? 0);
      const roots = pick(known);
      const held = pick(kept);
      for (const one of held) exchanges.set(one, at.HELD);
      exchanges.sweep((reach) => roots.forEach(reach));
      const live = new Set<number>();
      for (const root of [...roots, ...held]) {
        for (let one = root; one !== 0; one = exchanges.get(one, at.PARENT)) live.add(one);
      }
      const free = new Set<number>();
      for (let left = all.length; left > 0; left--) {
        const one = exchanges.take(at.Asker.nobody, 0, 0, 0);
        if (all.includes(one)) free.add(one);
      }
      expect(new Set(all.filter((one) => !free.has(one)))).toEqual(live);
    }),
  );
});
