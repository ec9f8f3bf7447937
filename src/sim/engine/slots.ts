/** Places for the numbers of events that wait, in typed arrays that grow by doubling. */
import { type Actor, NOBODY } from './event-queue.ts';

export class Slots {
  at = new Float64Array(1_024);
  arg = new Int32Array(1_024);
  /** For whoever keeps lists of slots. */
  next = new Int32Array(1_024);
  readonly actor: Actor[] = [];
  readonly #free: number[] = [];
  #used = 0;

  take(at: number, actor: Actor, arg: number): number {
    const slot = this.#free.pop() ?? this.#fresh();
    this.at[slot] = at;
    this.arg[slot] = arg;
    this.actor[slot] = actor;
    return slot;
  }

  give(slot: number): void {
    this.actor[slot] = NOBODY;
    this.#free.push(slot);
  }

  #fresh(): number {
    const slot = this.#used;
    this.#used += 1;
    if (slot >= this.at.length) this.#grow();
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
