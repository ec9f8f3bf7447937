/**
 * The live engine's only clock and its wake-up timers.
 *
 * Time is the machine's monotonic clock in whole microseconds, the same in every process
 * (CLOCK_MONOTONIC): `performance.now()` is cheap but counts from the start of its process, so
 * its offset to `process.hrtime` is measured once, as the best of several readings.
 *
 * `freeze()` stops all wake-ups from firing. The supervisor freezes every process before the
 * books are struck, so that no idle timeout opens or closes a connection between two counts.
 */
import type { Micros } from '../../model/units.ts';
import { moment } from './moment.ts';
import { PollBudget } from './poll-budget.ts';

export class Clock {
  /** What may be spent on looking at this clock again and again. */
  readonly polling = new PollBudget();
  readonly #offset: number;
  /** When the event began that is being handled (moment.ts). */
  #moment = 0;
  #momentAt: Micros = 0;
  #frozen = false;

  constructor() {
    let best = Number.POSITIVE_INFINITY;
    let offset = 0;
    for (let i = 0; i < 16; i++) {
      const before = performance.now();
      const machine = Number(process.hrtime.bigint()) / 1_000;
      const after = performance.now();
      if (after - before < best) {
        best = after - before;
        offset = machine - ((before + after) / 2) * 1_000;
      }
    }
    this.#offset = offset;
  }

  /** µs on the machine's monotonic clock. */
  readonly now = (): Micros => {
    const { number } = moment;
    if (number !== 0 && number === this.#moment) return this.#momentAt;
    const at = Math.floor(performance.now() * 1_000 + this.#offset);
    this.#moment = number;
    this.#momentAt = at;
    return at;
  };

  /** µs since 1970 at monotonic 0. */
  epoch(): Micros {
    return Date.now() * 1_000 - this.now();
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
  }
}

/** setTimeout takes at most an int32 of milliseconds. */
const TIMEOUT_MAX_MS = 2_000_000_000;

/** One pending wake-up, as a policy's port needs it: late perhaps, never early. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: (now: Micros) => void;
  #at = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, wake: (now: Micros) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Replaces the pending wake-up; Infinity cancels it. */
  wakeAt(at: Micros): void {
    this.#at = at;
    // A timer that fires too soon just arms itself again: cheaper than a new timer each time.
    if (at >= this.#timerAt) return;
    this.#arm();
  }

  cancel(): void {
    this.wakeAt(Number.POSITIVE_INFINITY);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#at === Number.POSITIVE_INFINITY) return;
    const milliseconds = Math.ceil((this.#at - this.#clock.now()) / 1_000);
    this.#timerAt = this.#at;
    this.#timer = setTimeout(this.#fire, Math.min(Math.max(milliseconds, 0), TIMEOUT_MAX_MS));
  }

  readonly #fire = (): void => {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#clock.frozen || this.#at === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    if (now < this.#at) {
      this.#arm();
      return;
    }
    this.#at = Number.POSITIVE_INFINITY;
    this.#wake(now);
  };
}
