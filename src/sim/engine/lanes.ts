/**
 * Lanes: timeouts of one constant delay each, in the order in which they were set. Thousands are
 * set and hardly one strikes, so setting and clearing cost a few words in the rows of what can time
 * out, and a whole lane has one event in the queue: for the first of them, or for one that was.
 */
import type { Micros } from '../../model/units.ts';
import type { Rows } from '../../policy/rows.ts';
import type { Engine } from './engine.ts';
import type { EventOf } from './event.ts';
import { Sleepers } from './sleepers.ts';

/** Words that a lane needs of whoever can time out; in one lane at a time. */
export const LANE_WORDS = 6;
/** The lane and 1; 0 = it is in none. Neighbours are numbers and 1, too. */
const LANE = 0;
const NEXT = 1;
const PREVIOUS = 2;
/** A double. */
const TIMEOUT_AT = 4;

const FIRST_ROOM = 16;

export class Lanes {
  readonly #engine: Engine;
  readonly #sleepers: Sleepers;
  readonly #rows: Rows;
  readonly #column: number = 0;
  readonly #expired: (member: number) => void;
  /** By lane: first and last member and 1, and the delay (µs; 0 = none of them ever strikes). */
  #heads = new Int32Array(FIRST_ROOM);
  #tails = new Int32Array(FIRST_ROOM);
  #delays = new Float64Array(FIRST_ROOM);
  #count = 0;

  /** Members are rows, with `LANE_WORDS` from the even `column` on. */
  constructor(
    engine: Engine,
    kind: EventOf,
    rows: Rows,
    column: number,
    expired: (member: number) => void,
  ) {
    this.#engine = engine;
    this.#sleepers = new Sleepers(engine, kind);
    this.#rows = rows;
    this.#column = column;
    this.#expired = expired;
  }

  add(delay: Micros): number {
    const lane = this.#count;
    this.#count += 1;
    if (lane === this.#heads.length) this.#grow();
    this.#delays[lane] = delay;
    this.#sleepers.room(lane);
    return lane;
  }

  /** Sets it, or sets it anew. */
  set(lane: number, member: number): void {
    const { ints, doubles, shift } = this.#rows;
    const row = (member << shift) + this.#column;
    const at = this.#engine.now + (this.#delays[lane] ?? 0);
    const present = ints[row + LANE] ?? 0;
    if (present !== 0) {
      // Nothing was set in between: it stays where it is.
      if (present === lane + 1 && this.#tails[lane] === member + 1) {
        doubles[(row + TIMEOUT_AT) >> 1] = at;
        return;
      }
      this.clear(member);
    }
    if (this.#delays[lane] === 0) return;
    doubles[(row + TIMEOUT_AT) >> 1] = at;
    const tail = this.#tails[lane] ?? 0;
    ints[row + LANE] = lane + 1;
    ints[row + NEXT] = 0;
    ints[row + PREVIOUS] = tail;
    this.#tails[lane] = member + 1;
    if (tail !== 0) ints[((tail - 1) << shift) + this.#column + NEXT] = member + 1;
    else {
      this.#heads[lane] = member + 1;
      // An event that is there already looks again when it fires.
      if (!this.#sleepers.awaits(lane)) this.#sleepers.wakeAt(lane, at);
    }
  }

  clear(member: number): void {
    const { ints, shift } = this.#rows;
    const column = this.#column;
    const row = (member << shift) + column;
    const lane = (ints[row + LANE] ?? 0) - 1;
    if (lane < 0) return;
    const next = ints[row + NEXT] ?? 0;
    const previous = ints[row + PREVIOUS] ?? 0;
    if (previous === 0) this.#heads[lane] = next;
    else ints[((previous - 1) << shift) + column + NEXT] = next;
    if (next === 0) this.#tails[lane] = previous;
    else ints[((next - 1) << shift) + column + PREVIOUS] = previous;
    ints[row + LANE] = 0;
  }

  /** An event of that lane has come. */
  happens(lane: number): void {
    if (!this.#sleepers.isDue(lane)) return;
    const { now } = this.#engine;
    for (let head = this.#heads[lane] ?? 0; head !== 0; head = this.#heads[lane] ?? 0) {
      const at = this.#timeoutAt(head - 1);
      if (at > now) {
        this.#sleepers.wakeAt(lane, at);
        return;
      }
      this.clear(head - 1);
      this.#expired(head - 1);
    }
  }

  #timeoutAt(member: number): Micros {
    const { doubles, shift } = this.#rows;
    return doubles[((member << shift) + this.#column + TIMEOUT_AT) >> 1] ?? 0;
  }

  #grow(): void {
    const heads = new Int32Array(this.#heads.length * 2);
    const tails = new Int32Array(heads.length);
    const delays = new Float64Array(heads.length);
    heads.set(this.#heads);
    tails.set(this.#tails);
    delays.set(this.#delays);
    this.#heads = heads;
    this.#tails = tails;
    this.#delays = delays;
  }
}
