/** The wake-up of a policy of which there are few (sleepers.ts is for many). */
import type { Micros } from '../../model/units.ts';
import type { Actor, Engine } from './engine.ts';

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
  wakeAt(at: Micros): void {
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
    this.#queuedAt = Math.max(at, this.#engine.now);
    this.#engine.at(this.#queuedAt, this, 0);
  }
}
