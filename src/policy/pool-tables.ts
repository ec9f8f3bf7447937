/** Where a single pool notes its connections, numbered here, and who waits for one. */
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
