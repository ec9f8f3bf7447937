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
import { Pool, type PoolOptions, RejectReason } from '../../policy/pool.ts';
import { Effects, Numbered } from '../engine/effects.ts';
import { Wake } from '../engine/wake.ts';
import type { Exchange, NotGranted } from '../exchange.ts';
import type { World } from '../world.ts';
import type { Connection, Connector } from './connection.ts';
import type { Listener, Place } from './network.ts';

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;

const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const DRAIN = closeCauseCode('drain');
const LOCAL_RST = closeCauseCode('local_rst');

export interface PoolPlan {
  readonly world: World;
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

export class ConnectionPool implements Connector {
  /** Idle connections kept; further ones close when they are released. 0 = without limit. */
  idleMax = 0;
  readonly #plan: PoolPlan;
  readonly #policy: Pool;
  readonly #wake: Wake;
  readonly #connections: (Connection | null)[] = [];
  readonly #waiters = new Numbered<Exchange>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #retired = false;
  #failedBy: 'refused' | 'timeout' = 'refused';

  constructor(plan: PoolPlan) {
    this.#plan = plan;
    this.#wake = new Wake(plan.world.engine, (now) => {
      this.#policy.wake(now);
      this.#effects.run();
    });
    this.#policy = new Pool(plan.settings, {
      open: (connection) => this.#effects.push(OPEN, connection, 0),
      grant: (waiter, connection) => this.#effects.push(GRANT, waiter, connection),
      reject: (waiter, reason) => this.#effects.push(REJECT, waiter, reason),
      close: (connection, cause) => this.#effects.push(CLOSE, connection, cause),
      wakeAt: (at) => this.#wake.ask(at),
      draw: plan.draw,
    });
  }

  /** Sends the exchange as soon as there is a connection for it. */
  acquire(exchange: Exchange): void {
    exchange.pool = this;
    exchange.waiter = this.#waiters.add(exchange);
    this.#policy.acquire(this.#now, exchange.waiter);
    this.#effects.run();
  }

  /**
   * Gives the exchange up, wherever it is: what waits leaves, and a connection whose answer may
   * still come is closed for the given cause.
   */
  abandon(exchange: Exchange, cause: number, failure: ExchangeFailure): void {
    const { waiter, connection } = exchange;
    if (waiter !== -1) {
      this.#leave(exchange);
      this.#policy.cancel(this.#now, waiter);
    } else if (connection !== null && connection.exchange === exchange) {
      this.#plan.world.sentOver(connection, 0, failure);
      this.#close(connection, cause);
    }
    this.#effects.run();
  }

  configure(settings: PoolOptions): void {
    this.#policy.configure(this.#now, settings);
    this.#effects.run();
  }

  /** The node that owned these connections is gone: idle ones close now, busy ones when done. */
  replaced(): void {
    this.#policy.replaced(this.#now);
    this.#effects.run();
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
    this.#effects.run();
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
    this.#effects.run();
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
    this.#effects.run();
  }

  answered(connection: Connection, exchange: Exchange, closes: boolean): void {
    const { world, closesUpstream } = this.#plan;
    world.sentOver(connection, exchange.status, 'none');
    if (closes || closesUpstream) this.#close(connection, closesUpstream ? MAX_REQUESTS : PEER_FIN);
    else this.#release(connection);
    exchange.asker.answered(exchange);
    this.#effects.run();
  }

  acceptorFinished(connection: Connection): void {
    this.#lose(connection, PEER_FIN);
    this.#effects.run();
  }

  acceptorReset(connection: Connection): void {
    this.#lose(connection, PEER_RST);
    this.#effects.run();
  }

  get #now(): number {
    return this.#plan.world.engine.now;
  }

  #usable(connection: Connection): void {
    this.#policy.opened(this.#now, connection.number);
    this.#effects.run();
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

  #carryOut(kind: number, a: number, b: number): void {
    switch (kind) {
      case GRANT:
        this.#grant(a, b);
        return;
      case OPEN:
        this.#open(a);
        return;
      case REJECT: {
        const exchange = this.#waiters.get(a);
        this.#leave(exchange);
        exchange.asker.notGranted(exchange, this.#why(b));
        return;
      }
      case CLOSE: {
        const connection = this.#connections[a];
        if (connection !== null && connection !== undefined) this.#close(connection, b);
      }
    }
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

  #grant(waiter: number, number: number): void {
    const { world, closesUpstream, requestBytes } = this.#plan;
    const exchange = this.#waiters.get(waiter);
    const connection = this.#connections[number];
    if (connection === null || connection === undefined) {
      throw new Error(`a pool has granted connection ${number}, which is not there`);
    }
    this.#leave(exchange);
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
