/**
 * The connections that a hop keeps to another: the shared `Pool` policy, and what it decides on
 * simulated connections. Clients, relays and the app's database connections all go through here.
 *
 *   exchange ──acquire──► Pool ──grant──► connection ──► answered, broken ──► asker
 *                          │ open             └─ gone ─► Pool
 *                          └──────► connect
 */
import { closeCauseCode } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import { Pool, type PoolOptions, type PoolPort, RejectReason } from '../../policy/pool.ts';
import type { Follower } from '../engine/engine.ts';
import { Numbered } from '../engine/numbered.ts';
import { Sleeper } from '../engine/wake.ts';
import type { Exchange, NotGranted } from '../exchange.ts';
import type { World } from '../world.ts';
import type { Connection, Connector } from './connection.ts';
import type { Listener, Place } from './place.ts';

/** Kinds of consequences; REJECT and CLOSE carry their reason with them. */
const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 8;

const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const DRAIN = closeCauseCode('drain');
const LOCAL_RST = closeCauseCode('local_rst');

export interface PoolPlan {
  readonly world: World;
  /** Whose connections they are, for the log of policies. */
  readonly name: string;
  readonly place: Place;
  /** Asked at each connect; null = there is nothing to connect to. */
  readonly target: () => Listener | null;
  readonly settings: PoolOptions;
  readonly draw: (bound: number) => number;
  /** Every request closes its connection. */
  readonly closesUpstream: boolean;
  /** Wait to be let in by the server (a database) before sending. */
  readonly awaitsGreeting: boolean;
  readonly requestBytes: number;
}

export class ConnectionPool extends Sleeper implements Connector, Follower, PoolPort {
  /** Idle connections kept; further ones close when they are released. 0 = without limit. */
  idleMax = 0;
  readonly #plan: PoolPlan;
  readonly #policy: Pool;
  readonly #connections: (Connection | null)[] = [];
  readonly #waiters = new Numbered<Exchange>();
  #retired = false;
  #failedBy: 'refused' | 'timeout' = 'refused';

  constructor(plan: PoolPlan) {
    super(plan.world.engine);
    this.#plan = plan;
    const { world, name, settings } = plan;
    this.#policy = world.policy<PoolOptions, PoolPort, Pool>(name, Pool, settings, this);
  }

  // The policy's port: decisions are carried out when its input has returned

  open(number: number): void {
    this.engine.next(this, OPEN, number, null);
  }

  grant(waiter: number, number: number): void {
    const exchange = this.#waiters.get(waiter);
    exchange.granted = this.#connections[number] ?? null;
    this.engine.next(this, GRANT, waiter, exchange);
  }

  reject(waiter: number, reason: number): void {
    this.engine.next(this, REJECT + reason, waiter, null);
  }

  close(number: number, cause: number): void {
    this.engine.next(this, CLOSE + cause, number, this.#connections[number]);
  }

  draw(bound: number): number {
    return this.#plan.draw(bound);
  }

  protected override woken(now: number): void {
    this.#policy.wake(now);
  }

  /** Sends the exchange as soon as there is a connection for it. */
  acquire(exchange: Exchange): void {
    exchange.pool = this;
    exchange.waiter = this.#waiters.add(exchange);
    this.#policy.acquire(this.#now, exchange.waiter);
  }

  /**
   * Gives the exchange up, wherever it is: what waits leaves, and a connection whose answer may
   * still come is closed for the given cause.
   */
  abandon(exchange: Exchange, cause: number, failure: ExchangeFailure): void {
    const { waiter, connection } = exchange;
    if (waiter !== -1 && exchange.granted !== null) exchange.over = true;
    else if (waiter !== -1) {
      this.#leave(exchange);
      this.#policy.cancel(this.#now, waiter);
    } else if (connection !== null && connection.exchange === exchange) {
      this.#plan.world.sentOver(connection, 0, failure);
      this.#close(connection, cause);
    }
  }

  configure(settings: PoolOptions): void {
    this.#policy.configure(this.#now, settings);
  }

  /** The node that owned these connections is gone: idle ones close now, busy ones when done. */
  replaced(): void {
    this.#policy.replaced(this.#now);
  }

  /** As `replaced`, and no connection is kept from now on. */
  retire(): void {
    this.#retired = true;
    this.replaced();
  }

  /** Closes every connection; what is in flight breaks. */
  closeAll(cause: number): void {
    for (const connection of [...this.#connections]) {
      if (connection !== null && connection !== undefined) this.#lose(connection, cause);
    }
  }

  /** A fault: our own RST on one of them. */
  reset(connection: Connection): void {
    const { exchange } = connection;
    const { world } = this.#plan;
    if (exchange !== null) world.sentOver(connection, 0, 'reset');
    world.network.resetConnector(connection, LOCAL_RST);
    this.#connections[connection.number] = null;
    this.#policy.closed(this.#now, connection.number);
    if (exchange !== null) exchange.asker.broken(exchange, false);
  }

  // Connector

  connected(connection: Connection): void {
    if (!this.#plan.awaitsGreeting) this.#usable(connection);
  }

  greeted(connection: Connection): void {
    connection.greeted = true;
    this.#usable(connection);
  }

  connectFailed(connection: Connection, why: 'refused' | 'timeout'): void {
    this.#failedBy = why;
    this.#connections[connection.number] = null;
    this.#policy.openFailed(this.#now, connection.number);
  }

  answered(connection: Connection, exchange: Exchange, closes: boolean): void {
    const { world, closesUpstream } = this.#plan;
    world.sentOver(connection, exchange.status, 'none');
    if (closes || closesUpstream) this.#close(connection, closesUpstream ? MAX_REQUESTS : PEER_FIN);
    else this.#release(connection);
    exchange.asker.answered(exchange);
  }

  acceptorFinished(connection: Connection): void {
    this.#lose(connection, PEER_FIN);
  }

  acceptorReset(connection: Connection): void {
    this.#lose(connection, PEER_RST);
  }

  get #now(): number {
    return this.engine.now;
  }

  #usable(connection: Connection): void {
    this.#policy.opened(this.#now, connection.number);
  }

  #release(connection: Connection): void {
    const surplus = this.idleMax > 0 && this.#policy.snapshot().idle >= this.idleMax;
    if (this.#retired || surplus) {
      this.#close(connection, surplus ? OVERFLOW : DRAIN);
    } else this.#policy.release(this.#now, connection.number, 1);
  }

  /** It ends, whoever ended it: what it carried breaks. */
  #lose(connection: Connection, cause: number): void {
    const { exchange } = connection;
    const { world, awaitsGreeting } = this.#plan;
    const usable = connection.up && (!awaitsGreeting || connection.greeted);
    if (exchange !== null) world.sentOver(connection, 0, 'reset');
    if (usable) this.#close(connection, cause);
    else {
      // A database that is full says so and closes.
      this.#connections[connection.number] = null;
      this.#failedBy = 'refused';
      world.network.closeConnector(connection, cause);
      this.#policy.openFailed(this.#now, connection.number);
    }
    if (exchange !== null) exchange.asker.broken(exchange, connection.ordinal > 1);
  }

  #close(connection: Connection, cause: number): void {
    this.#connections[connection.number] = null;
    this.#plan.world.network.closeConnector(connection, cause);
    this.#policy.closed(this.#now, connection.number);
  }

  // Follower

  follow(kind: number, number: number, subject: unknown): void {
    if (kind === GRANT) this.#grant(number);
    else if (kind === OPEN) this.#open(number);
    else if (kind >= CLOSE) {
      const connection = this.#connections[number];
      // It may have gone by itself meanwhile, and its number with it.
      if (connection !== null && connection !== undefined && connection === subject) {
        this.#close(connection, kind - CLOSE);
      }
    } else this.#rejected(number, kind - REJECT);
  }

  #rejected(waiter: number, reason: number): void {
    const exchange = this.#waiters.find(waiter);
    if (exchange === null) return;
    this.#leave(exchange);
    exchange.asker.notGranted(exchange, this.#why(reason));
  }

  #why(reason: number): NotGranted {
    if (reason === RejectReason.full) return 'full';
    return reason === RejectReason.acquireTimeout ? 'acquire-timeout' : this.#failedBy;
  }

  #open(number: number): void {
    const { world, place, target } = this.#plan;
    const listener = target();
    if (listener === null) {
      this.#failedBy = 'refused';
      this.#policy.openFailed(this.#now, number);
      return;
    }
    const connection = world.network.connect(this, place, listener, number);
    this.#connections[number] = connection;
    world.network.begin(connection);
  }

  #grant(waiter: number): void {
    const { world, closesUpstream, requestBytes } = this.#plan;
    const exchange = this.#waiters.get(waiter);
    const connection = exchange.granted;
    exchange.granted = null;
    this.#leave(exchange);
    if (connection === null || !connection.connectorOpen) {
      // It went between the decision and now.
      this.acquire(exchange);
      return;
    }
    if (exchange.over) {
      // The request was given up meanwhile.
      this.#policy.release(this.#now, connection.number, 1);
      return;
    }
    exchange.last = closesUpstream;
    world.sent(connection, exchange);
    exchange.asker.sent(exchange);
    world.network.ask(connection, exchange, requestBytes);
  }

  #leave(exchange: Exchange): void {
    this.#waiters.remove(exchange.waiter);
    exchange.waiter = -1;
  }
}
