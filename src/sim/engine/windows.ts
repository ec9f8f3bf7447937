/**
 * Events that lie too far ahead to be sorted yet: in windows of time, each in the order of
 * insertion. When they are due they have long left the cache, so they lie one behind the other in
 * chunks, and are fetched as such; in a chain each would be waited for.
 *
 *   window ──► first chunk │ event │ event │ ... ──► last chunk │ event │
 */

/** Events of a chunk: a power of two. */
export const CHUNK = 64;
const FIRST_CHUNKS = 16;
const NONE = -1;

export class Windows {
  /** Of each chunk, CHUNK places. */
  #times = new Float64Array(FIRST_CHUNKS * CHUNK);
  #events = new Int32Array(FIRST_CHUNKS * CHUNK);
  /** By chunk: the one behind it, in its window or among the free. */
  #behind = new Int32Array(FIRST_CHUNKS);
  #free = NONE;
  #used = 0;
  /** By window: its events, and its first and last chunk, where it has any. */
  readonly #counts: Int32Array;
  readonly #firsts: Int32Array;
  readonly #lasts: Int32Array;

  constructor(windows: number) {
    this.#counts = new Int32Array(windows);
    this.#firsts = new Int32Array(windows);
    this.#lasts = new Int32Array(windows);
  }

  /** How many chunks there are, in use or not. */
  get chunks(): number {
    return this.#used;
  }

  push(window: number, at: number, event: number): void {
    const count = this.#counts[window] ?? 0;
    const place = count & (CHUNK - 1);
    if (place === 0) this.#extend(window, count === 0);
    const slot = ((this.#lasts[window] ?? 0) * CHUNK) | place;
    this.#times[slot] = at;
    this.#events[slot] = event;
    this.#counts[window] = (count + 1) | 0;
  }

  /** Empties a window; its events come in the order in which they went in. How many they were. */
  empty(window: number, to: (at: number, event: number) => void): number {
    const count = this.#counts[window] ?? 0;
    this.#counts[window] = 0;
    let chunk = this.#firsts[window] ?? 0;
    for (let done = 0; done < count; ) {
      const first = chunk * CHUNK;
      const size = Math.min(CHUNK, count - done);
      for (let slot = first; slot < first + size; slot++) {
        to(this.#times[slot] ?? 0, this.#events[slot] ?? 0);
      }
      done += size;
      const next = this.#behind[chunk] ?? 0;
      this.#behind[chunk] = this.#free;
      this.#free = chunk;
      chunk = next;
    }
    return count;
  }

  #extend(window: number, isFirst: boolean): void {
    let chunk = this.#free;
    if (chunk !== NONE) this.#free = this.#behind[chunk] ?? NONE;
    else {
      chunk = this.#used;
      this.#used += 1;
      if (chunk === this.#behind.length) this.#grow();
    }
    if (isFirst) this.#firsts[window] = chunk;
    else this.#behind[this.#lasts[window] ?? 0] = chunk;
    this.#lasts[window] = chunk;
  }

  #grow(): void {
    const chunks = this.#behind.length * 2;
    const times = new Float64Array(chunks * CHUNK);
    const events = new Int32Array(chunks * CHUNK);
    const behind = new Int32Array(chunks);
    times.set(this.#times);
    events.set(this.#events);
    behind.set(this.#behind);
    this.#times = times;
    this.#events = events;
    this.#behind = behind;
  }
}
