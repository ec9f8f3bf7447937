/**
 * A wheel for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ bucket │ ...  8.4 s ahead │ far heap
 *           sorted    lists in order of insertion
 *
 * A bucket of 64 µs holds a few events at the rates that are simulated here: pushing one is a
 * store at the end of a list, and taking one a sort of those few. Which buckets have anything is
 * a bitmap, so that quiet times cost nothing. When the wheel turns on, events of the far heap
 * that have come into its reach join their buckets before anything else can, and in order, so
 * that lists keep the order of insertion.
 */
import { type Actor, type EventQueue, NOBODY } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { Slots } from './slots.ts';

/** µs per bucket. */
const WIDTH = 64;
const BUCKETS = 131_072;
const MASK = BUCKETS - 1;
const WORDS = BUCKETS / 32;
const NONE = -1;
/** Longer lists are sorted by merging. */
const INSERTION_MAX = 24;

export class WheelQueue implements EventQueue {
  at = 0;
  actor: Actor = NOBODY;
  arg = 0;
  readonly #slots = new Slots();
  readonly #head = new Int32Array(BUCKETS).fill(NONE);
  readonly #tail = new Int32Array(BUCKETS).fill(NONE);
  readonly #filled = new Int32Array(WORDS);
  readonly #far = new HeapQueue();
  /** Number of the bucket that is being taken from, counted from time 0. */
  #turn = 0;
  /** Its events in order. */
  #present = new Int32Array(64);
  #from = 0;
  #to = 0;
  /** Events in buckets after the present one. */
  #near = 0;

  get size(): number {
    return this.#to - this.#from + this.#near + this.#far.size;
  }

  get firstAt(): number {
    if (this.#from === this.#to && !this.#turnOn()) return Number.POSITIVE_INFINITY;
    return this.#slots.at[this.#present[this.#from] ?? 0] ?? 0;
  }

  push(at: number, actor: Actor, arg: number): void {
    const bucket = Math.floor(at / WIDTH);
    if (bucket >= this.#turn + BUCKETS) {
      this.#far.push(at, actor, arg);
      return;
    }
    const slot = this.#slots.take(at, actor, arg);
    if (bucket <= this.#turn) this.#insert(slot, at);
    else this.#append(bucket & MASK, slot);
  }

  take(limit: number): boolean {
    if (this.#from === this.#to && !this.#turnOn()) return false;
    const slots = this.#slots;
    const first = this.#present[this.#from] ?? 0;
    const at = slots.at[first] ?? 0;
    if (at > limit) return false;
    this.#from += 1;
    this.at = at;
    this.arg = slots.arg[first] ?? 0;
    this.actor = slots.actor[first] ?? NOBODY;
    slots.give(first);
    return true;
  }

  #append(place: number, slot: number): void {
    this.#slots.next[slot] = NONE;
    const tail = this.#tail[place] ?? NONE;
    if (tail === NONE) {
      this.#head[place] = slot;
      const word = place >>> 5;
      this.#filled[word] = (this.#filled[word] ?? 0) | (1 << (place & 31));
    } else this.#slots.next[tail] = slot;
    this.#tail[place] = slot;
    this.#near += 1;
  }

  /** Into the present bucket, behind those of the same time. */
  #insert(slot: number, at: number): void {
    this.#roomForOne();
    const present = this.#present;
    const times = this.#slots.at;
    let place = this.#to;
    while (place > this.#from && (times[present[place - 1] ?? 0] ?? 0) > at) {
      present[place] = present[place - 1] ?? 0;
      place -= 1;
    }
    present[place] = slot;
    this.#to += 1;
  }

  /** To the next bucket that has events; false when there are none anywhere. */
  #turnOn(): boolean {
    const next = this.#near > 0 ? this.#nextFilled() : NONE;
    if (next === NONE) {
      if (this.#far.size === 0) return false;
      this.#turn = Math.floor(this.#far.firstAt / WIDTH);
      this.#takeIn();
    } else {
      this.#turn = next;
      this.#takeIn();
    }
    this.#open(this.#turn & MASK);
    return true;
  }

  /** What has come into reach leaves the heap. */
  #takeIn(): void {
    const far = this.#far;
    const reach = (this.#turn + BUCKETS) * WIDTH;
    while (far.size > 0 && far.firstAt < reach) {
      far.take(reach);
      const slot = this.#slots.take(far.at, far.actor, far.arg);
      this.#append(Math.floor(far.at / WIDTH) & MASK, slot);
    }
  }

  /** The number of the first bucket after the present one that has events. */
  #nextFilled(): number {
    const start = (this.#turn + 1) & MASK;
    let word = start >>> 5;
    let bits = (this.#filled[word] ?? 0) & (-1 << (start & 31));
    for (let looked = 0; looked <= WORDS; looked++) {
      if (bits !== 0) {
        const place = (word << 5) + (31 - Math.clz32(bits & -bits));
        return this.#turn + 1 + ((place - start) & MASK);
      }
      word = (word + 1) & (WORDS - 1);
      bits = this.#filled[word] ?? 0;
    }
    return NONE;
  }

  #open(place: number): void {
    this.#from = 0;
    this.#to = 0;
    const { next, at } = this.#slots;
    let sorted = true;
    let before = Number.NEGATIVE_INFINITY;
    for (let slot = this.#head[place] ?? NONE; slot !== NONE; slot = next[slot] ?? NONE) {
      this.#roomForOne();
      this.#present[this.#to] = slot;
      this.#to += 1;
      const time = at[slot] ?? 0;
      if (time < before) sorted = false;
      before = time;
    }
    this.#head[place] = NONE;
    this.#tail[place] = NONE;
    const word = place >>> 5;
    this.#filled[word] = (this.#filled[word] ?? 0) & ~(1 << (place & 31));
    this.#near -= this.#to;
    if (!sorted) this.#sort();
  }

  /** By time; what is equal keeps its order. */
  #sort(): void {
    const { at } = this.#slots;
    const present = this.#present;
    if (this.#to > INSERTION_MAX) {
      // TypedArray.prototype.sort is stable.
      present.subarray(0, this.#to).sort((one, other) => (at[one] ?? 0) - (at[other] ?? 0));
      return;
    }
    for (let i = 1; i < this.#to; i++) {
      const slot = present[i] ?? 0;
      const time = at[slot] ?? 0;
      let place = i;
      while (place > 0 && (at[present[place - 1] ?? 0] ?? 0) > time) {
        present[place] = present[place - 1] ?? 0;
        place -= 1;
      }
      present[place] = slot;
    }
  }

  #roomForOne(): void {
    if (this.#to < this.#present.length) return;
    if (this.#from > 0) {
      this.#present.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
      return;
    }
    const grown = new Int32Array(this.#present.length * 2);
    grown.set(this.#present);
    this.#present = grown;
  }
}
