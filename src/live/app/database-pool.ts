/**
 * The app's database pool: sessions of a driver under the shared `Pool` policy, with Sequelize's
 * settings (min, max, idle, acquire, evict) and its order: the connection released last is used
 * first, so that the others can fall idle. Each statement is prepared once per connection, as
 * most apps do; that is also how a deployment reaches `max_prepared_stmt_count`. Preparing is the
 * beginning of the exchange of the query that needs it: where it fails, it is the whole of it.
 *
 * The policy's decisions are carried out after its input has returned (policy/contract.ts).
 */
import { closeCauseOf } from '../../model/close-cause.ts';
import { PARENT_SAME_HOP } from '../../model/event.ts';
import type { AppHop } from '../../model/topology.ts';
import { Pool, type PoolOptions, RejectReason } from '../../policy/pool.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Effects, Numbers } from '../relay-http/effects.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';
import {
  type DatabaseSession,
  NO_RESULT,
  type Parameters,
  type QueryFailure,
  type QueryResult,
  type SessionOwner,
} from './database-session.ts';

/** The request that a query is for. */
export interface Parent {
  readonly end: ConnectionEnd;
  readonly ordinal: number;
}

/** Opens a connection; a constructor of one of the drivers, with its arguments filled in. */
export type Connect = (owner: SessionOwner) => DatabaseSession;

interface Query {
  readonly sql: string;
  readonly parameters: Parameters;
  readonly parent: Parent;
  readonly done: (failure: QueryFailure | null, result: QueryResult) => void;
  waiter: number;
}

interface Pooled {
  readonly number: number;
  session: DatabaseSession | null;
  up: boolean;
  lost: boolean;
  /** The query that has this connection. */
  query: Query | null;
  /** Its exchange; 0 without a query. */
  ordinal: number;
}

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;

export class DatabasePool {
  readonly #ctx: HopContext<AppHop>;
  readonly #connect: Connect;
  readonly #policy: Pool;
  readonly #timer: WakeTimer;
  /** By number, which the policy hands out from 0. */
  readonly #pooled: (Pooled | undefined)[] = [];
  readonly #waiters = new Numbers<Query>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #stopped = false;
  #refused: QueryFailure = { code: 'NO_CONNECTION', message: 'the database refused' };

  constructor(ctx: HopContext<AppHop>, connect: Connect) {
    this.#ctx = ctx;
    this.#connect = connect;
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
  query(sql: string, parameters: Parameters, parent: Parent, done: Query['done']): void {
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
      const session = this.#pooled[a]?.session;
      session?.end.blame(closeCauseOf(b));
      session?.quit();
    } else {
      const query = this.#waiters.get(a);
      if (query === null) return;
      this.#waiters.remove(a);
      if (kind === GRANT) this.#execute(query, b);
      else query.done(this.#failureOf(b), NO_RESULT);
    }
  }

  #failureOf(reason: number): QueryFailure {
    if (reason !== RejectReason.acquireTimeout) return this.#refused;
    return { code: 'ACQUIRE_TIMEOUT', message: 'no database connection came free in time' };
  }

  #open(number: number): void {
    const pooled: Pooled = {
      number,
      session: null,
      up: false,
      lost: false,
      query: null,
      ordinal: 0,
    };
    this.#pooled[number] = pooled;
    pooled.session = this.#connect({
      up: () => {
        pooled.up = true;
        this.#policy.opened(this.#now(), number);
        this.#effects.run();
      },
      lost: (failure) => this.#lost(pooled, failure),
    });
  }

  #execute(query: Query, number: number): void {
    const pooled = this.#pooled[number];
    const session = pooled?.session ?? null;
    if (pooled === undefined || session === null || pooled.lost) {
      query.done(this.#refused, NO_RESULT);
      return;
    }
    pooled.query = query;
    const { end, ordinal } = query.parent;
    pooled.ordinal = session.end.exchangeStarted(PARENT_SAME_HOP, end.number, ordinal);
    if (session.isPrepared(query.sql)) {
      this.#send(query, pooled, session);
      return;
    }
    session.prepare(query.sql, (failure) => {
      if (failure === null) this.#send(query, pooled, session);
      else this.#finish(query, pooled, failure, NO_RESULT);
    });
  }

  #send(query: Query, pooled: Pooled, session: DatabaseSession): void {
    session.execute(query.sql, query.parameters, (failure, result) =>
      this.#finish(query, pooled, failure, result),
    );
  }

  /** The database answered. */
  #finish(query: Query, pooled: Pooled, failure: QueryFailure | null, result: QueryResult): void {
    pooled.query = null;
    if (pooled.ordinal > 0) {
      pooled.session?.end.exchangeEnded(pooled.ordinal, failure === null ? 200 : 500, 'none');
    }
    pooled.ordinal = 0;
    this.#policy.release(this.#now(), pooled.number, 1);
    this.#effects.run();
    query.done(failure, result);
  }

  #lost(pooled: Pooled, reason: QueryFailure | null): void {
    if (pooled.lost) return;
    pooled.lost = true;
    const failure = reason ?? { code: 'NO_CONNECTION', message: 'closed' };
    const { query, ordinal, session, number } = pooled;
    pooled.query = null;
    pooled.ordinal = 0;
    if (ordinal > 0) session?.end.exchangeEnded(ordinal, 0, this.#stopped ? 'shutdown' : 'reset');
    this.#pooled[number] = undefined;
    if (pooled.up) this.#policy.closed(this.#now(), number);
    else {
      this.#refused = failure;
      // The server's error packet is its goodbye: it closes, we only see it off.
      if (failure.code.startsWith('ER_')) session?.end.blame('peer_fin');
      if (failure.code === 'ETIMEDOUT') session?.end.blame('connect_timeout');
      this.#policy.openFailed(this.#now(), number);
    }
    session?.destroy();
    this.#effects.run();
    query?.done(failure, NO_RESULT);
  }
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
