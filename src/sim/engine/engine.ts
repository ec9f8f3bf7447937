/**
 * Simulated time: takes events from the queue one after the other and lets happen what they stand
 * for. Nothing here knows what is simulated.
 *
 * What follows from an event within the same instant is a *consequence*: mostly a decision of a
 * policy, which must not be carried out before the policy's input has returned
 * (policy/contract.ts). Consequences come in the order in which they were found, before the next
 * event, and cost a few stores in a ring instead of a place in the queue.
 */
import type { Micros } from '../../model/units.ts';
import { EventOf, KIND_BITS, KIND_MASK } from './event.ts';
import { type EventQueue, type Foretold, NO_EVENT } from './event-queue.ts';

/** Whoever has something to do later that is too rare for a kind of its own. */
export interface Actor {
  /** `arg` is what was given with it; the time is the engine's `now`. */
  fire(arg: number): void;
}

/** Where events and consequences go: it knows who keeps which kind. */
export interface Happening {
  happens(kind: EventOf, which: number): void;
  follows(kind: number, which: number, detail: number, stamp: number): void;
}

const FIRST_RING = 1_024;
const NOBODY: Actor = { fire() {} };

export class Engine {
  // A fraction first: it will be large.
  now: Micros = 0.5;
  /** Events that have happened. */
  events = 0;
  readonly #queue: EventQueue;
  #happening: Happening = { happens() {}, follows() {} };
  /** Actors with an event in the queue, and what it is about: by number. */
  readonly #actors: Actor[] = [];
  readonly #args: number[] = [];
  readonly #free: number[] = [];
  /** Consequences: four words each. */
  #ring = new Int32Array(FIRST_RING * 4);
  #first = 0;
  #last = 0;

  constructor(queue: EventQueue) {
    this.#queue = queue;
    this.now = 0;
  }

  /** Who carries everything out; before anything is asked for. */
  serve(happening: Happening): void {
    this.#happening = happening;
  }

  /** Tells somebody which events come soon. */
  foretell(to: Foretold): void {
    this.#queue.foretell(to);
  }

  /** Events that have still to happen. */
  get pending(): number {
    return this.#queue.size;
  }

  /** An event at `at`, which is not before now. */
  push(at: Micros, kind: EventOf, which: number): void {
    this.#queue.push(at, (which << KIND_BITS) | kind);
  }

  /** `actor.fire(arg)` at `at`. */
  at(at: Micros, actor: Actor, arg: number): void {
    const number = this.#free.pop() ?? this.#actors.length;
    this.#actors[number] = actor;
    this.#args[number] = arg;
    this.push(at, EventOf.actor, number);
  }

  /** A consequence, after those that were found before. */
  next(kind: number, which: number, detail: number, stamp: number): void {
    if (this.#last === this.#ring.length) this.#grow();
    const ring = this.#ring;
    const place = this.#last;
    this.#last = place + 4;
    ring[place] = kind;
    ring[place + 1] = which;
    ring[place + 2] = detail;
    ring[place + 3] = stamp;
  }

  /** Carries out all consequences, and those that follow from them. */
  settle(): void {
    while (this.#first < this.#last) {
      const ring = this.#ring;
      const place = this.#first;
      this.#first = place + 4;
      this.#happening.follows(
        ring[place] ?? 0,
        ring[place + 1] ?? 0,
        ring[place + 2] ?? 0,
        ring[place + 3] ?? 0,
      );
    }
    this.#first = 0;
    this.#last = 0;
  }

  /** Lives through time up to `until`, but at most `eventsMax` events; false when it was cut. */
  run(until: Micros, eventsMax: number): boolean {
    const queue = this.#queue;
    this.settle();
    for (let left = eventsMax; left > 0; left--) {
      const event = queue.take(until);
      if (event === NO_EVENT) {
        this.events += eventsMax - left;
        this.now = until;
        return true;
      }
      this.now = queue.takenAt;
      this.#happens(event);
      if (this.#last > 0) this.settle();
    }
    this.events += eventsMax;
    return false;
  }

  /** Lets everything of one kind happen without passing time; the rest is dropped. */
  drain(kind: EventOf): void {
    this.settle();
    for (;;) {
      const event = this.#queue.take(Number.POSITIVE_INFINITY);
      if (event === NO_EVENT) return;
      if ((event & KIND_MASK) !== kind) continue;
      this.#happens(event);
      this.settle();
    }
  }

  #happens(event: number): void {
    const kind = (event & KIND_MASK) as EventOf;
    const which = event >> KIND_BITS;
    if (kind === EventOf.actor) this.#fire(which);
    else this.#happening.happens(kind, which);
  }

  #fire(number: number): void {
    const actor = this.#actors[number] ?? NOBODY;
    this.#actors[number] = NOBODY;
    this.#free.push(number);
    actor.fire(this.#args[number] ?? 0);
  }

  #grow(): void {
    const ring = new Int32Array(this.#ring.length * 2);
    ring.set(this.#ring);
    this.#ring = ring;
  }
}
