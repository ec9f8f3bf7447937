/**
 * Simulated time: takes events from the queue one after the other and lets their actors act.
 * Nothing here knows what is simulated.
 */
import type { Micros } from '../../model/units.ts';
import type { Actor, EventQueue } from './event-queue.ts';

export class Engine {
  now: Micros = 0;
  /** Events that have happened. */
  events = 0;
  /** Time stands still at the end of the load: what is on its way may arrive, no more. */
  stopped = false;
  readonly #queue: EventQueue;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  /** Events that have still to happen. */
  get pending(): number {
    return this.#queue.size;
  }

  /** `actor.fire(arg)` at `at`, which is not before now. */
  at(at: Micros, actor: Actor, arg: number): void {
    this.#queue.push(at, actor, arg);
  }

  /** Lives through time up to `until`, but at most `eventsMax` events; false when it was cut. */
  run(until: Micros, eventsMax: number): boolean {
    const queue = this.#queue;
    for (let left = eventsMax; left > 0; left--) {
      if (!queue.take(until)) {
        this.events += eventsMax - left;
        this.now = until;
        return true;
      }
      this.now = queue.at;
      queue.actor.fire(queue.arg);
    }
    this.events += eventsMax;
    return false;
  }

  /** Lets everything that `wanted` accepts happen without passing time; the rest is dropped. */
  drain(wanted: (actor: Actor) => boolean): void {
    const queue = this.#queue;
    while (queue.take(Number.POSITIVE_INFINITY)) {
      if (wanted(queue.actor)) queue.actor.fire(queue.arg);
    }
  }
}
