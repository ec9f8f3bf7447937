/**
 * A wheel for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ bucket │ ...  67 s ahead │ far heap
 *               └► last ──► first ──► second ──┐
 *                   ▲──────────────────────────┘
 *
 * A bucket of 64 µs holds one event or two at the rates that are simulated here. They are a ring
 * in order of time, known by its last: whoever comes behind it, and in a crowd at one time that is
 * everybody, is put there in two stores, and the first is the next one. There are so many buckets
 * that thinking users are seldom far; memory that no event ever came to is never touched. Which
 * buckets have anything is a bitmap, so that quiet times cost nothing. When the wheel turns on,
 * events of the far heap that have come into its reach join their buckets before anything else
 * can, so that rings keep the order of insertion.
 */
import type { Actor, EventQueue } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { NO_SLOT, Slots } from './slots.ts';

/** µs per bucket: a power of two. */
const WIDTH = 64;
const PER_MICRO = 1 / WIDTH;
const BUCKETS = 1_048_576;
const MASK = BUCKETS - 1;
const SPAN = BUCKETS * WIDTH;
const WORDS_MASK = BUCKETS / 32 - 1;

export class WheelQueue implements EventQueue {
  readonly slots = new Slots();
  /** By bucket: its last slot and 1; 0 = it is empty. */
  readonly #lasts = new Int32Array(BUCKETS);
  readonly #filled = new Int32Array(BUCKETS / 32);
  readonly #far = new HeapQueue();
  /** The present bucket, and the time at which it begins (a fraction first: it will be large). */
  #place = 0;
  #begins = 0.5;
  /** Events in the wheel. */
  #near = 0;

  constructor() {
    this.#begins = 0;
  }

  get size(): number {
    return this.#near + this.#far.size;
  }

  get firstAt(): number {
    if (this.#near === 0) return this.#far.firstAt;
    const { times, words } = this.slots;
    const present = this.#lasts[this.#place] ?? 0;
    const last = present > 0 ? present : (this.#lasts[this.#nextFilled()] ?? 0);
    return times[(words[(last - 1) | 3] ?? 0) >> 1] ?? 0;
  }

  push(at: number, actor: Actor, arg: number): void {
    if (at >= this.#begins + SPAN) this.#far.push(at, actor, arg);
    else this.#insert(this.slots.take(at, actor, arg), at);
  }

  take(limit: number): number {
    const lasts = this.#lasts;
    let last = ((lasts[this.#place] ?? 0) - 1) | 0;
    if (last < 0) {
      if (!this.#turnOn(limit)) return NO_SLOT;
      last = ((lasts[this.#place] ?? 0) - 1) | 0;
    }
    const { slots } = this;
    const { times, words } = slots;
    const first = words[last | 3] ?? 0;
    if ((times[first >> 1] ?? 0) > limit) return NO_SLOT;
    if (first === last) this.#emptied(this.#place);
    else words[last | 3] = words[first | 3] ?? 0;
    this.#near = (this.#near - 1) | 0;
    slots.give(first);
    return first;
  }

  /** Behind those of the same time. */
  #insert(slot: number, at: number): void {
    this.#near = (this.#near + 1) | 0;
    const place = (at * PER_MICRO) & MASK;
    const lasts = this.#lasts;
    const last = ((lasts[place] ?? 0) - 1) | 0;
    if (last < 0) {
      const filled = this.#filled;
      const word = place >>> 5;
      filled[word] = (filled[word] ?? 0) | (1 << place);
      this.slots.words[slot | 3] = slot;
      lasts[place] = slot + 1;
      return;
    }
    const { times, words } = this.slots;
    let before = last;
    if ((times[last >> 1] ?? 0) <= at) lasts[place] = slot + 1;
    else {
      let next = words[before | 3] ?? 0;
      while ((times[next >> 1] ?? 0) <= at) {
        before = next;
        next = words[before | 3] ?? 0;
      }
    }
    words[slot | 3] = words[before | 3] ?? 0;
    words[before | 3] = slot;
  }

  #emptied(place: number): void {
    this.#lasts[place] = 0;
    const filled = this.#filled;
    const word = place >>> 5;
    filled[word] = (filled[word] ?? 0) & ~(1 << place);
  }

  /** To the next bucket that has events, unless it begins after `limit` or there is none. */
  #turnOn(limit: number): boolean {
    const far = this.#far;
    let begins = 0.5;
    if (this.#near > 0) {
      begins = this.#begins + ((this.#nextFilled() - this.#place) & MASK) * WIDTH;
    } else if (far.size > 0) begins = Math.floor(far.firstAt * PER_MICRO) * WIDTH;
    else return false;
    if (begins > limit) return false;
    this.#begins = begins;
    this.#place = (begins * PER_MICRO) & MASK;
    if (far.size > 0 && far.firstAt < begins + SPAN) this.#takeIn(begins + SPAN);
    return true;
  }

  /** What has come into reach leaves the heap. */
  #takeIn(reach: number): void {
    const far = this.#far;
    const { times, words, actors } = far.slots;
    while (far.size > 0 && far.firstAt < reach) {
      const slot = far.take(reach);
      const at = times[slot >> 1] ?? 0;
      this.#insert(this.slots.take(at, actors[slot >> 2] as Actor, words[slot | 2] ?? 0), at);
    }
  }

  /** The first bucket after the present one that has events; there must be one. */
  #nextFilled(): number {
    const start = (this.#place + 1) & MASK;
    const filled = this.#filled;
    let word = start >>> 5;
    let bits = (filled[word] ?? 0) & (-1 << start);
    while (bits === 0) {
      word = (word + 1) & WORDS_MASK;
      bits = filled[word] ?? 0;
    }
    return (word << 5) | (31 - Math.clz32(bits & -bits));
  }
}
