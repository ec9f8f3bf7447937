/**
 * The app's database pool: mysql2 connections under the shared `Pool` policy, with Sequelize's
 * settings (min, max, idle, acquire, evict) and its order: the connection released last is used
 * first, so that the others can fall idle. Each statement is prepared once per connection, as
 * most apps do; that is also how a deployment reaches `max_prepared_stmt_count`. Preparing is
 * no exchange, so it is done by itself and not within mysql2's `execute`.
 *
 * The policy's decisions are carried out after its input has returned (policy/contract.ts).
 */
import { Socket } from 'node:net';
import {
  type Connection,
  createConnection,
  type PrepareStatementInfo,
  type QueryError,
} from 'mysql2';
import { closeCauseOf } from '../../model/close-cause.ts';
import { PARENT_SAME_HOP } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { AppHop } from '../../model/topology.ts';
import { Pool, type PoolOptions, RejectReason } from '../../policy/pool.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Effects, Numbers } from '../relay-http/effects.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The request that a query is for. */
export interface Parent {
  readonly end: ConnectionEnd;
  readonly ordinal: number;
}

/** Why a query failed: `code` is mysql2's, or `ACQUIRE_TIMEOUT`, or `NO_CONNECTION`. */
export interface QueryFailure {
  readonly code: string;
  readonly message: string;
}

interface Query {
  readonly sql: string;
  readonly parameters: (string | number)[];
  readonly parent: Parent;
  readonly done: (failure: QueryFailure | null, rows: unknown) => void;
  waiter: number;
}

interface Pooled {
  readonly connection: Connection;
  readonly end: ConnectionEnd;
  readonly statements: Map<string, PrepareStatementInfo>;
  up: boolean;
  lost: boolean;
  /** The query that has this connection. */
  query: Query | null;
  /** Its exchange; 0 while its statement is being prepared. */
  ordinal: number;
}

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;
const CONNECT_TIMEOUT_MS = 10_000;

export class DatabasePool {
  readonly #ctx: HopContext<AppHop>;
  readonly #link: Link;
  readonly #target: Endpoint;
  readonly #credentials: Credentials;
  readonly #policy: Pool;
  readonly #timer: WakeTimer;
  readonly #pooled = new Map<number, Pooled>();
  readonly #waiters = new Numbers<Query>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #stopped = false;
  #refused: QueryFailure = { code: 'NO_CONNECTION', message: 'the database refused' };

  constructor(ctx: HopContext<AppHop>, link: Link, target: Endpoint, credentials: Credentials) {
    this.#ctx = ctx;
    this.#link = link;
    this.#target = target;
    this.#credentials = credentials;
    this.#timer = new WakeTimer(ctx.clock, (now) => {
      this.#policy.wake(now);
      this.#effects.run();
    });
    const settings = poolOptions(ctx.hop.pool);
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}/database-pool`,
      Pool,
      settings,
      {
        open: (connection: number) => this.#effects.push(OPEN, connection, 0),
        grant: (waiter: number, connection: number) =>
          this.#effects.push(GRANT, waiter, connection),
        reject: (waiter: number, reason: number) => this.#effects.push(REJECT, waiter, reason),
        close: (connection: number, cause: number) => this.#effects.push(CLOSE, connection, cause),
        wakeAt: (at: number) => this.#timer.wakeAt(at),
        draw: () => 0,
      },
      (port) => new Pool(settings, port),
    );
  }

  configure(pool: AppHop['pool']): void {
    this.#policy.configure(this.#now(), poolOptions(pool));
    this.#effects.run();
  }

  /** Runs one statement; `done` is called once. */
  query(sql: string, parameters: (string | number)[], parent: Parent, done: Query['done']): void {
    const query: Query = { sql, parameters, parent, done, waiter: -1 };
    this.#waiters.add((number) => {
      query.waiter = number;
      return query;
    });
    this.#policy.acquire(this.#now(), query.waiter);
    this.#effects.run();
  }

  /** Opens nothing any more; whoever calls closes the connections. */
  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  #now(): number {
    return this.#ctx.clock.now();
  }

  #carryOut(kind: number, a: number, b: number): void {
    if (this.#stopped) return;
    if (kind === OPEN) this.#open(a);
    else if (kind === CLOSE) {
      const pooled = this.#pooled.get(a);
      pooled?.end.blame(closeCauseOf(b));
      pooled?.connection.end(() => {});
    } else {
      const query = this.#waiters.get(a);
      if (query === null) return;
      this.#waiters.remove(a);
      if (kind === GRANT) this.#execute(query, b);
      else query.done(this.#failureOf(b), null);
    }
  }

  #failureOf(reason: number): QueryFailure {
    if (reason !== RejectReason.acquireTimeout) return this.#refused;
    return { code: 'ACQUIRE_TIMEOUT', message: 'no database connection came free in time' };
  }

  #open(number: number): void {
    const connection = createConnection({
      host: this.#target.address,
      port: this.#target.port,
      ...this.#credentials,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    const stream = streamOf(connection);
    const end = this.#ctx.ends.adopt(this.#link, stream, 'connector');
    const pooled: Pooled = {
      connection,
      end,
      statements: new Map(),
      up: false,
      lost: false,
      query: null,
      ordinal: 0,
    };
    this.#pooled.set(number, pooled);
    connection.on('connect', () => {
      if (pooled.lost) return;
      pooled.up = true;
      this.#policy.opened(this.#now(), number);
      this.#effects.run();
    });
    connection.on('error', (error: NodeJS.ErrnoException) => this.#lost(number, pooled, error));
    stream.on('close', () => this.#lost(number, pooled, null));
  }

  #execute(query: Query, number: number): void {
    const pooled = this.#pooled.get(number);
    if (pooled === undefined || pooled.lost) {
      query.done(this.#refused, null);
      return;
    }
    pooled.query = query;
    const known = pooled.statements.get(query.sql);
    if (known !== undefined) {
      this.#send(query, known, number, pooled);
      return;
    }
    pooled.connection.prepare(query.sql, (error, statement) => {
      if (pooled.query !== query) return;
      if (error !== null) {
        this.#finish(query, number, pooled, error, null);
        return;
      }
      pooled.statements.set(query.sql, statement);
      this.#send(query, statement, number, pooled);
    });
  }

  #send(query: Query, statement: PrepareStatementInfo, number: number, pooled: Pooled): void {
    const { parent } = query;
    pooled.ordinal = pooled.end.exchangeStarted(PARENT_SAME_HOP, parent.end.number, parent.ordinal);
    statement.execute(query.parameters, (error: QueryError | null, rows: unknown) => {
      if (pooled.query === query) this.#finish(query, number, pooled, error, rows);
    });
  }

  /** The database answered, or the connection failed under the query. */
  #finish(
    query: Query,
    number: number,
    pooled: Pooled,
    error: QueryError | null,
    rows: unknown,
  ): void {
    if (error?.fatal === true) {
      this.#lost(number, pooled, error);
      return;
    }
    pooled.query = null;
    if (pooled.ordinal > 0) {
      pooled.end.exchangeEnded(pooled.ordinal, error === null ? 200 : 500, 'none');
    }
    pooled.ordinal = 0;
    this.#policy.release(this.#now(), number, 1);
    this.#effects.run();
    query.done(error === null ? null : { code: error.code, message: error.message }, rows);
  }

  #lost(number: number, pooled: Pooled, error: NodeJS.ErrnoException | null): void {
    if (pooled.lost) return;
    pooled.lost = true;
    const failure = { code: error?.code ?? 'NO_CONNECTION', message: error?.message ?? 'closed' };
    const { query, ordinal, end } = pooled;
    pooled.query = null;
    pooled.ordinal = 0;
    if (ordinal > 0) end.exchangeEnded(ordinal, 0, this.#stopped ? 'shutdown' : 'reset');
    this.#pooled.delete(number);
    if (pooled.up) this.#policy.closed(this.#now(), number);
    else {
      this.#refused = failure;
      // The server's error packet is its goodbye: it closes, we only see it off.
      if (failure.code.startsWith('ER_')) end.blame('peer_fin');
      if (failure.code === 'ETIMEDOUT') end.blame('connect_timeout');
      this.#policy.openFailed(this.#now(), number);
    }
    pooled.connection.destroy();
    this.#effects.run();
    query?.done(failure, null);
  }
}

/** The socket of a connection: mysql2 has it, but does not declare it. */
function streamOf(connection: Connection): Socket {
  const stream: unknown = Reflect.get(connection, 'stream');
  if (!(stream instanceof Socket)) throw new Error('mysql2 connection without a socket');
  return stream;
}

function poolOptions(pool: AppHop['pool']): PoolOptions {
  return {
    connectionsMax: pool.max,
    waitersMax: 0,
    idleTimeout: pool.idle,
    requestsPerConnectionMax: 0,
    reuse: 'lifo',
    minimum: pool.min,
    acquireTimeout: pool.acquire,
    evictEvery: pool.evict,
  };
}
