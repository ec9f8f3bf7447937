/**
 * The statements that are prepared on a database's connections. An app that writes each of its
 * statements once has few: they are bits of a word. Others are kept in sets.
 */
import { type Connections, PREPARED } from '../net/connections.ts';

/** Numbers of the app's statements: its insert, and the first of its selects. */
export const INSERT = 0;
export const FIRST_SELECT = 1;
const BITS = 31;

export class PreparedStatements {
  readonly #connections: Connections;
  readonly #more = new Map<number, Set<number>>();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  has(connection: number, statement: number): boolean {
    if (statement >= BITS) return this.#more.get(connection)?.has(statement) === true;
    return (this.#connections.get(connection, PREPARED) & (1 << statement)) !== 0;
  }

  note(connection: number, statement: number): void {
    if (statement < BITS) {
      const known = this.#connections.get(connection, PREPARED);
      this.#connections.put(connection, PREPARED, known | (1 << statement));
      return;
    }
    const more = this.#more.get(connection) ?? new Set();
    this.#more.set(connection, more.add(statement));
  }

  /** The connection is gone: how many it had. */
  forget(connection: number): number {
    let count = this.#more.get(connection)?.size ?? 0;
    this.#more.delete(connection);
    const known = this.#connections.get(connection, PREPARED);
    for (let bits = known; bits !== 0; bits &= bits - 1) count += 1;
    this.#connections.put(connection, PREPARED, 0);
    return count;
  }
}
