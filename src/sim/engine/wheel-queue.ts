/**
 * A wheel for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ bucket │ ...  67 s ahead │ far heap
 *           sorted    chains, the last inserted first
 *
 * A bucket of 256 µs holds a few events at the rates that are simulated here: pushing one is a
 * store at the head of a chain, which touches nothing but its own place and the bucket, and taking
 * one a sort of those few. Wider buckets would need a heap each, whose comparisons no processor
 * can predict. There are so many that thinking users are seldom far; memory that no event ever
 * came to is never touched. Which buckets have anything is a bitmap, so that quiet times cost
 * nothing. When the wheel turns on, events of the far heap that have come into its reach join
 * their buckets before anything else can, and in order, so that chains keep the order of
 * insertion.
 */
import { type Actor, type EventQueue, NOBODY } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { Slots } from './slots.ts';

/** µs per bucket: a power of two. */
const WIDTH = 256;
const PER_MICRO = 1 / WIDTH;
const BUCKETS = 262_144;
const MASK = BUCKETS - 1;
const WORDS = BUCKETS / 32;
const NONE = -1;
/** Longer chains are sorted by merging. */
const INSERTION_MAX = 48;

export class WheelQueue implements EventQueue {
  at = 0;
  actor: Actor = NOBODY;
  arg = 0;
  readonly #slots = new Slots();
  /** By bucket: the slot inserted last and 1; 0 = it is empty. */
  readonly #head = new Int32Array(BUCKETS);
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
    const slots = this.#slots;
    let first = Number.POSITIVE_INFINITY;
    let slot = (this.#head[this.#nextFilled() & MASK] ?? 0) - 1;
    for (; slot !== NONE; slot = slots.next(slot)) first = Math.min(first, slots.at(slot));
    return first;
  }

  push(at: number, actor: Actor, arg: number): void {
    if (at >= this.#reach) {
      this.#far.push(at, actor, arg);
      return;
    }
    const slot = this.#slots.take(at, actor, arg);
    if (at < this.#ends) this.#insert(slot, at);
    else this.#append((at * PER_MICRO) & MASK, slot);
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
    this.arg = slots.arg(first);
    this.actor = slots.actor[first] ?? NOBODY;
    slots.give(first);
    return true;
  }

  #append(place: number, slot: number): void {
    const head = this.#head[place] ?? 0;
    if (head === 0) {
      const word = place >>> 5;
      this.#filled[word] = (this.#filled[word] ?? 0) | (1 << (place & 31));
    }
    this.#slots.link(slot, head - 1);
    this.#head[place] = slot + 1;
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
      this.#append((far.at * PER_MICRO) & MASK, slot);
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
    const slots = this.#slots;
    const present = this.#present;
    const times = this.#times;
    this.#from = 0;
    const last = (this.#head[place] ?? 0) - 1;
    this.#head[place] = 0;
    const word = place >>> 5;
    this.#filled[word] = (this.#filled[word] ?? 0) & ~(1 << (place & 31));
    let count = 0;
    for (let slot = last; slot !== NONE && count <= INSERTION_MAX; slot = slots.next(slot)) {
      const at = slots.at(slot);
      let place = count;
      // Inserted before those that are here already, and so before its equals.
      for (; place > 0 && (times[place - 1] ?? 0) >= at; place--) {
        present[place] = present[place - 1] ?? 0;
        times[place] = times[place - 1] ?? 0;
      }
      present[place] = slot;
      times[place] = at;
      count += 1;
    }
    this.#to = count;
    if (count > INSERTION_MAX) this.#openCrowded(last);
    this.#near -= this.#to;
  }

  #openCrowded(last: number): void {
    const slots = this.#slots;
    const all: number[] = [];
    for (let slot = last; slot !== NONE; slot = slots.next(slot)) all.push(slot);
    // In order of insertion, which sorting keeps among equals.
    all.reverse();
    all.sort((one, other) => slots.at(one) - slots.at(other));
    while (this.#present.length < all.length) this.#grow();
    all.forEach((one, place) => {
      this.#present[place] = one;
      this.#times[place] = slots.at(one);
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
