/**
 * The queue of future events, in order of time and, at equal times, of insertion. Two
 * implementations behind one interface must give the same run to the last byte: a heap, simple
 * enough to trust (heap-queue.ts), and wheels with a heap behind them, faster (wheel-queue.ts).
 *
 * An event is a time and a number that says what it is (event.ts): nothing is allocated for it.
 * What was pushed cannot be taken back: who has changed its mind lets the event pass (sleepers.ts).
 */

/** Events that are foretold at a time, at most. */
export const FORETOLD_MAX = 256;

/** Whoever wants to know beforehand; nothing may depend on whether it is told. */
export interface Foretold {
  /** The first `count` of these events are due within a few milliseconds. */
  soon(events: Int32Array, count: number): void;
}

/** No event, as whatever is below 0. */
export const NO_EVENT = -1;

export interface EventQueue {
  /** Events in it. */
  readonly size: number;
  /** Time of the event that was taken last. */
  readonly takenAt: number;
  /** `at` (µs) must not lie before the event that was taken last; `event` is not negative. */
  push(at: number, event: number): void;
  /** Takes the earliest if it is due by `limit`; else NO_EVENT. */
  take(limit: number): number;
  /** From now on tells somebody which events come soon, if it knows. */
  foretell(to: Foretold): void;
}
