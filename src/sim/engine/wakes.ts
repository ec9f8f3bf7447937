/** The wake-ups of policies of which there are few, and of any kind. */
import type { Micros } from '../../model/units.ts';
import type { Engine } from './engine.ts';
import { EventOf } from './event.ts';
import { Sleepers } from './sleepers.ts';

export class Wakes {
  readonly #engine: Engine;
  readonly #sleepers: Sleepers;
  readonly #wakes: ((now: Micros) => void)[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#sleepers = new Sleepers(engine, EventOf.wake);
  }

  /** A policy that is woken so: how it asks for it, as `WakePort.wakeAt`. */
  add(wake: (now: Micros) => void): (at: Micros) => void {
    const number = this.#wakes.length;
    this.#wakes.push(wake);
    this.#sleepers.room(number);
    return (at) => this.#sleepers.wakeAt(number, at);
  }

  happens(number: number): void {
    if (this.#sleepers.isDue(number)) this.#wakes[number]?.(this.#engine.now);
  }
}
