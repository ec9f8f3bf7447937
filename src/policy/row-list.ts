/**
 * Doubly linked lists of small integers, one list for each of somebody's rows: neighbours lie in
 * two columns of the members' table, ends and size in three columns of the owners' table. So a
 * thousand lists are no objects at all, and adding and removing touch rows that are looked at
 * anyway. A member may be in one of these lists at a time.
 *
 *   owner    │ head │ tail │ size │        member + FIRST; 0 = empty
 *   member   │ next │ previous │           neighbour + FIRST; ABSENT = in no list, END = the last
 */
import type { Rows } from './rows.ts';

const NONE = -1;
const ABSENT = 0;
const END = 1;
const FIRST = 2;

/** Columns of an owner, from the given one on. */
const TAIL = 1;
const SIZE = 2;
/** Column of a member, beside the next one. */
const PREVIOUS = 1;

export class RowList {
  readonly #members: Rows;
  /** Of the next member; the previous one is beside it. */
  readonly #next: number = 0;
  readonly #owners: Rows;
  /** Of the head; tail and size are beside it. */
  readonly #head: number = 0;

  constructor(members: Rows, next: number, owners: Rows, head: number) {
    this.#members = members;
    this.#next = next | 0;
    this.#owners = owners;
    this.#head = head | 0;
  }

  size(owner: number): number {
    const { ints, shift } = this.#owners;
    return ints[(owner << shift) + this.#head + SIZE]!;
  }

  /** The oldest member, or -1. */
  head(owner: number): number {
    const { ints, shift } = this.#owners;
    return memberOf(ints[(owner << shift) + this.#head]!);
  }

  /** The newest member, or -1. */
  tail(owner: number): number {
    const { ints, shift } = this.#owners;
    return memberOf(ints[(owner << shift) + this.#head + TAIL]!);
  }

  /** In a list of these links, whosever it is. */
  has(member: number): boolean {
    const { ints, shift } = this.#members;
    return ints[(member << shift) + this.#next] !== ABSENT;
  }

  /** The member after this one, or -1. */
  after(member: number): number {
    const { ints, shift } = this.#members;
    return memberOf(ints[(member << shift) + this.#next]!);
  }

  /** Reads what its removal will need, for whoever fetches memory ahead; a meaningless number. */
  glance(member: number): number {
    const { ints, shift } = this.#members;
    const next = this.#next;
    const at = (member << shift) + next;
    const after = ints[at]!;
    const before = ints[at + PREVIOUS]!;
    const one = after >= FIRST ? ints[((after - FIRST) << shift) + next]! : 0;
    const other = before >= FIRST ? ints[((before - FIRST) << shift) + next]! : 0;
    return one ^ other;
  }

  /** Its row must be there. Throws when it is in a list: a caller that adds twice lost count. */
  push(owner: number, member: number): void {
    const { ints, shift } = this.#members;
    const next = this.#next;
    const at = (member << shift) + next;
    if (ints[at] !== ABSENT) throw new Error(`${member} is in the list already`);
    const owners = this.#owners;
    const ends = owners.ints;
    const of = (owner << owners.shift) + this.#head;
    const tail = ends[of + TAIL]!;
    ints[at] = END;
    if (tail === 0) {
      ends[of] = member + FIRST;
      ints[at + PREVIOUS] = END;
    } else {
      ints[((tail - FIRST) << shift) + next] = member + FIRST;
      ints[at + PREVIOUS] = tail;
    }
    ends[of + TAIL] = member + FIRST;
    ends[of + SIZE]! += 1;
  }

  /** False when it was not there. */
  remove(owner: number, member: number): boolean {
    const { ints, shift } = this.#members;
    const next = this.#next;
    const at = (member << shift) + next;
    const after = ints[at] ?? ABSENT;
    if (after === ABSENT) return false;
    const owners = this.#owners;
    const ends = owners.ints;
    const of = (owner << owners.shift) + this.#head;
    const before = ints[at + PREVIOUS]!;
    if (before === END) ends[of] = after === END ? 0 : after;
    else ints[((before - FIRST) << shift) + next] = after;
    if (after === END) ends[of + TAIL] = before === END ? 0 : before;
    else ints[((after - FIRST) << shift) + next + PREVIOUS] = before;
    ints[at] = ABSENT;
    ends[of + SIZE]! -= 1;
    return true;
  }
}

function memberOf(entry: number): number {
  return entry >= FIRST ? (entry - FIRST) | 0 : NONE;
}
