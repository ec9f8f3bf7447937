/**
 * The one pending wake-up of a policy. It asks the port only when the time has changed, because
 * most inputs leave it as it was, and a request costs a timer or a place in an event queue.
 */
import type { WakePort } from './contract.ts';

export class WakeUp {
  readonly #port: WakePort;
  #at = Number.POSITIVE_INFINITY;

  constructor(port: WakePort) {
    this.#port = port;
  }

  /** The policy wants to be woken at `at` (µs); Infinity = not at all. */
  ask(at: number): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#port.wakeAt(at);
  }

  /** To be called first in `wake`: what was asked for is used up. */
  fired(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }
}
