/**
 * A doubly linked list of small integers, kept in two columns of a table whose rows are the
 * integers themselves: no allocation per operation, and removal from the middle in constant
 * time. Waiting lines, idle connections and timeouts in order are all such lists.
 *
 *   head ⇄ 7 ⇄ 3 ⇄ 12 ⇄ tail        next of 7 = 3, previous of 3 = 7, ...
 *
 * A column that was never set is 0, so 0 says that a member is absent, END that it is the last
 * (or first), and everything else is the neighbour plus FIRST.
 */
import { IntTable } from './int-table.ts';

const NONE = -1;
const ABSENT = 0;
const END = 1;
const FIRST = 2;

export class IntList {
  readonly #table: IntTable;
  readonly #next: number;
  readonly #previous: number;
  #head = NONE;
  #tail = NONE;
  #size = 0;

  /** In columns `column` and `column + 1` of a table; by default one of its own. */
  constructor(table = new IntTable(2), column = 0) {
    this.#table = table;
    this.#next = column;
    this.#previous = column + 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The oldest member, or -1. */
  get head(): number {
    return this.#head;
  }

  /** The newest member, or -1. */
  get tail(): number {
    return this.#tail;
  }

  has(member: number): boolean {
    return this.#table.get(member, this.#next) !== ABSENT;
  }

  /** The member after this one, or -1. */
  after(member: number): number {
    return neighbour(this.#table.get(member, this.#next));
  }

  /** Throws when it is there already: a caller that adds twice has lost count. */
  push(member: number): void {
    const table = this.#table;
    if (table.get(member, this.#next) !== ABSENT) {
      throw new Error(`${member} is in the list already`);
    }
    table.set(member, this.#next, END);
    if (this.#tail === NONE) {
      this.#head = member;
      table.set(member, this.#previous, END);
    } else {
      table.set(member, this.#previous, this.#tail + FIRST);
      table.set(this.#tail, this.#next, member + FIRST);
    }
    this.#tail = member;
    this.#size += 1;
  }

  /** False when it was not there. */
  remove(member: number): boolean {
    const table = this.#table;
    const after = table.get(member, this.#next);
    if (after === ABSENT) return false;
    const next = neighbour(after);
    const previous = neighbour(table.get(member, this.#previous));
    if (previous === NONE) this.#head = next;
    else table.set(previous, this.#next, after);
    if (next === NONE) this.#tail = previous;
    else table.set(next, this.#previous, previous === NONE ? END : previous + FIRST);
    table.set(member, this.#next, ABSENT);
    this.#size -= 1;
    return true;
  }
}

function neighbour(entry: number): number {
  return entry >= FIRST ? entry - FIRST : NONE;
}
