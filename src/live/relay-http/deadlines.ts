/**
 * Deadlines of one constant delay: a doubly linked list in order of time and one wake-up timer
 * for all of it. Every relay has thousands of requests that could time out and hardly one that
 * does, so setting and clearing must cost a few pointers, not a timer (DESIGN.md, constant-delay
 * lanes).
 *
 *   head ─► at 100 ─► at 120 ─► at 121 ─► tail      set() appends, clear() unlinks: both O(1)
 *
 * A delay of 0 means none. Expiry comes late perhaps, never early.
 */
import type { Micros } from '../../model/units.ts';
import { type Clock, WakeTimer } from '../runtime/clock.ts';

/**
 * What can time out; at most in one list at a time. Its fields are assigned, not defined: a
 * definition costs V8 half a microsecond each where a class has more than four heirs, and there
 * are several deadlines to a request.
 */
export abstract class Deadline {
  declare at: Micros;
  declare next: Deadline | null;
  declare previous: Deadline | null;
  declare list: Deadlines | null;

  constructor() {
    this.at = Number.POSITIVE_INFINITY;
    this.next = null;
    this.previous = null;
    this.list = null;
  }

  /** The deadline has passed; it is in no list any more. */
  abstract expired(): void;

  clear(): void {
    this.list?.remove(this);
  }
}

export class Deadlines {
  readonly delay: Micros;
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  #head: Deadline | null = null;
  #tail: Deadline | null = null;

  constructor(clock: Clock, delay: Micros) {
    this.delay = delay;
    this.#clock = clock;
    this.#timer = new WakeTimer(clock, (now) => this.#wake(now));
  }

  /** Sets or moves a deadline to `delay` from now. */
  set(deadline: Deadline): void {
    deadline.clear();
    if (this.delay === 0) return;
    deadline.at = this.#clock.now() + this.delay;
    deadline.list = this;
    deadline.previous = this.#tail;
    if (this.#tail === null) {
      this.#head = deadline;
      this.#timer.wakeAt(deadline.at);
    } else {
      this.#tail.next = deadline;
    }
    this.#tail = deadline;
  }

  remove(deadline: Deadline): void {
    if (deadline.list !== this) return;
    if (deadline.previous === null) this.#head = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === null) this.#tail = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.next = null;
    deadline.previous = null;
    deadline.list = null;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wake(now: Micros): void {
    // The timer may stand on a deadline that was cleared: then it only moves on to the next.
    for (let head = this.#head; head !== null && head.at <= now; head = this.#head) {
      this.remove(head);
      head.expired();
    }
    if (this.#head !== null) this.#timer.wakeAt(this.#head.at);
  }
}
