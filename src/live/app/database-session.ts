/**
 * One connection of the app's database pool, whichever driver speaks on it: mysql2, as most
 * Node apps have it, or our own client. One statement at a time.
 */
import type { Item } from '../database/items.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Why a query failed: `code` is mysql2's, or `ACQUIRE_TIMEOUT`, or `NO_CONNECTION`. */
export interface QueryFailure {
  readonly code: string;
  readonly message: string;
}

/** The first row of a select (null = none), and the id that an insert gave (0 = none). */
export interface QueryResult {
  readonly item: Item | null;
  readonly insertId: number;
}

export type Parameters = readonly (string | number)[];

export interface SessionOwner {
  /** Connected and authenticated. */
  up(): void;
  /** The connection is over, or was never made; a statement under way has failed. Comes once. */
  lost(failure: QueryFailure | null): void;
}

export interface DatabaseSession {
  readonly end: ConnectionEnd;
  isPrepared(sql: string): boolean;
  prepare(sql: string, done: (failure: QueryFailure | null) => void): void;
  /** Runs what was prepared. `done` is not called when the connection is lost. */
  execute(
    sql: string,
    parameters: Parameters,
    done: (failure: QueryFailure | null, result: QueryResult) => void,
  ): void;
  /** Says goodbye; `lost` follows. */
  quit(): void;
  /** Closes at once. */
  destroy(): void;
}

export const NO_RESULT: QueryResult = { item: null, insertId: 0 };

export const CONNECT_TIMEOUT_MS = 10_000;
