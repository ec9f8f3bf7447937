/**
 * One client: its connections to one place (its habit), driven by the shared `Pool` policy, and
 * the attempts that wait for or use them.
 *
 *   attempt ──start──► Pool ──grant──► connection ──answered, failed──► group
 *                       │ open                └─ lost ─► Pool
 *                       └──────► connect
 *
 * Pools wake at the group's one timer: thousands of clients cost one entry each in its heap at
 * most, and mostly none (see `#wake`).
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { closeCauseOf } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ClientsHop, PoolSettings } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { Pool, RejectReason } from '../../policy/pool.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Deadlines } from '../relay-http/deadlines.ts';
import { Effects, Numbers } from '../relay-http/effects.ts';
import type { HopContext } from '../runtime/context.ts';
import type { Asker, Attempt } from './attempt.ts';
import { type ConnectionOwner, LoadConnection } from './connection.ts';
import type { ClientInputs } from './inputs.ts';
import type { RequestBytes } from './request-bytes.ts';
import type { Schedule } from './schedule.ts';

/** What a client needs of its group, and what the group does with the outcome of an attempt. */
export interface ClientGroup {
  readonly ctx: HopContext<ClientsHop>;
  readonly link: Link;
  readonly schedule: Schedule;
  readonly connectDeadlines: Deadlines;
  readonly pool: PoolSettings;
  /** Everything is being closed: nothing is opened or sent any more. */
  readonly stopped: boolean;
  /** Fault: that client's sockets are not read for a while. */
  isDeaf(client: number): boolean;
  answered(attempt: Attempt): void;
  failed(attempt: Attempt, failure: ExchangeFailure, stale: boolean): void;
}

export interface ClientOptions {
  /** From 1 in its group. */
  readonly number: number;
  readonly target: Endpoint;
  readonly bytes: RequestBytes;
  readonly inputs: ClientInputs;
}

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;
const NEVER = Number.POSITIVE_INFINITY;

export class LoadClient implements Asker, ConnectionOwner {
  readonly number: number;
  readonly inputs: ClientInputs;
  /** Requests so far; the number of the last one. */
  requests = 0;
  /** Requests without an outcome. */
  inFlight = 0;
  /** By number, which the policy hands out from 0. */
  readonly #connections: (LoadConnection | undefined)[] = [];
  readonly #group: ClientGroup;
  readonly #target: Endpoint;
  readonly #bytes: RequestBytes;
  readonly #policy: Pool;
  readonly #waiters = new Numbers<Attempt>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #reuseStream: RandomStream | null = null;
  #connectFailure: ExchangeFailure = 'refused';
  /** When the policy wants to be woken. */
  #wakeAt: Micros = NEVER;
  /** When the group's timer will look here; not later than `#wakeAt`. */
  #lookAt: Micros = NEVER;

  constructor(group: ClientGroup, options: ClientOptions) {
    this.#group = group;
    this.number = options.number;
    this.inputs = options.inputs;
    this.#target = options.target;
    this.#bytes = options.bytes;
    this.#policy = this.#makePolicy();
  }

  /** Stops reading its sockets. */
  pause(): void {
    for (const connection of this.#connections) connection?.end.pause();
  }

  resume(): void {
    for (const connection of this.#connections) connection?.end.resume();
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

  timedOut(attempt: Attempt): void {
    if (attempt.connection !== null) {
      attempt.connection.abandon('timeout', 'request_timeout');
      return;
    }
    const { waiter } = attempt;
    this.#leave(attempt);
    this.#policy.cancel(this.#now(), waiter);
    this.#group.failed(attempt, 'timeout', false);
    this.#effects.run();
  }

  // ConnectionOwner

  connected(connection: LoadConnection): void {
    // A socket that has just connected begins to read in the next tick, paused or not.
    if (this.#group.isDeaf(this.number)) process.nextTick(() => this.#deafen(connection));
    this.#policy.opened(this.#now(), connection.number);
    this.#effects.run();
  }

  answered(connection: LoadConnection, attempt: Attempt, reusable: boolean): void {
    attempt.connection = null;
    this.#policy.release(this.#now(), connection.number, reusable ? 1 : 0);
    this.#group.answered(attempt);
    this.#effects.run();
  }

  failed(
    connection: LoadConnection,
    attempt: Attempt,
    failure: ExchangeFailure,
    stale: boolean,
  ): void {
    attempt.connection = null;
    this.#policy.release(this.#now(), connection.number, 0);
    this.#group.failed(attempt, failure, stale);
    this.#effects.run();
  }

  lost(connection: LoadConnection, cause: CloseCause): void {
    this.#connections[connection.number] = undefined;
    if (connection.wasUp) this.#policy.closed(this.#now(), connection.number);
    else {
      this.#connectFailure = cause === 'connect_timeout' ? 'timeout' : 'refused';
      this.#policy.openFailed(this.#now(), connection.number);
    }
    this.#effects.run();
  }

  #makePolicy(): Pool {
    const { ctx, pool } = this.#group;
    return ctx.tap.create(
      `${ctx.hop.name}/${this.number}/pool`,
      Pool,
      pool,
      {
        open: (connection: number) => this.#effects.push(OPEN, connection, 0),
        grant: (waiter: number, connection: number) =>
          this.#effects.push(GRANT, waiter, connection),
        reject: (waiter: number, reason: number) => this.#effects.push(REJECT, waiter, reason),
        close: (connection: number, cause: number) => this.#effects.push(CLOSE, connection, cause),
        wakeAt: (at: number) => this.#wake(at),
        draw: (bound: number) => {
          this.#reuseStream ??= ctx.random(`reuse/${this.number}`);
          return this.#reuseStream.below(bound);
        },
      },
      (port) => new Pool(pool, port),
    );
  }

  #deafen(connection: LoadConnection): void {
    if (this.#group.isDeaf(this.number)) connection.end.pause();
  }

  #now(): Micros {
    return this.#group.ctx.clock.now();
  }

  /**
   * The policy moves its wake-up with every request. Only one that comes earlier than the one
   * the group's heap holds is put there; one that was moved back is found out when it is due.
   */
  #wake(at: Micros): void {
    this.#wakeAt = at;
    if (at < this.#lookAt) this.#lookLater(at);
  }

  #lookLater(at: Micros): void {
    this.#lookAt = at;
    this.#group.schedule.at(at, (due) => {
      if (due !== this.#lookAt) return;
      this.#lookAt = NEVER;
      const now = this.#now();
      if (now >= this.#wakeAt) {
        this.#wakeAt = NEVER;
        this.#policy.wake(now);
        this.#effects.run();
      } else if (this.#wakeAt !== NEVER) this.#lookLater(this.#wakeAt);
    });
  }

  #carryOut(kind: number, a: number, b: number): void {
    if (this.#group.stopped) return;
    switch (kind) {
      case OPEN:
        this.#open(a);
        return;
      case GRANT:
        this.#grant(a, b);
        return;
      case REJECT: {
        const attempt = this.#waiting(a);
        this.#leave(attempt);
        const failure = b === RejectReason.full ? 'no_connection' : this.#connectFailure;
        this.#group.failed(attempt, failure, false);
        return;
      }
      case CLOSE:
        this.#connections[a]?.close(closeCauseOf(b));
        return;
    }
  }

  #open(number: number): void {
    const { ctx, link, connectDeadlines } = this.#group;
    const connection = new LoadConnection(this, number);
    this.#connections[number] = connection;
    connection.attach(ctx.ends.connect(link, this.#target, connection));
    connectDeadlines.set(connection);
  }

  #grant(waiter: number, number: number): void {
    const attempt = this.#waiting(waiter);
    const connection = this.#connections[number];
    if (connection === undefined) throw new Error(`client ${this.number}: no connection ${number}`);
    this.#leave(attempt);
    if (connection.closing) {
      // It ended while idle and its socket is about to go; the policy has not heard yet.
      this.#policy.release(this.#now(), number, 0);
      this.start(attempt);
      return;
    }
    attempt.connection = connection;
    connection.send(attempt, this.#bytes);
  }

  #waiting(number: number): Attempt {
    const attempt = this.#waiters.get(number);
    if (attempt === null) throw new Error(`client ${this.number}: nobody waits as ${number}`);
    return attempt;
  }

  #leave(attempt: Attempt): void {
    this.#waiters.remove(attempt.waiter);
    attempt.waiter = -1;
  }
}
