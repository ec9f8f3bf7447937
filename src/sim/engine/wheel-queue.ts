/**
 * A wheel for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ bucket │ ...  67 s ahead │ far heap
 *           in order  chains, the last inserted first
 *
 * A bucket of 64 µs holds one event or two at the rates that are simulated here: pushing one is a
 * store at the head of a chain, which touches nothing but its own place and the bucket, and taking
 * one follows a chain that is put in order when its bucket is due. There are so many buckets that
 * thinking users are seldom far; memory that no event ever came to is never touched. Which buckets
 * have anything is a bitmap, so that quiet times cost nothing. When the wheel turns on, events of
 * the far heap that have come into its reach join their buckets before anything else can, and in
 * order, so that chains keep the order of insertion.
 */
import { type Actor, type EventQueue, NOBODY } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { NO_SLOT, Slots } from './slots.ts';

/** µs per bucket: a power of two. */
const WIDTH = 64;
const PER_MICRO = 1 / WIDTH;
const BUCKETS = 1_048_576;
const MASK = BUCKETS - 1;
const WORDS = BUCKETS / 32;
/** Longer chains are sorted as arrays. */
const INSERTION_MAX = 32;

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
  /** The chain of the present bucket, in order; the last one means nothing without a first. */
  #first = NO_SLOT;
  #last = NO_SLOT;
  /** Events in the wheel. */
  #near = 0;

  get size(): number {
    return this.#near + this.#far.size;
  }

  get firstAt(): number {
    const slots = this.#slots;
    if (this.#first !== NO_SLOT) return slots.at(this.#first);
    if (this.#near === 0) return this.#far.firstAt;
    let first = Number.POSITIVE_INFINITY;
    let slot = (this.#head[this.#nextFilled() & MASK] ?? 0) - 1;
    for (; slot !== NO_SLOT; slot = slots.next(slot)) first = Math.min(first, slots.at(slot));
    return first;
  }

  push(at: number, actor: Actor, arg: number): void {
    if (at >= this.#reach) {
      this.#far.push(at, actor, arg);
      return;
    }
    const slot = this.#slots.take(at, actor, arg);
    this.#near += 1;
    if (at < this.#ends) this.#insert(slot, at);
    else this.#append((at * PER_MICRO) & MASK, slot);
  }

  take(limit: number): boolean {
    if (this.#first === NO_SLOT && !this.#turnOn(limit)) return false;
    const slots = this.#slots;
    const slot = this.#first;
    const at = slots.at(slot);
    if (at > limit) return false;
    this.#first = slots.next(slot);
    this.#near -= 1;
    this.at = at;
    this.arg = slots.arg(slot);
    this.actor = slots.actor[slot] ?? NOBODY;
    slots.give(slot);
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
  }

  /** Into the present bucket, behind those of the same time. */
  #insert(slot: number, at: number): void {
    const slots = this.#slots;
    const first = this.#first;
    if (first === NO_SLOT || slots.at(this.#last) <= at) {
      slots.link(slot, NO_SLOT);
      if (first === NO_SLOT) this.#first = slot;
      else slots.link(this.#last, slot);
      this.#last = slot;
    } else if (slots.at(first) > at) {
      slots.link(slot, first);
      this.#first = slot;
    } else {
      let before = first;
      let next = slots.next(first);
      for (; slots.at(next) <= at; next = slots.next(next)) before = next;
      slots.link(slot, next);
      slots.link(before, slot);
    }
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
      this.#near += 1;
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
    return -1;
  }

  /** Puts the chain of a bucket in order, and makes it the present one. */
  #open(place: number): void {
    const slots = this.#slots;
    const inserted = (this.#head[place] ?? 0) - 1;
    this.#head[place] = 0;
    const word = place >>> 5;
    this.#filled[word] = (this.#filled[word] ?? 0) & ~(1 << (place & 31));
    this.#first = inserted;
    this.#last = inserted;
    let slot = slots.next(inserted);
    if (slot === NO_SLOT) return;
    slots.link(inserted, NO_SLOT);
    for (let count = 1; slot !== NO_SLOT; count++) {
      if (count === INSERTION_MAX) {
        this.#sort(slot);
        return;
      }
      const next = slots.next(slot);
      this.#insertBefore(slot);
      slot = next;
    }
  }

  /** Into the present bucket, before those of the same time, which were inserted later. */
  #insertBefore(slot: number): void {
    const slots = this.#slots;
    const at = slots.at(slot);
    let before = NO_SLOT;
    let next = this.#first;
    while (next !== NO_SLOT && slots.at(next) < at) {
      before = next;
      next = slots.next(next);
    }
    slots.link(slot, next);
    if (next === NO_SLOT) this.#last = slot;
    if (before === NO_SLOT) this.#first = slot;
    else slots.link(before, slot);
  }

  /** What is in order already, and the rest of the chain, which was inserted before it. */
  #sort(rest: number): void {
    const slots = this.#slots;
    const all: number[] = [];
    for (let slot = rest; slot !== NO_SLOT; slot = slots.next(slot)) all.push(slot);
    all.reverse();
    for (let slot = this.#first; slot !== NO_SLOT; slot = slots.next(slot)) all.push(slot);
    // In order of insertion among equals, which sorting keeps.
    all.sort((one, other) => slots.at(one) - slots.at(other));
    let next = NO_SLOT;
    this.#last = all.at(-1) ?? NO_SLOT;
    for (const slot of all.reverse()) {
      slots.link(slot, next);
      next = slot;
    }
    this.#first = next;
  }
}
