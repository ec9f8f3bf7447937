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
import { type EventQueue, FORETOLD_MAX, type Foretold, NO_EVENT } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { Slots } from './slots.ts';
import { Windows } from './windows.ts';

/** µs per bucket: a power of two. */
const WIDTH = 64;
const PER_BUCKET = 1 / WIDTH;
const BUCKETS = 16_384;
const MASK = BUCKETS - 1;
const WORDS_MASK = BUCKETS / 32 - 1;
/** Half of the buckets are a window. */
const WINDOW = (WIDTH * BUCKETS) / 2;
const PER_WINDOW = 1 / WINDOW;
/** Windows beyond the two that have buckets: a power of two. */
const WINDOWS = 256;

export class WheelQueue implements EventQueue {
  // Times begin as fractions: they will be large.
  takenAt = 0.5;
  readonly #slots = new Slots();
  /** By bucket: its last slot and 1; 0 = it is empty. */
  readonly #lasts = new Int32Array(BUCKETS);
  readonly #windows = new Windows(WINDOWS);
  readonly #filled = new Int32Array(BUCKETS / 32);
  readonly #far = new HeapQueue();
  /** The present bucket, and when it begins. */
  #bucket = 0;
  #begins = 0.5;
  /** Where buckets end (they are the present window and the next one), and where windows do. */
  #nearUntil = 0.5;
  #windowsUntil = 0.5;
  /** Events in buckets, and in windows. */
  #near = 0;
  #waiting = 0;
  /** Into the buckets. */
  readonly #join = (at: number, event: number): void => {
    this.#insert(this.#slots.take(at, event), at);
  };

  #foretold: Foretold | null = null;
  /** The word of the bitmap of which was told last, and what. */
  #told = 0;
  readonly #soon = new Int32Array(FORETOLD_MAX);

  constructor() {
    this.takenAt = 0;
    this.#startAt(0);
  }

  get size(): number {
    return this.#near + this.#waiting + this.#far.size;
  }

  push(at: number, event: number): void {
    if (at < this.#nearUntil) this.#insert(this.#slots.take(at, event), at);
    else if (at < this.#windowsUntil) this.#wait(at, event);
    else this.#far.push(at, event);
  }

  foretell(to: Foretold): void {
    this.#foretold = to;
  }

  take(limit: number): number {
    const lasts = this.#lasts;
    let last = ((lasts[this.#bucket] ?? 0) - 1) | 0;
    if (last < 0) {
      if (!this.#turnOn(limit)) return NO_EVENT;
      last = ((lasts[this.#bucket] ?? 0) - 1) | 0;
    }
    const slots = this.#slots;
    const { times, words } = slots;
    const first = words[last | 3] ?? 0;
    const at = times[first >> 1] ?? 0;
    if (at > limit) return NO_EVENT;
    if (first === last) this.#emptied(this.#bucket);
    else words[last | 3] = words[first | 3] ?? 0;
    this.#near = (this.#near - 1) | 0;
    this.takenAt = at;
    const event = words[first | 2] ?? NO_EVENT;
    slots.give(first);
    return event;
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

  #wait(at: number, event: number): void {
    this.#waiting = (this.#waiting + 1) | 0;
    this.#windows.push((at * PER_WINDOW) & (WINDOWS - 1), at, event);
  }

  #emptied(place: number): void {
    this.#lasts[place] = 0;
    const filled = this.#filled;
    const word = place >>> 5;
    filled[word] = (filled[word] ?? 0) & ~(1 << place);
  }

  /** To the next bucket that has events, unless it begins after `limit` or there is none. */
  #turnOn(limit: number): boolean {
    if (this.#near === 0) {
      while (this.#near === 0) if (!this.#skip(limit)) return false;
      if (this.#lasts[this.#bucket] !== 0) return true;
    }
    const next = this.#nextFilled();
    const begins = this.#begins + ((next - this.#bucket) & MASK) * WIDTH;
    if (begins > limit) return false;
    if (begins >= this.#nearUntil - WINDOW) this.#nextWindow();
    this.#begins = begins;
    this.#bucket = next;
    if (next >>> 5 !== this.#told && this.#foretold !== null) this.#tell(next >>> 5);
    return true;
  }

  /**
   * Of the next 32 buckets: their events are due within four milliseconds. Where events are so few
   * that 32 buckets are passed over, they are not foretold, and need not be.
   */
  #tell(present: number): void {
    this.#told = present;
    const word = (present + 1) & WORDS_MASK;
    const { words } = this.#slots;
    const soon = this.#soon;
    let count = 0;
    for (let bits = this.#filled[word] ?? 0; bits !== 0; bits &= bits - 1) {
      const last = ((this.#lasts[(word << 5) | bitOf(bits)] ?? 0) - 1) | 0;
      let one = last;
      do {
        one = words[one | 3] ?? 0;
        soon[count] = words[one | 2] ?? 0;
        count += 1;
      } while (one !== last && count < FORETOLD_MAX);
      if (count === FORETOLD_MAX) break;
    }
    if (count > 0) this.#foretold?.soon(soon, count);
  }

  /** The buckets are empty: to the next window, or, where all are, to the first far event's. */
  #skip(limit: number): boolean {
    const isFar = this.#waiting === 0;
    if (isFar && this.#far.size === 0) return false;
    const starts = isFar
      ? Math.floor(this.#far.firstAt * PER_WINDOW) * WINDOW
      : this.#nearUntil - WINDOW;
    if (starts > limit) return false;
    if (isFar) {
      this.#startAt(starts);
      this.#takeIn();
      return true;
    }
    this.#nextWindow();
    this.#begins = starts;
    this.#bucket = (starts * PER_BUCKET) & MASK;
    return true;
  }

  /** The present window begins there, and nothing has come yet. */
  #startAt(at: number): void {
    this.#begins = at;
    this.#bucket = (at * PER_BUCKET) & MASK;
    this.#nearUntil = at + 2 * WINDOW;
    this.#windowsUntil = this.#nearUntil + WINDOWS * WINDOW;
  }

  /** The next window begins, and what waits in the one after it joins the buckets. */
  #nextWindow(): void {
    const place = (this.#nearUntil * PER_WINDOW) & (WINDOWS - 1);
    this.#nearUntil += WINDOW;
    this.#windowsUntil += WINDOW;
    this.#waiting -= this.#windows.empty(place, this.#join);
    if (this.#far.firstAt < this.#windowsUntil) this.#takeIn();
  }

  /** What has come into reach leaves the heap. */
  #takeIn(): void {
    const far = this.#far;
    while (far.firstAt < this.#windowsUntil) {
      const event = far.take(this.#windowsUntil);
      this.push(far.takenAt, event);
    }
  }

  /** The first bucket after the present one that has events; there must be one. */
  #nextFilled(): number {
    const start = (this.#bucket + 1) & MASK;
    const filled = this.#filled;
    let word = start >>> 5;
    let bits = (filled[word] ?? 0) & (-1 << start);
    while (bits === 0) {
      word = (word + 1) & WORDS_MASK;
      bits = filled[word] ?? 0;
    }
    return (word << 5) | bitOf(bits);
  }
}

/** The lowest of its bits. */
function bitOf(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}
