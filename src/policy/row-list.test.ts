import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

const OWNERS = 3;
const MEMBERS = 12;

function membersOf(list: RowList, owner: number): number[] {
  const all: number[] = [];
  for (let one = list.head(owner); one !== -1; one = list.after(one)) all.push(one);
  return all;
}

describe('RowList', () => {
  it('is an ordered set to each owner, as an array would be', () => {
    const step = fc.record({
      adds: fc.boolean(),
      owner: fc.nat(OWNERS - 1),
      member: fc.nat(MEMBERS - 1),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const list = new RowList(new Rows(8), 4, new Rows(8), 3);
        const plain: number[][] = Array.from({ length: OWNERS }, () => []);
        for (const { adds, owner: wanted, member } of steps) {
          const present = plain.findIndex((members) => members.includes(member));
          const owner = present === -1 ? wanted : present;
          const members = plain[owner] ?? [];
          if (!adds) {
            expect(list.remove(owner, member)).toBe(present !== -1);
            plain[owner] = members.filter((one) => one !== member);
          } else if (present !== -1) {
            expect(() => list.push(owner, member)).toThrow('in the list already');
          } else {
            list.push(owner, member);
            members.push(member);
          }
          expect(list.has(member)).toBe(adds);
          expect(plain.map((_, each) => membersOf(list, each))).toEqual(plain);
          expect(plain.map((_, each) => [list.size(each), list.tail(each)])).toEqual(
            plain.map((each) => [each.length, each.at(-1) ?? -1]),
          );
        }
      }),
    );
  });
});
