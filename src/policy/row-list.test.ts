import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

const OWNERS = 3;
const MEMBERS = 40;

function tables() {
  const members = new Rows(4);
  const owners = new Rows(8);
  members.room(MEMBERS);
  owners.room(OWNERS);
  return { members, owners };
}

function membersOf(list: RowList, owner: number): number[] {
  const all: number[] = [];
  for (let one = list.head(owner); one !== -1; one = list.after(one)) all.push(one);
  return all;
}

describe('RowList', () => {
  it('is an ordered set for each owner, as arrays would be', () => {
    const step = fc.record({
      adds: fc.boolean(),
      owner: fc.nat(OWNERS - 1),
      member: fc.nat(MEMBERS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { members, owners } = tables();
        const list = new RowList(members, 1, owners, 2);
        const plain: number[][] = Array.from({ length: OWNERS }, () => []);
        for (const { adds, owner, member } of steps) {
          const holder = plain.findIndex((all) => all.includes(member));
          if (adds && holder === -1) {
            list.push(owner, member);
            plain[owner]!.push(member);
          } else if (adds) {
            expect(() => list.push(owner, member)).toThrow('in the list already');
          } else {
            const of = holder === -1 ? owner : holder;
            expect(list.remove(of, member)).toBe(holder !== -1);
            plain[of] = plain[of]!.filter((one) => one !== member);
          }
          plain.forEach((all, each) => {
            expect(membersOf(list, each)).toEqual(all);
            expect(list.size(each)).toBe(all.length);
            expect(list.tail(each)).toBe(all.at(-1) ?? -1);
          });
        }
      }),
    );
  });

  it('leaves the columns of others alone, and can lie beside a list of the same members', () => {
    const { members, owners } = tables();
    members.ints.fill(0);
    const one = new RowList(members, 0, owners, 0);
    const other = new RowList(members, 2, owners, 3);
    owners.ints[6] = 77;
    for (const member of [5, 3, 9]) one.push(0, member);
    for (const member of [9, 5]) other.push(0, member);
    one.remove(0, 3);
    expect([membersOf(one, 0), membersOf(other, 0)]).toEqual([
      [5, 9],
      [9, 5],
    ]);
    expect(owners.ints[6]).toBe(77);
  });

  it('has nobody whose row was never there', () => {
    const { members, owners } = tables();
    expect(new RowList(members, 0, owners, 0).remove(0, 1_000_000)).toBe(false);
  });
});
