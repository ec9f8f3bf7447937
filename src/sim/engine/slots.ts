/**
 * Places for events that wait, in typed arrays that grow by doubling. A place given back is the
 * next to be taken: it is still in the cache. Time, argument and next place of an event lie in 16
 * bytes together, because by the time that it is due it has left the cache: one line to fetch.
 *
 *   times │   at    │ arg next │   at    │ arg next │ ...
 *   words │  0 │ 1  │  2 │  3  │  4 │ 5  │  6 │  7  │
 */
import type { Actor } from './event-queue.ts';

/** No slot: the end of a chain. */
export const NO_SLOT = -1;
const FIRST_ROOM = 1_024;

export class Slots {
  /** Of who waits: whoever was there last, of a free place. */
  readonly actor: Actor[] = [];
  #times = new Float64Array(2 * FIRST_ROOM);
  #words = new Int32Array(this.#times.buffer);
  #free = NO_SLOT;
  #used = 0;

  take(at: number, actor: Actor, arg: number): number {
    const slot = this.#free === NO_SLOT ? this.#fresh() : this.#free;
    const words = this.#words;
    this.#free = words[4 * slot + 3] ?? NO_SLOT;
    this.#times[2 * slot] = at;
    words[4 * slot + 2] = arg;
    this.actor[slot] = actor;
    return slot;
  }

  give(slot: number): void {
    this.#words[4 * slot + 3] = this.#free;
    this.#free = slot;
  }

  at(slot: number): number {
    return this.#times[2 * slot] ?? 0;
  }

  arg(slot: number): number {
    return this.#words[4 * slot + 2] ?? 0;
  }

  /** For whoever keeps lists of slots; of free ones, the next free one. */
  next(slot: number): number {
    return this.#words[4 * slot + 3] ?? NO_SLOT;
  }

  link(slot: number, next: number): void {
    this.#words[4 * slot + 3] = next;
  }

  #fresh(): number {
    const slot = this.#used;
    this.#used += 1;
    if (2 * slot >= this.#times.length) this.#grow();
    this.#words[4 * slot + 3] = NO_SLOT;
    return slot;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    times.set(this.#times);
    this.#times = times;
    this.#words = new Int32Array(times.buffer);
  }
}
