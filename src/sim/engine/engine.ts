/**
 * Simulated time: takes events from the queue one after the other and lets their actors act.
 * Nothing here knows what is simulated.
 *
 * What follows from an event within the same instant is a *consequence*: mostly a decision of a
 * policy, which must not be carried out before the policy's input has returned
 * (policy/contract.ts). Consequences come in the order in which they were found, before the next
 * event, and cost a few stores in a ring instead of a place in the queue.
 */
import type { Micros } from '../../model/units.ts';
import type { Actor, EventQueue } from './event-queue.ts';

/** Whoever carries out consequences. */
export interface Follower {
  /** `kind`, `number` and `subject` are what was given. */
  follow(kind: number, number: number, subject: unknown): void;
}

const RING = 1_024;

export class Engine {
  now: Micros = 0;
  /** Events that have happened. */
  events = 0;
  readonly #queue: EventQueue;
  readonly #followers: (Follower | null)[] = new Array<Follower | null>(RING).fill(null);
  readonly #subjects: unknown[] = new Array<unknown>(RING).fill(null);
  readonly #kinds: number[] = new Array<number>(RING).fill(0);
  readonly #numbers: number[] = new Array<number>(RING).fill(0);
  #first = 0;
  #last = 0;

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

  /** `follower.follow(kind, number, subject)` within this instant, after what was asked before. */
  next(follower: Follower, kind: number, number: number, subject: unknown): void {
    const place = this.#last;
    this.#last = place + 1;
    this.#followers[place] = follower;
    this.#kinds[place] = kind;
    this.#numbers[place] = number;
    this.#subjects[place] = subject;
  }

  /** Carries out all consequences, and those that follow from them. */
  settle(): void {
    while (this.#first < this.#last) {
      const place = this.#first;
      this.#first = place + 1;
      const follower = this.#followers[place];
      const subject = this.#subjects[place];
      this.#subjects[place] = null;
      follower?.follow(this.#kinds[place] ?? 0, this.#numbers[place] ?? 0, subject);
    }
    this.#first = 0;
    this.#last = 0;
  }

  /** Lives through time up to `until`, but at most `eventsMax` events; false when it was cut. */
  run(until: Micros, eventsMax: number): boolean {
    const queue = this.#queue;
    this.settle();
    for (let left = eventsMax; left > 0; left--) {
      const slot = queue.take(until);
      if (slot < 0) {
        this.events += eventsMax - left;
        this.now = until;
        return true;
      }
      const { times, words, actors } = queue.slots;
      this.now = times[slot >> 1] ?? 0;
      (actors[slot >> 2] as Actor).fire(words[slot | 2] ?? 0);
      if (this.#last > 0) this.settle();
    }
    this.events += eventsMax;
    return false;
  }

  /** Lets everything that `wanted` accepts happen without passing time; the rest is dropped. */
  drain(wanted: (actor: Actor) => boolean): void {
    const queue = this.#queue;
    this.settle();
    for (;;) {
      const slot = queue.take(Number.POSITIVE_INFINITY);
      if (slot < 0) return;
      const { words, actors } = queue.slots;
      const actor = actors[slot >> 2] as Actor;
      if (!wanted(actor)) continue;
      actor.fire(words[slot | 2] ?? 0);
      this.settle();
    }
  }
}
