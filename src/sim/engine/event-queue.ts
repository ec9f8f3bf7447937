/**
 * The queue of future events, in order of time and, at equal times, of insertion. Two
 * implementations behind one interface must give the same run to the last byte: a heap, simple
 * enough to trust (heap-queue.ts), and a wheel with a heap behind it, faster (wheel-queue.ts).
 *
 * An event is three numbers and who hears of it; nothing is allocated per event. What was pushed
 * cannot be taken back: an actor that has changed its mind lets the event pass (wake.ts).
 */

import type { Slots } from './slots.ts';

/** Whoever has something to do later. */
export interface Actor {
  /** `arg` is what was given when the event was pushed; the time is the engine's `now`. */
  fire(arg: number): void;
}

export interface EventQueue {
  /** Events in it. */
  readonly size: number;
  /** Time of the earliest, Infinity when there is none. */
  readonly firstAt: number;
  /** Where time, actor and argument of an event are. */
  readonly slots: Slots;
  /** `at` (µs) must not lie before the event that was taken last. */
  push(at: number, actor: Actor, arg: number): void;
  /** Takes the earliest if it is due by `limit`: its slot, up to the next push; else NO_SLOT. */
  take(limit: number): number;
}
