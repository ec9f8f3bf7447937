/**
 * Connections that are over, for those to come: a server that closes after each answer opens one
 * for every request, and the last one is still in the cache. One is used again in a later instant
 * than it went, because within that instant whoever was at work still looks at it.
 */
import type { Micros } from '../../model/units.ts';
import type { Engine } from '../engine/engine.ts';
import { Connection, type Connector } from './connection.ts';
import type { Listener, Place } from './place.ts';

export class FreeConnections {
  readonly #engine: Engine;
  readonly #free: Connection[] = [];
  /** Those that went in the instant `#goneAt`. */
  readonly #gone: Connection[] = [];
  #goneAt: Micros = 0.5;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  take(connector: Connector, from: Place, listener: Listener): Connection {
    if (this.#engine.now > this.#goneAt) this.#release();
    const free = this.#free.pop();
    if (free === undefined) return new Connection(listener.link, connector, from, listener);
    free.begin(connector, from, listener);
    return free;
  }

  /** Both of its sockets are gone. What is on its way, a relay or a timer may still know it. */
  give(connection: Connection): void {
    const { link, below, above, synDrops } = connection;
    if (link.delay > 0 || below !== null || above !== null || synDrops > 0) return;
    if (this.#engine.now > this.#goneAt) this.#release();
    this.#goneAt = this.#engine.now;
    this.#gone.push(connection);
  }

  #release(): void {
    for (let gone = this.#gone.pop(); gone !== undefined; gone = this.#gone.pop()) {
      this.#free.push(gone);
    }
  }
}
