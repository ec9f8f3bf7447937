/** The end of a client's patience, where that differs from one attempt to the next. */
import type { Micros } from '../../model/units.ts';
import type { Actor } from '../engine/engine.ts';
import { HELD } from '../exchanges.ts';
import type { World } from '../world.ts';
import { ATTEMPT } from './load-requests.ts';

export class Patience implements Actor {
  readonly #world: World;
  readonly #request: number = 0;
  readonly #attempt: number = 0;

  constructor(world: World, request: number, attempt: number) {
    this.#world = world;
    this.#request = request;
    this.#attempt = attempt;
  }

  begin(patience: Micros): void {
    const { engine, exchanges } = this.#world;
    // The attempt's number must not be another's by then.
    exchanges.set(this.#attempt, HELD);
    engine.at(engine.now + patience, this, 0);
  }

  fire(): void {
    const { exchanges, requests } = this.#world;
    exchanges.unset(this.#attempt, HELD);
    if (requests.get(this.#request, ATTEMPT) !== this.#attempt) return;
    this.#world.clientsOf(this.#request).tooLate(this.#request);
  }
}
