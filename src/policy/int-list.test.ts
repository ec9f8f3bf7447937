import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INDEX_MAX, IntColumn } from './int-column.ts';
import { IntList } from './int-list.ts';
import { WakeUp } from './wake-up.ts';

function members(list: IntList): number[] {
  const all: number[] = [];
  for (let one = list.head; one !== -1; one = list.after(one)) all.push(one);
  return all;
}

describe('IntList', () => {
  it('is an ordered set, as an array would be', () => {
    const script = fc.array(fc.tuple(fc.boolean(), fc.nat(70)), { maxLength: 200 });
    fc.assert(
      fc.property(script, (steps) => {
        const list = new IntList();
        let plain: number[] = [];
        for (const [adds, member] of steps) {
          const was = plain.includes(member);
          if (!adds) {
            expect(list.remove(member)).toBe(was);
            plain = plain.filter((one) => one !== member);
          } else if (was) expect(() => list.push(member)).toThrow('in the list already');
          else {
            list.push(member);
            plain.push(member);
          }
          expect(list.has(member)).toBe(plain.includes(member));
          expect([list.size, list.head, list.tail]).toEqual([
            plain.length,
            plain[0] ?? -1,
            plain.at(-1) ?? -1,
          ]);
        }
        expect(members(list)).toEqual(plain);
      }),
    );
  });

  it('refuses what is no reusable number', () => {
    for (const member of [-1, 1.5, Number.NaN, INDEX_MAX + 1, Infinity]) {
      expect(() => new IntList().push(member)).toThrow();
    }
    expect(new IntList().remove(-1)).toBe(false);
  });
});

describe('IntColumn', () => {
  it('keeps what was set, also of doubles, and is 0 elsewhere', () => {
    const column = new IntColumn();
    column.set(1_000, 2 ** 52 + 1);
    column.add(1_000, -1);
    column.add(3, 5);
    expect([column.get(1_000), column.get(3), column.get(4), column.get(1e6)]).toEqual([
      2 ** 52,
      5,
      0,
      0,
    ]);
  });

  it('refuses what is no index', () => {
    for (const index of [-1, Number.NaN, INDEX_MAX + 1]) {
      expect(() => new IntColumn().set(index, 1)).toThrow(RangeError);
    }
  });
});

describe('WakeUp', () => {
  it('asks once for each time, and anew after it was used up', () => {
    const asked: number[] = [];
    const wakeUp = new WakeUp({ wakeAt: (at) => asked.push(at) });
    wakeUp.ask(Infinity);
    wakeUp.ask(5);
    wakeUp.ask(5);
    wakeUp.ask(Infinity);
    wakeUp.ask(7);
    wakeUp.fired();
    wakeUp.ask(Infinity);
    wakeUp.ask(7);
    expect(asked).toEqual([5, Infinity, 7, 7]);
  });
});
