/**
 * How much of its time a process may spend looking whether something is due, without sleeping:
 * SHARE of it, saved up for at most SAVED_MAX. One budget for the process, however many stations
 * it has: 66 of them with one each would never sleep.
 */
import type { Micros } from '../../model/units.ts';

const SHARE = 0.05;
/** This long may be polled after a quiet time. */
const SAVED_MAX: Micros = 10_000;

export class PollBudget {
  #left = SAVED_MAX;
  #at: Micros = 0;

  /** Pays for what was `spent` since the last look; true when there is some left. */
  allows(now: Micros, spent: Micros): boolean {
    const earned = Math.max(now - this.#at, 0) * SHARE;
    this.#at = now;
    this.#left = Math.min(this.#left + earned, SAVED_MAX) - spent;
    return this.#left > 0;
  }
}
