/**
 * Places for events that wait, in typed arrays that grow by doubling. A place given back is the
 * next to be taken: it is still in the cache.
 */
import type { Actor } from './event-queue.ts';

const NONE = -1;

export class Slots {
  at = new Float64Array(1_024);
  arg = new Int32Array(1_024);
  /** For whoever keeps lists of slots; of free ones, the next free one. */
  next = new Int32Array(1_024);
  /** Of a free place, whoever was there last. */
  readonly actor: Actor[] = [];
  #free = NONE;
  #used = 0;

  take(at: number, actor: Actor, arg: number): number {
    const slot = this.#free === NONE ? this.#fresh() : this.#free;
    this.#free = this.next[slot] ?? NONE;
    this.at[slot] = at;
    this.arg[slot] = arg;
    this.actor[slot] = actor;
    return slot;
  }

  give(slot: number): void {
    this.next[slot] = this.#free;
    this.#free = slot;
  }

  #fresh(): number {
    const slot = this.#used;
    this.#used += 1;
    if (slot >= this.at.length) this.#grow();
    this.next[slot] = NONE;
    return slot;
  }

  #grow(): void {
    const length = this.at.length * 2;
    const at = new Float64Array(length);
    const arg = new Int32Array(length);
    const next = new Int32Array(length);
    at.set(this.at);
    arg.set(this.arg);
    next.set(this.next);
    this.at = at;
    this.arg = arg;
    this.next = next;
  }
}
