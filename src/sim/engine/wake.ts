/**
 * The wake-up of a policy. A policy moves its wake-up with every request; an event in the queue
 * cannot be moved. So one that is too early stays where it is and looks again when it fires: most
 * wake-ups cost nothing until the time they were first asked for has come.
 *
 *   asked for:  100 ── 160 ── 230            in the queue:  100 ──► (at 100: not yet) 230
 */
import type { Micros } from '../../model/units.ts';
import type { Engine } from './engine.ts';
import type { Actor } from './event-queue.ts';

const NEVER = Number.POSITIVE_INFINITY;

export class Wake implements Actor {
  readonly #engine: Engine;
  readonly #wake: (now: Micros) => void;
  #at = NEVER;
  /** The earliest event of ours that is in the queue; later ones let themselves pass. */
  #queuedAt = NEVER;

  constructor(engine: Engine, wake: (now: Micros) => void) {
    this.#engine = engine;
    this.#wake = wake;
  }

  /** As `WakePort.wakeAt`: replaces what was asked before; Infinity = not at all. */
  ask(at: Micros): void {
    this.#at = at;
    if (at < this.#queuedAt) this.#queue(at);
  }

  fire(): void {
    const { now } = this.#engine;
    if (now !== this.#queuedAt) return;
    this.#queuedAt = NEVER;
    if (this.#at > now) {
      if (this.#at !== NEVER) this.#queue(this.#at);
      return;
    }
    this.#at = NEVER;
    this.#wake(now);
  }

  #queue(at: Micros): void {
    this.#queuedAt = at;
    this.#engine.at(at, this, 0);
  }
}
