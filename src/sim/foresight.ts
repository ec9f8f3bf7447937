/**
 * Fetches memory ahead. What is known of one of 80,000 thinking users has left the cache by the
 * time that it asks: its row, its pool, its connection and the neighbours of that among those that
 * idle. Each of these lines says where the next one is, so a request would wait for one after the
 * other. Here the lines of some users who will ask soon are read at a time, step by step, and the
 * processor waits for all of a step at once. Nothing that is read here changes anything.
 */
import { EventOf, KIND_BITS, KIND_MASK } from './engine/event.ts';
import { FORETOLD_MAX, type Foretold } from './engine/event-queue.ts';
import { POOL, type Users } from './load/users.ts';
import type { ConnectionPools } from './net/connection-pools.ts';
import { type Connections, FLAGS } from './net/connections.ts';
import type { ServerConnections } from './relay/server-connections.ts';

/** Where it looks. */
export interface Foreseen {
  readonly users: Users;
  readonly pools: ConnectionPools;
  readonly connections: Connections;
  readonly served: ServerConnections;
}

export class Foresight implements Foretold {
  readonly #users: Users;
  readonly #pools: ConnectionPools;
  readonly #connections: Connections;
  readonly #served: ServerConnections;
  /** What a step has found, for the next one. */
  readonly #found = new Int32Array(FORETOLD_MAX);
  /** Made of all that was read last: if nobody could ask for it, reading might be left out. */
  read = 0;

  constructor({ users, pools, connections, served }: Foreseen) {
    this.#users = users;
    this.#pools = pools;
    this.#connections = connections;
    this.#served = served;
  }

  soon(events: Int32Array, count: number): void {
    const found = this.#found;
    let asking = 0;
    for (let i = 0; i < count; i++) {
      const event = events[i] ?? 0;
      if ((event & KIND_MASK) !== EventOf.user) continue;
      found[asking] = this.#users.get(event >> KIND_BITS, POOL) - 1;
      asking += 1;
    }
    let connected = 0;
    for (let i = 0; i < asking; i++) {
      const pool = found[i] ?? -1;
      const connection = pool < 0 ? -1 : this.#pools.newest(pool);
      if (connection < 0) continue;
      found[connected] = connection;
      connected += 1;
    }
    let read = 0;
    for (let i = 0; i < connected; i++) read ^= this.#connections.get(found[i] ?? 0, FLAGS);
    for (let i = 0; i < connected; i++) read ^= this.#served.glance(found[i] ?? 0);
    this.read = read;
  }
}
