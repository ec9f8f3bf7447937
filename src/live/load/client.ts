/**
 * One client: its connections to one place (its habit), driven by the shared `Pool` policy, and
 * the attempts that wait for or use them.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { closeCauseOf } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ClientsHop, PoolSettings } from '../../model/topology.ts';
import { Pool } from '../../policy/pool.ts';
import type { MessageHead } from '../http/message-head.ts';
import type { Deadlines } from '../relay-http/deadlines.ts';
import { Effects, Numbers } from '../relay-http/effects.ts';
import type { HopContext } from '../runtime/context.ts';
import type { Attempt } from './attempt.ts';
import { type ConnectionOwner, LoadConnection } from './connection.ts';
import type { Schedule } from './schedule.ts';

/** What the group does with the outcome of an attempt. */
export interface ClientGroup {
  readonly ctx: HopContext<ClientsHop>;
  readonly link: Link;
  readonly schedule: Schedule;
  readonly connectDeadlines: Deadlines;
  readonly pool: PoolSettings;
  send(connection: LoadConnection, attempt: Attempt): void;
  answered(attempt: Attempt, head: MessageHead): void;
  failed(attempt: Attempt, failure: ExchangeFailure, stale: boolean): void;
}

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;

export class LoadClient implements ConnectionOwner {
  /** From 1 in its group. */
  readonly number: number;
  readonly target: Endpoint;
  requests = 0;
  inFlight = 0;
  /** Fault: its sockets are not read for a while. */
  deaf = false;
  readonly connections = new Map<number, LoadConnection>();
  readonly #group: ClientGroup;
  readonly #policy: Pool;
  readonly #waiters = new Numbers<Attempt>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #connectFailure: ExchangeFailure = 'refused';
  #wakeAt = Number.POSITIVE_INFINITY;

  constructor(group: ClientGroup, number: number, target: Endpoint) {
    const { ctx, pool } = group;
    this.#group = group;
    this.number = number;
    this.target = target;
    const random = pool.reuse === 'random' ? ctx.random(`pool/${number}`) : null;
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${number}/pool`,
      Pool,
      pool,
      {
        open: (connection: number) => this.#effects.push(OPEN, connection, 0),
        grant: (waiter: number, connection: number) =>
          this.#effects.push(GRANT, waiter, connection),
        reject: (waiter: number, reason: number) => this.#effects.push(REJECT, waiter, reason),
        close: (connection: number, cause: number) => this.#effects.push(CLOSE, connection, cause),
        wakeAt: (at: number) => this.#wake(at),
        draw: (bound: number) => random?.below(bound) ?? 0,
      },
      (port) => new Pool(pool, port),
    );
  }

  configure(pool: PoolSettings): void {
    this.#policy.configure(this.#now(), pool);
    this.#effects.run();
  }

  start(attempt: Attempt): void {
    this.#waiters.add((number) => {
      attempt.waiter = number;
      return attempt;
    });
    this.#policy.acquire(this.#now(), attempt.waiter);
    this.#effects.run();
  }

  /** Gives up on an attempt, wherever it is; `failed` follows only if it was being answered. */
  abandon(attempt: Attempt): boolean {
    if (attempt.connection !== null) {
      attempt.connection.abandon('timeout', 'request_timeout');
      return true;
    }
    this.#policy.cancel(this.#now(), attempt.waiter);
    this.#leave(attempt);
    this.#effects.run();
    return false;
  }

  // ConnectionOwner

  connected(connection: LoadConnection): void {
    if (this.deaf) connection.end.pause();
    this.#policy.opened(this.#now(), connection.number);
    this.#effects.run();
  }

  answered(
    connection: LoadConnection,
    attempt: Attempt,
    head: MessageHead,
    reusable: boolean,
  ): void {
    attempt.connection = null;
    this.#policy.release(this.#now(), connection.number, reusable ? 1 : 0);
    this.#group.answered(attempt, head);
    this.#effects.run();
  }

  failed(connection: LoadConnection, attempt: Attempt, failure: ExchangeFailure): void {
    attempt.connection = null;
    this.#policy.release(this.#now(), connection.number, 0);
    const stale = failure === 'reset' && connection.used > 1 && !connection.anyByte;
    this.#group.failed(attempt, failure, stale);
    this.#effects.run();
  }

  lost(connection: LoadConnection, cause: CloseCause): void {
    this.connections.delete(connection.number);
    if (connection.wasUp) this.#policy.closed(this.#now(), connection.number);
    else {
      this.#connectFailure = cause === 'connect_timeout' ? 'timeout' : 'refused';
      this.#policy.openFailed(this.#now(), connection.number);
    }
    this.#effects.run();
  }

  #now(): number {
    return this.#group.ctx.clock.now();
  }

  /** All clients of a group share one timer; a wake-up that has moved meanwhile does nothing. */
  #wake(at: number): void {
    if (at === this.#wakeAt) return;
    this.#wakeAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#group.schedule.at(at, (due) => {
      if (due !== this.#wakeAt) return;
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#policy.wake(this.#now());
      this.#effects.run();
    });
  }

  #carryOut(kind: number, a: number, b: number): void {
    switch (kind) {
      case OPEN:
        this.#open(a);
        return;
      case GRANT: {
        const attempt = this.#waiters.get(a);
        const connection = this.connections.get(b);
        if (attempt === null || connection === undefined) return;
        this.#leave(attempt);
        attempt.connection = connection;
        this.#group.send(connection, attempt);
        return;
      }
      case REJECT: {
        const attempt = this.#waiters.get(a);
        if (attempt === null) return;
        this.#leave(attempt);
        const failure = b === 0 ? 'no_connection' : this.#connectFailure;
        this.#group.failed(attempt, failure, false);
        return;
      }
      case CLOSE:
        this.connections.get(a)?.close(closeCauseOf(b));
        return;
    }
  }

  #open(number: number): void {
    const { ctx, link, connectDeadlines } = this.#group;
    const connection = new LoadConnection(this, number);
    this.connections.set(number, connection);
    connection.attach(ctx.ends.connect(link, this.target, connection));
    connectDeadlines.set(connection);
  }

  #leave(attempt: Attempt): void {
    this.#waiters.remove(attempt.waiter);
    attempt.waiter = -1;
  }
}
