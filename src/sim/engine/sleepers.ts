/**
 * The wake-ups of many policies of one kind. A policy moves its wake-up with every request; an
 * event in the queue cannot be moved. So one that is too early stays where it is and looks again
 * when it fires: most wake-ups cost nothing until the time they were first asked for has come.
 *
 *   asked for:  100 ── 160 ── 230            in the queue:  100 ──► (at 100: not yet) 230
 */
import type { Micros } from '../../model/units.ts';
import type { Engine } from './engine.ts';
import type { EventOf } from './event.ts';

const NEVER = Number.POSITIVE_INFINITY;
const FIRST_ROOM = 16;

export class Sleepers {
  readonly #engine: Engine;
  readonly #kind: EventOf;
  /** Two each: when it is to be woken, and the earliest event of its that is in the queue. */
  #times = new Float64Array(2 * FIRST_ROOM).fill(NEVER);

  /** `kind`: of their events. */
  constructor(engine: Engine, kind: EventOf) {
    this.#engine = engine;
    this.#kind = kind;
  }

  /** There is one of that number. */
  room(sleeper: number): void {
    while (2 * sleeper >= this.#times.length) {
      const times = new Float64Array(this.#times.length * 2).fill(NEVER);
      times.set(this.#times);
      this.#times = times;
    }
  }

  /** As `WakePort.wakeAt`: replaces what was asked before; Infinity = not at all. */
  wakeAt(sleeper: number, at: Micros): void {
    const times = this.#times;
    times[2 * sleeper] = at;
    if (at < (times[2 * sleeper + 1] ?? NEVER)) this.#queue(sleeper, at);
  }

  /** Whether it will be woken, sooner or later. */
  awaits(sleeper: number): boolean {
    return this.#times[2 * sleeper] !== NEVER;
  }

  /** An event of its has come. True: so has the time that was asked for. */
  isDue(sleeper: number): boolean {
    const { now } = this.#engine;
    const times = this.#times;
    if (now !== times[2 * sleeper + 1]) return false;
    times[2 * sleeper + 1] = NEVER;
    const at = times[2 * sleeper] ?? NEVER;
    if (at > now) {
      if (at !== NEVER) this.#queue(sleeper, at);
      return false;
    }
    times[2 * sleeper] = NEVER;
    return true;
  }

  #queue(sleeper: number, at: Micros): void {
    // What has come due meanwhile is due now.
    const due = Math.max(at, this.#engine.now);
    this.#times[2 * sleeper + 1] = due;
    this.#engine.push(due, this.#kind, sleeper);
  }
}
