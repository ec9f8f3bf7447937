/**
 * A database connection on mysql2, the driver of most Node apps. Each statement is prepared
 * once and executed as prepared; mysql2 reads and writes the socket, we keep its books.
 */
import { Socket } from 'node:net';
import { type Connection, createConnection, type PrepareStatementInfo } from 'mysql2';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ConnectionEnd, EndRegistry } from '../io/connection-end.ts';
import { insertIdOf, itemOf } from './answers.ts';
import {
  CONNECT_TIMEOUT_MS,
  type Credentials,
  type DatabaseSession,
  NO_RESULT,
  type Parameters,
  type QueryFailure,
  type QueryResult,
  type SessionOwner,
} from './database-session.ts';

export class Mysql2Session implements DatabaseSession {
  readonly end: ConnectionEnd;
  readonly #connection: Connection;
  readonly #owner: SessionOwner;
  readonly #statements = new Map<string, PrepareStatementInfo>();
  #lost = false;

  constructor(
    ends: EndRegistry,
    link: Link,
    target: Endpoint,
    credentials: Credentials,
    owner: SessionOwner,
  ) {
    this.#owner = owner;
    const connection = createConnection({
      host: target.address,
      port: target.port,
      ...credentials,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    this.#connection = connection;
    const stream = streamOf(connection);
    this.end = ends.adopt(link, stream, 'connector');
    connection.on('connect', () => {
      if (!this.#lost) owner.up();
    });
    connection.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on('close', () => this.#fail(null));
  }

  isPrepared(sql: string): boolean {
    return this.#statements.has(sql);
  }

  prepare(sql: string, done: (failure: QueryFailure | null) => void): void {
    this.#connection.prepare(sql, (error, statement) => {
      if (error?.fatal === true) this.#fail(error);
      else if (!this.#lost) {
        if (error === null) this.#statements.set(sql, statement);
        done(error === null ? null : failureOf(error));
      }
    });
  }

  execute(
    sql: string,
    parameters: Parameters,
    done: (failure: QueryFailure | null, result: QueryResult) => void,
  ): void {
    const statement = this.#statements.get(sql);
    if (statement === undefined) throw new Error(`not prepared: ${sql}`);
    statement.execute([...parameters], (error, rows: unknown) => {
      if (error?.fatal === true) this.#fail(error);
      else if (!this.#lost) {
        if (error === null) done(null, { item: itemOf(rows), insertId: insertIdOf(rows) });
        else done(failureOf(error), NO_RESULT);
      }
    });
  }

  quit(): void {
    this.#connection.end(() => {});
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #fail(error: NodeJS.ErrnoException | null): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#owner.lost(error === null ? null : failureOf(error));
  }
}

function failureOf({ code = 'UNKNOWN', message }: NodeJS.ErrnoException): QueryFailure {
  return { code, message };
}

/** The socket of a connection: mysql2 has it, but does not declare it. */
function streamOf(connection: Connection): Socket {
  const stream: unknown = Reflect.get(connection, 'stream');
  if (!(stream instanceof Socket)) throw new Error('mysql2 connection without a socket');
  return stream;
}
