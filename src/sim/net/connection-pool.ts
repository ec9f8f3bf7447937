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
import { Sleeper } from '../engine/wake.ts';
import { type Exchange, NOT_WAITING, type NotGranted } from '../exchange.ts';
import type { World } from '../world.ts';
import type { Connection, Connector } from './connection.ts';
import type { Listener, Place } from './place.ts';

/** Kinds of consequences; REJECT and CLOSE carry their reason with them. */
const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 8;
const NONE = -1;

const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const LOCAL_RST = closeCauseCode('local_rst');

/** What all pools of a hop's replica have in common. */
export interface PoolRules {
  readonly world: World;
  readonly place: Place;
  /** Every request closes its connection. */
  readonly closesUpstream: boolean;
  /** Wait to be let in by the server (a database) before sending. */
  readonly awaitsGreeting: boolean;
  readonly requestBytes: number;
}

/** What a pool chooses by chance, or has been told to choose. */
export interface PoolChoices {
  /** Asked at each connect; null = there is nothing to connect to. */
  target(): Listener | null;
  draw(bound: number): number;
}

export interface PoolPlan {
  readonly rules: PoolRules;
  /** Whose connections they are, for the log of policies. */
  readonly name: string;
  readonly choices: PoolChoices;
  readonly settings: PoolOptions;
}

/** What holds while a pool's policy is asked; pools are asked one after the other. */
export class PoolDecision {
  /** The exchange that is just now asking, and what the policy decided about it. */
  asking: Exchange | null = null;
  toOpen = NONE;
  /** A connection has just been opened, and who gets it. */
  isOpened = false;
  toGrant = NONE;
}

export class ConnectionPool extends Sleeper implements Connector, Follower, PoolPort {
  readonly #rules: PoolRules;
  readonly #policy: Pool;
  /** Idle connections kept; further ones close when they are released. 0 = without limit. */
  idleMax = 0;
  readonly #choices: PoolChoices;
  /** By number; of other pools, too, where they share tables. */
  readonly #connections: (Connection | null)[];
  #failedBy: 'refused' | 'timeout' = 'refused';

  constructor({ rules, name, choices, settings }: PoolPlan) {
    const { world } = rules;
    super(world.engine);
    this.#rules = rules;
    this.#choices = choices;
    const { tables, connections } = world.pools();
    this.#connections = connections;
    const make = (port: PoolPort): Pool => new Pool(settings, port, tables);
    this.#policy = world.tap.create<PoolPort, Pool>(name, Pool, settings, this, make);
  }

  // The policy's port: decisions are carried out when its input has returned, those that come
  // with every request as soon as it has

  open(number: number): void {
    const { decision } = this.#rules.world;
    if (decision.asking !== null && decision.toOpen === NONE) decision.toOpen = number;
    else this.engine.next(this, OPEN, number, null);
  }

  grant(waiter: number, number: number): void {
    const { decision, waiters } = this.#rules.world;
    if (decision.asking !== null) {
      decision.asking.granted = this.#connections[number] ?? null;
      return;
    }
    const exchange = waiters.get(waiter);
    exchange.granted = this.#connections[number] ?? null;
    if (decision.isOpened) decision.toGrant = waiter;
    else this.engine.next(this, GRANT, waiter, exchange);
  }

  reject(waiter: number, reason: number): void {
    this.engine.next(this, REJECT + reason, waiter, null);
  }

  close(number: number, cause: number): void {
    this.engine.next(this, CLOSE + cause, number, this.#connections[number]);
  }

  draw(bound: number): number {
    return this.#choices.draw(bound);
  }

  protected override woken(now: number): void {
    this.#policy.wake(now);
  }

  /** Sends the exchange as soon as there is a connection for it. */
  acquire(exchange: Exchange): void {
    const { decision, waiters } = this.#rules.world;
    exchange.pool = this;
    decision.asking = exchange;
    this.#policy.acquire(this.engine.now, waiters.next);
    decision.asking = null;
    const connection = exchange.granted;
    if (connection !== null) {
      exchange.granted = null;
      this.#send(exchange, connection);
      return;
    }
    exchange.waiter = waiters.add(exchange);
    const number = decision.toOpen;
    decision.toOpen = NONE;
    if (number !== NONE) this.#open(number);
  }

  /**
   * Gives the exchange up, wherever it is: what waits leaves, and a connection whose answer may
   * still come is closed for the given cause.
   */
  abandon(exchange: Exchange, cause: number, failure: ExchangeFailure): void {
    const { waiter, connection } = exchange;
    if (waiter !== NOT_WAITING && exchange.granted !== null) exchange.over = true;
    else if (waiter !== NOT_WAITING) {
      this.#leave(exchange);
      this.#policy.cancel(this.#now, waiter);
    } else if (connection !== null && connection.exchange === exchange) {
      this.#rules.world.sentOver(connection, 0, failure);
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

  /** Closes every connection, the oldest first; what is in flight breaks. */
  closeAll(cause: number): void {
    const ours: Connection[] = [];
    for (const connection of this.#connections) {
      if (connection?.connector === this) ours.push(connection);
    }
    ours.sort((one, other) => one.connectorEnd - other.connectorEnd);
    for (const connection of ours) {
      if (this.#connections[connection.number] === connection) this.#lose(connection, cause);
    }
  }

  /** A fault: our own RST on one of them. */
  reset(connection: Connection): void {
    const { exchange } = connection;
    const { world } = this.#rules;
    if (exchange !== null) world.sentOver(connection, 0, 'reset');
    world.network.resetConnector(connection, LOCAL_RST);
    this.#connections[connection.number] = null;
    this.#policy.closed(this.#now, connection.number);
    if (exchange !== null) exchange.asker.broken(exchange, false);
  }

  // Connector

  connected(connection: Connection): void {
    if (!this.#rules.awaitsGreeting) this.#usable(connection);
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
    const { world, closesUpstream } = this.#rules;
    world.sentOver(connection, exchange.status, 'none');
    if (closes || closesUpstream) this.#close(connection, closesUpstream ? MAX_REQUESTS : PEER_FIN);
    else this.#release(connection);
    exchange.asker.answered(exchange);
    world.exchanges.give(exchange);
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
    // A server that has closed it meanwhile is heard first, and then who waits asks anew.
    const { decision } = this.#rules.world;
    decision.isOpened = connection.acceptorOpen;
    this.#policy.opened(this.engine.now, connection.number);
    decision.isOpened = false;
    const waiter = decision.toGrant;
    decision.toGrant = NONE;
    if (waiter !== NONE) this.#grant(waiter);
  }

  #release(connection: Connection): void {
    const surplus = this.idleMax > 0 && this.#policy.snapshot().idle >= this.idleMax;
    if (surplus) this.#close(connection, OVERFLOW);
    else this.#policy.release(this.#now, connection.number, 1);
  }

  /** It ends, whoever ended it: what it carried breaks. */
  #lose(connection: Connection, cause: number): void {
    const { exchange } = connection;
    const { world, awaitsGreeting } = this.#rules;
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
    this.#rules.world.network.closeConnector(connection, cause);
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
    const exchange = this.#rules.world.waiters.find(waiter);
    if (exchange === null) return;
    this.#leave(exchange);
    exchange.asker.notGranted(exchange, this.#why(reason));
  }

  #why(reason: number): NotGranted {
    if (reason === RejectReason.full) return 'full';
    return reason === RejectReason.acquireTimeout ? 'acquire-timeout' : this.#failedBy;
  }

  #open(number: number): void {
    const { world, place } = this.#rules;
    const listener = this.#choices.target();
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
    const exchange = this.#rules.world.waiters.get(waiter);
    const connection = exchange.granted;
    exchange.granted = null;
    this.#leave(exchange);
    if (connection === null || !connection.connectorOpen) {
      // It went between the decision and now. A server that closes whom it has just let in would
      // be asked again and again within an instant: that request breaks, as on a real socket.
      if (connection?.ordinal === 0 && !exchange.over) exchange.asker.broken(exchange, false);
      else this.acquire(exchange);
      return;
    }
    if (exchange.over) {
      // The request was given up meanwhile.
      this.#policy.release(this.#now, connection.number, 1);
      return;
    }
    this.#send(exchange, connection);
  }

  #send(exchange: Exchange, connection: Connection): void {
    const { world, closesUpstream, requestBytes } = this.#rules;
    exchange.last = closesUpstream;
    world.sent(connection, exchange);
    exchange.asker.sent(exchange);
    if (world.network.ask(connection, exchange, requestBytes)) {
      connection.acceptor.asked(connection, exchange);
    }
  }

  #leave(exchange: Exchange): void {
    this.#rules.world.waiters.remove(exchange.waiter);
    exchange.waiter = NOT_WAITING;
  }
}
