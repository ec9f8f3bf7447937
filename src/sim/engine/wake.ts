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

/** A driver that is the `WakePort` of its policy. */
export abstract class Sleeper implements Actor {
  protected readonly engine: Engine;
  #at = NEVER;
  /** The earliest event of ours that is in the queue; later ones let themselves pass. */
  #queuedAt = NEVER;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** The time that was asked for has come. */
  protected abstract woken(now: Micros): void;

  /** As `WakePort.wakeAt`: replaces what was asked before; Infinity = not at all. */
  wakeAt(at: Micros): void {
    this.#at = at;
    if (at < this.#queuedAt) this.#queue(at);
  }

  /** Whether it will be woken, sooner or later. */
  protected get awaits(): boolean {
    return this.#at !== NEVER;
  }

  fire(): void {
    const { now } = this.engine;
    if (now !== this.#queuedAt) return;
    this.#queuedAt = NEVER;
    if (this.#at > now) {
      if (this.#at !== NEVER) this.#queue(this.#at);
      return;
    }
    this.#at = NEVER;
    this.woken(now);
  }

  #queue(at: Micros): void {
    // What has come due meanwhile is due now.
    this.#queuedAt = Math.max(at, this.engine.now);
    this.engine.at(this.#queuedAt, this, 0);
  }
}

/** The wake-up of a policy whose driver is something else. */
export class Wake extends Sleeper {
  readonly #wake: (now: Micros) => void;

  constructor(engine: Engine, wake: (now: Micros) => void) {
    super(engine);
    this.#wake = wake;
  }

  protected override woken(now: Micros): void {
    this.#wake(now);
  }
}
