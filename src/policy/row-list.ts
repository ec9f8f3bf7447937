/**
 * Doubly linked lists of small integers, one for each of many owners: the links lie in two words
 * of the members' rows, the ends and the size in three words of the owner's row.
 *
 *   members   │ next │ previous │          0 = in no list, 1 = the end, else the neighbour + 2
 *   owners    │ head │ tail │ size │       0 = nobody, else the member + 2
 *
 * So rows that were never set are members of nothing, and owners of empty lists. A member is in
 * one list at a time; lists with the same links are told apart by whoever keeps them, who names
 * the owner rightly at each removal. No allocation, constant time, also in the middle.
 */
import type { Rows } from './rows.ts';

const ABSENT = 0;
const NOBODY = 0;
const END = 1;
const FIRST = 2;

const TAIL = 1;
const SIZE = 2;

export class RowList {
  readonly #members: Rows;
  readonly #links: number = 0;
  readonly #owners: Rows;
  readonly #ends: number = 0;

  /** `links`: the first of two columns of `members`; `ends`: the first of three of `owners`. */
  constructor(members: Rows, links: number, owners: Rows, ends: number) {
    this.#members = members;
    this.#links = links;
    this.#owners = owners;
    this.#ends = ends;
  }

  /** The oldest member, or -1. */
  head(owner: number): number {
    const { ints, shift } = this.#owners;
    return neighbour(ints[(owner << shift) | this.#ends] ?? 0);
  }

  /** The newest member, or -1. */
  tail(owner: number): number {
    const { ints, shift } = this.#owners;
    return neighbour(ints[((owner << shift) | this.#ends) + TAIL] ?? 0);
  }

  size(owner: number): number {
    const { ints, shift } = this.#owners;
    return ints[((owner << shift) | this.#ends) + SIZE] ?? 0;
  }

  /** In a list of these links, whosever it is. */
  has(member: number): boolean {
    const { ints, shift } = this.#members;
    return (ints[(member << shift) | this.#links] ?? 0) !== ABSENT;
  }

  /** The member after this one, or -1. */
  after(member: number): number {
    const { ints, shift } = this.#members;
    return neighbour(ints[(member << shift) | this.#links] ?? 0);
  }

  /** Both rows are there. Throws for a member already: a caller that adds twice has lost count. */
  push(owner: number, member: number): void {
    const { ints, shift } = this.#members;
    const links = this.#links;
    const row = (member << shift) | links;
    if (ints[row] !== ABSENT) throw new Error(`${member} is in the list already`);
    const { ints: ends, shift: width } = this.#owners;
    const head = (owner << width) | this.#ends;
    const entry = (member + FIRST) | 0;
    const tail = ends[head + TAIL] ?? 0;
    ints[row] = END;
    if (tail === NOBODY) {
      ends[head] = entry;
      ints[row + 1] = END;
    } else {
      ints[row + 1] = tail;
      ints[((tail - FIRST) << shift) | links] = entry;
    }
    ends[head + TAIL] = entry;
    ends[head + SIZE] = (ends[head + SIZE] ?? 0) + 1;
  }

  /** False when it was not there. */
  remove(owner: number, member: number): boolean {
    const { ints, shift } = this.#members;
    const links = this.#links;
    const row = (member << shift) | links;
    const after = ints[row] ?? 0;
    if (after === ABSENT) return false;
    const { ints: ends, shift: width } = this.#owners;
    const head = (owner << width) | this.#ends;
    const before = ints[row + 1] ?? 0;
    if (before === END) ends[head] = after === END ? NOBODY : after;
    else ints[((before - FIRST) << shift) | links] = after;
    if (after === END) ends[head + TAIL] = before === END ? NOBODY : before;
    else ints[(((after - FIRST) << shift) | links) + 1] = before;
    ints[row] = ABSENT;
    ends[head + SIZE] = (ends[head + SIZE] ?? 0) - 1;
    return true;
  }
}

function neighbour(entry: number): number {
  return entry >= FIRST ? (entry - FIRST) | 0 : -1;
}
