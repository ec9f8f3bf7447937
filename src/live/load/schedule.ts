/**
 * What will be done later, in order of time and, at equal times, of insertion: a binary heap
 * and one timer. Late perhaps, never early.
 */
import type { Micros } from '../../model/units.ts';
import { type Clock, WakeTimer } from '../runtime/clock.ts';

interface Due {
  readonly at: Micros;
  readonly order: number;
  readonly run: (at: Micros) => void;
}

export class Schedule {
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  readonly #heap: Due[] = [];
  #order = 0;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = new WakeTimer(clock, (now) => this.#wake(now));
  }

  /** Things still to be done. */
  get size(): number {
    return this.#heap.length;
  }

  /** Calls `run` with its due time at that time or later. */
  at(at: Micros, run: (at: Micros) => void): void {
    this.#order += 1;
    const due = { at, order: this.#order, run };
    let index = this.#heap.length;
    this.#heap.push(due);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent] as Due;
      if (!before(due, above)) break;
      this.#heap[index] = above;
      index = parent;
    }
    this.#heap[index] = due;
    if (index === 0 && !this.#running) this.#timer.wakeAt(at);
  }

  /** Does at once what is due at `now`, without waiting for the timer. */
  catchUp(now: Micros): void {
    if (!this.#clock.frozen) this.#wake(now);
  }

  clear(): void {
    this.#heap.length = 0;
    this.#timer.cancel();
  }

  #wake(now: Micros): void {
    this.#running = true;
    for (let first = this.#heap[0]; first !== undefined && first.at <= now; first = this.#heap[0]) {
      this.#removeFirst();
      first.run(first.at);
    }
    this.#running = false;
    const next = this.#heap[0];
    if (next !== undefined) this.#timer.wakeAt(Math.max(next.at, this.#clock.now()));
  }

  #removeFirst(): void {
    const last = this.#heap.pop() as Due;
    const size = this.#heap.length;
    if (size === 0) return;
    let index = 0;
    for (let child = 1; child < size; child = 2 * index + 1) {
      const right = this.#heap[child + 1];
      let least = child;
      if (right !== undefined && before(right, this.#heap[child] as Due)) least = child + 1;
      const below = this.#heap[least] as Due;
      if (!before(below, last)) break;
      this.#heap[index] = below;
      index = least;
    }
    this.#heap[index] = last;
  }
}

function before(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
