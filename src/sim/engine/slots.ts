/**
 * Places for events that wait, in typed arrays that grow by doubling. A place given back is the
 * next to be taken: it is still in the cache. Time, argument and next place of an event lie in 16
 * bytes together, because by the time that it is due it has left the cache: one line to fetch.
 *
 *   times │   at    │ arg next │   at    │ arg next │ ...
 *   words │  0 │ 1  │  2 │  3  │  4 │ 5  │  6 │  7  │
 *
 * A slot is known by its first word: 0, 4, 8, ... Its time is at half of that, its actor at a
 * quarter, and its other words by `|`: shifts and ors of integers cannot overflow, so that the
 * compiled code need not look.
 */
import type { Actor } from './event-queue.ts';

/** No slot, as whatever is below 0. */
export const NO_SLOT = -1;
const FIRST_ROOM = 1_024;
const WORDS = 4;

export class Slots {
  /** Of who waits: whoever was there last, of a free place. */
  readonly actors: Actor[] = [];
  times = new Float64Array((WORDS / 2) * FIRST_ROOM);
  words = new Int32Array(this.times.buffer);
  #free = -1;
  #used = 0;

  take(at: number, actor: Actor, arg: number): number {
    const slot = this.#free < 0 ? this.#fresh() : this.#free;
    const { words, actors } = this;
    this.#free = words[slot | 3] ?? -1;
    this.times[slot >> 1] = at;
    words[slot | 2] = arg;
    actors[slot >> 2] = actor;
    return slot;
  }

  give(slot: number): void {
    this.words[slot | 3] = this.#free;
    this.#free = slot;
  }

  #fresh(): number {
    const slot = this.#used;
    this.#used += WORDS;
    if (slot >= this.words.length) this.#grow();
    this.words[slot | 3] = -1;
    return slot;
  }

  #grow(): void {
    const times = new Float64Array(this.times.length * 2);
    times.set(this.times);
    this.times = times;
    this.words = new Int32Array(times.buffer);
  }
}
