/**
 * Two wheels for what is near and a heap for what is far.
 *
 *   now ──►│ bucket │ bucket │ ... two windows of half a second │ window │ window │ ... 134 s │ far
 *               └► last ──► first ──► second ──┐                    └► in order of insertion
 *                   ▲──────────────────────────┘
 *
 * A bucket of 64 µs holds one event or two at the rates that are simulated here. They are a ring
 * in order of time, known by its last: whoever comes behind it, and in a crowd at one time that is
 * everybody, is put there in two stores, and the first is the next one. Which buckets have
 * anything is a bitmap, so that quiet times cost nothing.
 *
 * Buckets are few (64 kB), so that they stay in the processor's cache. What lies beyond them waits
 * in a window, unsorted, and joins the buckets when the window before it begins, before anything
 * else can: so rings keep the order of insertion. So does what comes from the heap into a window.
 */
import { type EventQueue, NO_EVENT } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { Slots } from './slots.ts';

/** µs per bucket: a power of two. */
const WIDTH = 64;
const PER_BUCKET = 1 / WIDTH;
const BUCKETS = 16_384;
const MASK = BUCKETS - 1;
const WORDS_MASK = BUCKETS / 32 - 1;
/** Half of the buckets are a window. */
const WINDOW_SHIFT = 13;
const WINDOW = WIDTH * (1 << WINDOW_SHIFT);
const PER_WINDOW = 1 / WINDOW;
/** Windows beyond the two that have buckets: a power of two. */
const WINDOWS = 256;

export class WheelQueue implements EventQueue {
  size = 0;
  // A fraction first: it will be large.
  takenAt = 0.5;
  readonly #slots = new Slots();
  /** By bucket, and by window: its last slot and 1; 0 = it is empty. */
  readonly #lasts = new Int32Array(BUCKETS);
  readonly #windows = new Int32Array(WINDOWS);
  readonly #filled = new Int32Array(BUCKETS / 32);
  readonly #far = new HeapQueue();
  /** The present bucket and the present window, counted from time 0. */
  #bucket = -1;
  #window = 0;
  /** Where buckets end, and where windows do. */
  #nearUntil = 0.5;
  #windowsUntil = 0.5;
  /** Events in buckets. */
  #near = 0;

  constructor() {
    this.takenAt = 0;
    this.#reach();
  }

  push(at: number, event: number): void {
    this.size = (this.size + 1) | 0;
    this.#place(at, event);
  }

  take(limit: number): number {
    const lasts = this.#lasts;
    let place = this.#bucket & MASK;
    let last = ((lasts[place] ?? 0) - 1) | 0;
    if (last < 0) {
      if (!this.#turnOn(limit)) return NO_EVENT;
      place = this.#bucket & MASK;
      last = ((lasts[place] ?? 0) - 1) | 0;
    }
    const slots = this.#slots;
    const { times, words } = slots;
    const first = words[last | 3] ?? 0;
    const at = times[first >> 1] ?? 0;
    if (at > limit) return NO_EVENT;
    if (first === last) this.#emptied(place);
    else words[last | 3] = words[first | 3] ?? 0;
    this.#near = (this.#near - 1) | 0;
    this.size = (this.size - 1) | 0;
    this.takenAt = at;
    const event = words[first | 2] ?? NO_EVENT;
    slots.give(first);
    return event;
  }

  #place(at: number, event: number): void {
    if (at < this.#nearUntil) this.#insert(this.#slots.take(at, event), at);
    else if (at < this.#windowsUntil) this.#wait(this.#slots.take(at, event), at);
    else this.#far.push(at, event);
  }

  /** Behind those of the same time. */
  #insert(slot: number, at: number): void {
    this.#near = (this.#near + 1) | 0;
    const place = (at * PER_BUCKET) & MASK;
    const lasts = this.#lasts;
    const last = ((lasts[place] ?? 0) - 1) | 0;
    const { times, words } = this.#slots;
    if (last < 0) {
      const filled = this.#filled;
      const word = place >>> 5;
      filled[word] = (filled[word] ?? 0) | (1 << place);
      words[slot | 3] = slot;
      lasts[place] = slot + 1;
      return;
    }
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

  /** Behind all that wait in that window. */
  #wait(slot: number, at: number): void {
    const { words } = this.#slots;
    const windows = this.#windows;
    const place = (at * PER_WINDOW) & (WINDOWS - 1);
    const last = ((windows[place] ?? 0) - 1) | 0;
    words[slot | 3] = last < 0 ? slot : (words[last | 3] ?? 0);
    if (last >= 0) words[last | 3] = slot;
    windows[place] = slot + 1;
  }

  #emptied(place: number): void {
    this.#lasts[place] = 0;
    const filled = this.#filled;
    const word = place >>> 5;
    filled[word] = (filled[word] ?? 0) & ~(1 << place);
  }

  /** To the next bucket that has events, unless it begins after `limit` or there is none. */
  #turnOn(limit: number): boolean {
    while (this.#near === 0) {
      if (this.size === 0 || (this.#window + 1) * WINDOW > limit) return false;
      this.#nextWindow();
      this.#bucket = (this.#window << WINDOW_SHIFT) - 1;
    }
    const bucket = this.#nextFilled();
    if (bucket * WIDTH > limit) return false;
    if (bucket >> WINDOW_SHIFT > this.#window) this.#nextWindow();
    this.#bucket = bucket;
    return true;
  }

  /** The next window begins, and what waits in the one after it joins the buckets. */
  #nextWindow(): void {
    this.#window += 1;
    this.#reach();
    const place = (this.#window + 1) & (WINDOWS - 1);
    const last = (this.#windows[place] ?? 0) - 1;
    this.#windows[place] = 0;
    const { times, words } = this.#slots;
    for (let one = last; one >= 0; ) {
      one = words[one | 3] ?? 0;
      const isLast = one === last;
      const next = words[one | 3] ?? 0;
      this.#insert(one, times[one >> 1] ?? 0);
      if (isLast) break;
      words[last | 3] = next;
      one = last;
    }
    const far = this.#far;
    while (far.firstAt < this.#windowsUntil) {
      const event = far.take(this.#windowsUntil);
      this.#place(far.takenAt, event);
    }
  }

  #reach(): void {
    this.#nearUntil = (this.#window + 2) * WINDOW;
    this.#windowsUntil = (this.#window + 2 + WINDOWS) * WINDOW;
  }

  /** The first bucket after the present one that has events; there must be one. */
  #nextFilled(): number {
    const after = this.#bucket + 1;
    const start = after & MASK;
    const filled = this.#filled;
    let word = start >>> 5;
    let bits = (filled[word] ?? 0) & (-1 << start);
    while (bits === 0) {
      word = (word + 1) & WORDS_MASK;
      bits = filled[word] ?? 0;
    }
    const place = (word << 5) | (31 - Math.clz32(bits & -bits));
    return after + ((place - start) & MASK);
  }
}
