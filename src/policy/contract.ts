/**
 * What every policy has in common.
 *
 * A policy is a pure state machine: it works on small integers and typed arrays, is told `now`
 * (µs) as the first argument of every input, and acts only through its port. It never reads a
 * clock, sets a timer, opens a socket or draws unseeded chance, so that the live engine and the
 * simulator run the same code, and a recorded run can be replayed decision by decision.
 *
 * Rules:
 * - Every input is a method `name(now, ...integers)` listed in the class's static `inputs`.
 * - Every effect is a port method `name(...integers)`; the port's methods are listed in the
 *   class's static `outputs`. A port method may be called from within an input, never later.
 * - A port method must not call back into the policy synchronously; drivers that must react
 *   queue the next input until the present one has returned. Nor does a policy call an input of
 *   its own: the recorder replaces them, and would take it for a call from outside.
 * - At most one pending wake-up: `wakeAt(at)` replaces the former; at = Infinity cancels it. A
 *   policy asks again only when it must be earlier, or when it was woken (wake-up.ts).
 *   `wake(now)` may come late, never early; a wake-up that finds nothing to do is harmless.
 * - Identifiers (connections, waiters, targets) are integers >= 0 chosen by the driver unless
 *   the policy says that it hands them out; a driver may reuse one after the policy let go of it.
 * - `settings` may be replaced while running with `configure(now, settings)`.
 * - `snapshot()` gives a plain object of counts, for inspection only.
 */
export interface WakePort {
  /** Ask for `wake(now)` at `at` or later (µs). Replaces the former request. Infinity = none. */
  wakeAt(at: number): void;
}

export interface DrawPort {
  /** A uniform integer in 0 .. bound - 1 from the stream that belongs to this policy. */
  draw(bound: number): number;
}

/** The constructor's static side: names of inputs and outputs, for recording and replay. */
export interface PolicyClass {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}
