/**
 * The statements that are prepared on a database connection. An app that writes each of its
 * statements once has few: they are bits of a number. Others are kept in a set.
 */
import type { Connection } from '../net/connection.ts';

/** Numbers of the app's statements: its insert, and the first of its selects. */
export const INSERT = 0;
export const FIRST_SELECT = 1;
const BITS = 31;

export function isPrepared(connection: Connection, statement: number): boolean {
  if (statement < BITS) return (connection.prepared & (1 << statement)) !== 0;
  return connection.morePrepared?.has(statement) === true;
}

export function notePrepared(connection: Connection, statement: number): void {
  if (statement < BITS) connection.prepared |= 1 << statement;
  else {
    connection.morePrepared ??= new Set();
    connection.morePrepared.add(statement);
  }
}

/** The connection is gone: how many it had. */
export function forgetPrepared(connection: Connection): number {
  let count = connection.morePrepared?.size ?? 0;
  for (let bits = connection.prepared; bits !== 0; bits &= bits - 1) count += 1;
  connection.prepared = 0;
  connection.morePrepared = null;
  return count;
}
