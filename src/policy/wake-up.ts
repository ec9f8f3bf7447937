/**
 * The one pending wake-up of a policy. Most inputs put it off, and hardly one is still wanted when
 * its time comes: so inputs that come with every request leave it where it is, too early, and a
 * wake-up that finds nothing due asks for the next. It asks the port only when the time has
 * changed, because that costs a timer or a place in an event queue.
 */
import type { WakePort } from './contract.ts';

const NEVER = Number.POSITIVE_INFINITY;

export class WakeUp {
  readonly #port: WakePort;
  #at = NEVER;

  constructor(port: WakePort) {
    this.#port = port;
  }

  /** When it comes; Infinity = none is pending. */
  get at(): number {
    return this.#at;
  }

  /** The policy wants to be woken at `at` (µs); Infinity = not at all. */
  ask(at: number): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#port.wakeAt(at);
  }

  /** To be called first in `wake`: what was asked for is used up. */
  fired(): void {
    this.#at = NEVER;
  }
}
