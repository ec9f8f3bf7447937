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
  /** Of the next member; the previous one is beside it. */
  readonly #column: number = 0;
  #head = NONE;
  #tail = NONE;
  #size = 0;

  /** In columns `column` and `column + 1` of a table; by default one of its own. */
  constructor(table = new IntTable(2), column = 0) {
    this.#table = table;
    this.#column = column;
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
    return this.#table.get(member, this.#column) !== ABSENT;
  }

  /** The member after this one, or -1. */
  after(member: number): number {
    return neighbour(this.#table.get(member, this.#column));
  }

  /** Throws when it is there already: a caller that adds twice has lost count. */
  push(member: number): void {
    const table = this.#table;
    table.room(member);
    const { values, shift } = table;
    const column = this.#column;
    const row = (member << shift) | column;
    if ((values[row] ?? 0) !== ABSENT) throw new Error(`${member} is in the list already`);
    const tail = this.#tail;
    values[row] = END;
    if (tail === NONE) {
      this.#head = member | 0;
      values[row + 1] = END;
    } else {
      values[row + 1] = tail + FIRST;
      values[(tail << shift) | column] = member + FIRST;
    }
    this.#tail = member | 0;
    this.#size += 1;
  }

  /** False when it was not there. */
  remove(member: number): boolean {
    const table = this.#table;
    if (!table.has(member)) return false;
    const { values, shift } = table;
    const column = this.#column;
    const row = (member << shift) | column;
    const after = values[row] ?? 0;
    if (after === ABSENT) return false;
    const before = values[row + 1] ?? 0;
    if (before === END) this.#head = neighbour(after);
    else values[((before - FIRST) << shift) | column] = after;
    if (after === END) this.#tail = neighbour(before);
    else values[(((after - FIRST) << shift) | column) + 1] = before;
    values[row] = ABSENT;
    this.#size -= 1;
    return true;
  }
}

/** Its table holds fractions, as far as the engine knows: as an integer it needs no box. */
function neighbour(entry: number): number {
  return entry >= FIRST ? (entry - FIRST) | 0 : NONE;
}
