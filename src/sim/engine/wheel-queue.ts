/**
 * A wheel for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ bucket │ ...  8.4 s ahead │ far heap
 *           sorted    rings in order of insertion
 *
 * A bucket of 256 µs holds a few events at the rates that are simulated here: pushing one is a
 * store at the end of a ring, and taking one a sort of those few. Wider buckets would need a heap
 * each, whose comparisons no processor can predict; narrower ones more memory than its caches
 * have. Which buckets have anything is a bitmap, so that quiet times cost nothing. When the wheel
 * turns on, events of the far heap that have come into its reach join their buckets before
 * anything else can, and in order, so that rings keep the order of insertion.
 */
import { type Actor, type EventQueue, NOBODY } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { Slots } from './slots.ts';

/** µs per bucket: a power of two. */
const WIDTH = 256;
const BUCKETS = 32_768;
const MASK = BUCKETS - 1;
const WORDS = BUCKETS / 32;
const NONE = -1;
/** Longer lists are sorted by merging. */
const INSERTION_MAX = 48;

export class WheelQueue implements EventQueue {
  at = 0;
  actor: Actor = NOBODY;
  arg = 0;
  readonly #slots = new Slots();
  /** By bucket: the last of its ring, after which comes the first. */
  readonly #tail = new Int32Array(BUCKETS).fill(NONE);
  readonly #filled = new Int32Array(WORDS);
  readonly #far = new HeapQueue();
  /** Number of the bucket that is being taken from, counted from time 0. */
  #turn = 0;
  /** Up to here events belong to the present bucket, and from there on they are far. */
  #ends = WIDTH;
  #reach = BUCKETS * WIDTH;
  /** The present bucket in order: slots, and their times. */
  #present = new Int32Array(64);
  #times = new Float64Array(64);
  #from = 0;
  #to = 0;
  /** Events in buckets after the present one. */
  #near = 0;

  get size(): number {
    return this.#to - this.#from + this.#near + this.#far.size;
  }

  get firstAt(): number {
    if (this.#from < this.#to) return this.#times[this.#from] ?? 0;
    if (this.#near === 0) return this.#far.firstAt;
    const { at, next } = this.#slots;
    const last = this.#tail[this.#nextFilled() & MASK] ?? NONE;
    let first = at[last] ?? 0;
    for (let slot = next[last] ?? last; slot !== last; slot = next[slot] ?? last) {
      first = Math.min(first, at[slot] ?? first);
    }
    return first;
  }

  push(at: number, actor: Actor, arg: number): void {
    if (at >= this.#reach) {
      this.#far.push(at, actor, arg);
      return;
    }
    const slot = this.#slots.take(at, actor, arg);
    if (at < this.#ends) this.#insert(slot, at);
    else this.#append(Math.floor(at / WIDTH) & MASK, slot);
  }

  take(limit: number): boolean {
    if (this.#from === this.#to && !this.#turnOn(limit)) return false;
    const from = this.#from;
    const at = this.#times[from] ?? 0;
    if (at > limit) return false;
    const slots = this.#slots;
    const first = this.#present[from] ?? 0;
    this.#from = from + 1;
    this.at = at;
    this.arg = slots.arg[first] ?? 0;
    this.actor = slots.actor[first] ?? NOBODY;
    slots.give(first);
    return true;
  }

  #append(place: number, slot: number): void {
    const { next } = this.#slots;
    const tail = this.#tail[place] ?? NONE;
    if (tail === NONE) {
      next[slot] = slot;
      const word = place >>> 5;
      this.#filled[word] = (this.#filled[word] ?? 0) | (1 << (place & 31));
    } else {
      next[slot] = next[tail] ?? slot;
      next[tail] = slot;
    }
    this.#tail[place] = slot;
    this.#near += 1;
  }

  /** Into the present bucket, behind those of the same time. */
  #insert(slot: number, at: number): void {
    if (this.#to === this.#present.length) this.#roomForOne();
    const present = this.#present;
    const times = this.#times;
    const from = this.#from;
    let place = this.#to;
    this.#to = place + 1;
    while (place > from && (times[place - 1] ?? 0) > at) {
      present[place] = present[place - 1] ?? 0;
      times[place] = times[place - 1] ?? 0;
      place -= 1;
    }
    present[place] = slot;
    times[place] = at;
  }

  /** To the next bucket that has events, unless it begins after `limit` or there is none. */
  #turnOn(limit: number): boolean {
    let turn: number;
    if (this.#near > 0) turn = this.#nextFilled();
    else if (this.#far.size > 0) turn = Math.floor(this.#far.firstAt / WIDTH);
    else return false;
    if (turn * WIDTH > limit) return false;
    this.#turn = turn;
    this.#ends = (turn + 1) * WIDTH;
    this.#reach = (turn + BUCKETS) * WIDTH;
    if (this.#far.firstAt < this.#reach) this.#takeIn();
    this.#open(turn & MASK);
    return true;
  }

  /** What has come into reach leaves the heap. */
  #takeIn(): void {
    const far = this.#far;
    const reach = this.#reach;
    while (far.size > 0 && far.firstAt < reach) {
      far.take(reach);
      const slot = this.#slots.take(far.at, far.actor, far.arg);
      this.#append(Math.floor(far.at / WIDTH) & MASK, slot);
    }
  }

  /** The number of the first bucket after the present one that has events. */
  #nextFilled(): number {
    const start = (this.#turn + 1) & MASK;
    const filled = this.#filled;
    let word = start >>> 5;
    let bits = (filled[word] ?? 0) & (-1 << (start & 31));
    for (let looked = 0; looked <= WORDS; looked++) {
      if (bits !== 0) {
        const place = (word << 5) + (31 - Math.clz32(bits & -bits));
        return this.#turn + 1 + ((place - start) & MASK);
      }
      word = (word + 1) & (WORDS - 1);
      bits = filled[word] ?? 0;
    }
    return NONE;
  }

  #open(place: number): void {
    this.#from = 0;
    this.#to = 0;
    const { next, at } = this.#slots;
    const last = this.#tail[place] ?? NONE;
    this.#tail[place] = NONE;
    const word = place >>> 5;
    this.#filled[word] = (this.#filled[word] ?? 0) & ~(1 << (place & 31));
    let count = 0;
    let slot = last;
    do {
      slot = next[slot] ?? last;
      count += 1;
      if (count > INSERTION_MAX) break;
      this.#insert(slot, at[slot] ?? 0);
    } while (slot !== last);
    if (count > INSERTION_MAX) this.#openCrowded(slot, last);
    this.#near -= this.#to;
  }

  /** From `slot` on the ring has more than is worth inserting one by one. */
  #openCrowded(slot: number, last: number): void {
    const { next, at } = this.#slots;
    const all = Array.from(this.#present.subarray(0, this.#to));
    all.push(slot);
    for (let one = slot; one !== last; ) {
      one = next[one] ?? last;
      all.push(one);
    }
    // Those inserted before are in order, and before the others among equals; sorting is stable.
    all.sort((one, other) => (at[one] ?? 0) - (at[other] ?? 0));
    while (this.#present.length < all.length) this.#grow();
    all.forEach((one, place) => {
      this.#present[place] = one;
      this.#times[place] = at[one] ?? 0;
    });
    this.#to = all.length;
  }

  #roomForOne(): void {
    if (this.#from === 0) {
      this.#grow();
      return;
    }
    this.#present.copyWithin(0, this.#from, this.#to);
    this.#times.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
  }

  #grow(): void {
    const present = new Int32Array(this.#present.length * 2);
    const times = new Float64Array(present.length);
    present.set(this.#present);
    times.set(this.#times);
    this.#present = present;
    this.#times = times;
  }
}
