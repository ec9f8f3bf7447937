/**
 * A lane: timeouts of one constant delay, in the order in which they were set. Thousands are set
 * and hardly one strikes, so setting and clearing cost a few pointers, and the whole lane has one
 * event in the queue: for the first of them, or for one that was first.
 */
import type { Micros } from '../../model/units.ts';
import type { Engine } from './engine.ts';
import { Sleeper } from './wake.ts';

/** What can time out; in one lane at a time. */
export abstract class Timeout {
  timeoutAt: Micros = 0.5;
  laneNext: Timeout | null = null;
  lanePrevious: Timeout | null = null;
  lane: Lane | null = null;

  /** The time is over; it is in no lane any more. */
  abstract expired(): void;
}

export class Lane extends Sleeper {
  /** µs; 0 = none of them ever strikes. */
  readonly delay: Micros = 0;
  #head: Timeout | null = null;
  #tail: Timeout | null = null;

  constructor(engine: Engine, delay: Micros) {
    super(engine);
    this.delay = delay;
  }

  /** Sets it, or sets it anew. */
  set(timeout: Timeout): void {
    if (timeout.lane !== null) {
      // Nothing was set in between: it stays where it is.
      if (timeout.lane === this && timeout === this.#tail) {
        timeout.timeoutAt = this.engine.now + this.delay;
        return;
      }
      timeout.lane.clear(timeout);
    }
    if (this.delay === 0) return;
    timeout.timeoutAt = this.engine.now + this.delay;
    timeout.lane = this;
    timeout.lanePrevious = this.#tail;
    if (this.#tail === null) {
      this.#head = timeout;
      // An event that is there already looks again when it fires.
      if (!this.awaits) this.wakeAt(timeout.timeoutAt);
    } else this.#tail.laneNext = timeout;
    this.#tail = timeout;
  }

  clear(timeout: Timeout): void {
    if (timeout.lane !== this) return;
    const { laneNext, lanePrevious } = timeout;
    if (lanePrevious === null) this.#head = laneNext;
    else lanePrevious.laneNext = laneNext;
    if (laneNext === null) this.#tail = lanePrevious;
    else laneNext.lanePrevious = lanePrevious;
    timeout.laneNext = null;
    timeout.lanePrevious = null;
    timeout.lane = null;
  }

  protected override woken(now: Micros): void {
    for (let head = this.#head; head !== null && head.timeoutAt <= now; head = this.#head) {
      this.clear(head);
      head.expired();
    }
    if (this.#head !== null) this.wakeAt(this.#head.timeoutAt);
  }
}
