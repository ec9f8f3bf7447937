/**
 * Places for events that wait, in typed arrays that grow by doubling. A place given back is the
 * next to be taken: it is still in the cache. Time, event and next place lie in 16 bytes together:
 * one line to fetch.
 *
 *   times │   at    │ event next │   at    │ event next │ ...
 *   words │  0 │ 1  │   2  │  3  │  4 │ 5  │   6  │  7  │
 *
 * A slot is known by its first word: 0, 4, 8, ... Its time is at half of that, and its other words
 * by `|`: shifts and ors of integers cannot overflow, so that the compiled code need not look.
 */
const FIRST_ROOM = 1_024;
const WORDS = 4;

export class Slots {
  times = new Float64Array((WORDS / 2) * FIRST_ROOM);
  words = new Int32Array(this.times.buffer);
  #free = -1;
  #used = 0;

  take(at: number, event: number): number {
    const slot = this.#free < 0 ? this.#fresh() : this.#free;
    const { words } = this;
    this.#free = words[slot | 3] ?? -1;
    this.times[slot >> 1] = at;
    words[slot | 2] = event;
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
