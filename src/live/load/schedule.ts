/**
 * What will be done later, in order of time and, at equal times, of insertion: a heap
 * and one timer. Late perhaps, never early.
 */
import type { Micros } from '../../model/units.ts';
import { type Clock, WakeTimer } from '../runtime/clock.ts';
import { DueHeap } from '../runtime/due-heap.ts';

export class Schedule {
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  readonly #due = new DueHeap<(at: Micros) => void>();
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = new WakeTimer(clock, (now) => this.#wake(now));
  }

  /** Things still to be done. */
  get size(): number {
    return this.#due.size;
  }

  /** Calls `run` with its due time at that time or later. */
  at(at: Micros, run: (at: Micros) => void): void {
    this.#due.add(at, run);
    if (at === this.#due.firstAt && !this.#running) this.#timer.wakeAt(at);
  }

  /** Does at once what is due at `now`, without waiting for the timer. */
  catchUp(now: Micros): void {
    if (!this.#clock.frozen) this.#wake(now);
  }

  clear(): void {
    this.#due.clear();
    this.#timer.cancel();
  }

  #wake(now: Micros): void {
    const due = this.#due;
    this.#running = true;
    for (let at = due.firstAt; at <= now; at = due.firstAt) due.takeFirst()?.(at);
    this.#running = false;
    if (due.size > 0) this.#timer.wakeAt(Math.max(due.firstAt, this.#clock.now()));
  }
}
