/**
 * Where pools note their connections and who waits for one. A pool has tables of its own, or many
 * small ones share them: then a visit to one of thousands touches a row of a table that is known,
 * instead of a table of its own with everything around it. Numbers of connections are handed out
 * here, so no two pools that share have the same.
 */
import { POOL_CONNECTION_WORDS, POOL_WAITER_WORDS } from './pools.ts';
import { Rows } from './rows.ts';

export class PoolTables {
  readonly connections = new Rows(POOL_CONNECTION_WORDS);
  readonly waiting = new Rows(POOL_WAITER_WORDS);
  readonly #free: number[] = [];
  #numbers = 0;

  /** A number for a connection. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#numbers += 1;
    return this.#numbers - 1;
  }

  give(connection: number): void {
    this.#free.push(connection);
  }
}
