/**
 * A doubly linked list of small integers, kept in two typed arrays indexed by the integers
 * themselves: no allocation per operation, and removal from the middle in constant time.
 * Waiting lines, idle connections and timeouts in order are all such lists.
 *
 *   head ⇄ 7 ⇄ 3 ⇄ 12 ⇄ tail        next[7] = 3, previous[3] = 7, ...
 */
import { checkIndex } from './int-column.ts';

const NONE = -1;
const ABSENT = -2;

export class IntList {
  #next = new Int32Array(16).fill(ABSENT);
  #previous = new Int32Array(16).fill(NONE);
  #head = NONE;
  #tail = NONE;
  #size = 0;

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
    return (this.#next[member] ?? ABSENT) !== ABSENT;
  }

  /** The member after this one, or -1. */
  after(member: number): number {
    return this.#next[member] ?? NONE;
  }

  /** Throws when it is there already: a caller that adds twice has lost count. */
  push(member: number): void {
    this.#grow(member);
    // Of a fraction there is neither; it can be no member.
    if (this.#next[member] !== ABSENT) throw new Error(`${member} is in the list already`);
    this.#next[member] = NONE;
    this.#previous[member] = this.#tail;
    if (this.#tail === NONE) this.#head = member;
    else this.#next[this.#tail] = member;
    this.#tail = member;
    this.#size += 1;
  }

  /** False when it was not there. */
  remove(member: number): boolean {
    if (!this.has(member)) return false;
    const next = this.#next[member] ?? NONE;
    const previous = this.#previous[member] ?? NONE;
    if (previous === NONE) this.#head = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail = previous;
    else this.#previous[next] = previous;
    this.#next[member] = ABSENT;
    this.#size -= 1;
    return true;
  }

  #grow(member: number): void {
    const before = this.#next.length;
    if (member >= 0 && member < before) return;
    checkIndex(member);
    const length = Math.max(before * 2, member + 1);
    const next = new Int32Array(length).fill(ABSENT);
    next.set(this.#next);
    const previous = new Int32Array(length).fill(NONE);
    previous.set(this.#previous);
    this.#next = next;
    this.#previous = previous;
  }
}
