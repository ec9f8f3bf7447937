/** Requests of clients from their intention to their outcome: a row each, used again. */
import { Rows } from '../../policy/rows.ts';

const WORDS = 16;
const ROW = 4;

/** Whose it is (users.ts). */
export const USER = 0;
/** The attempt whose fate is open; 0 = there is none. */
export const ATTEMPT = 1;
/** Attempts so far; those of them for a connection that was stale are not counted. */
export const ATTEMPTS = 2;
export const STALE = 3;
/** Attempts that got a connection, those that it was stale for too. */
export const HANDED = 4;
/** What it asks for, as flags of exchanges. */
export const KIND = 5;
/** Its number at its client, from 1. */
export const NUMBER = 6;
const NEXT_FREE = 7;
/** The timeout of its attempt. */
export const LANE_COLUMN = 8;
/** A double. */
const INTENDED_AT = 14;

export class LoadRequests extends Rows {
  #used = 0;
  #free = 0;

  constructor() {
    super(WORDS);
  }

  take(user: number, kind: number, number: number, intendedAt: number): number {
    let request = this.#free - 1;
    if (request >= 0) this.#free = this.get(request, NEXT_FREE);
    else {
      request = this.#used;
      this.#used += 1;
      this.room(request);
    }
    this.clear(request);
    const { ints } = this;
    const row = request << ROW;
    ints[row | USER] = user;
    ints[row | ATTEMPTS] = 1;
    ints[row | KIND] = kind;
    ints[row | NUMBER] = number;
    this.doubles[(row | INTENDED_AT) >> 1] = intendedAt;
    return request;
  }

  give(request: number): void {
    this.put(request, ATTEMPT, 0);
    this.put(request, NEXT_FREE, this.#free);
    this.#free = request + 1;
  }

  get(request: number, column: number): number {
    return this.ints[(request << ROW) | column] ?? 0;
  }

  put(request: number, column: number, value: number): void {
    this.ints[(request << ROW) | column] = value;
  }

  add(request: number, column: number): void {
    this.put(request, column, this.get(request, column) + 1);
  }

  intendedAt(request: number): number {
    return this.doubles[((request << ROW) | INTENDED_AT) >> 1] ?? 0;
  }

  /** Attempts whose fate is open. */
  *attempts(): Iterable<number> {
    for (let request = 0; request < this.#used; request++) {
      const attempt = this.get(request, ATTEMPT);
      if (attempt !== 0) yield attempt;
    }
  }
}
