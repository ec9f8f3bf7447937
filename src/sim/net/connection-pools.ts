/**
 * The connections that hops keep to others: the shared `Pools` policy, and what it decides on
 * simulated connections. Clients, relays and the app's database connections all go through here.
 *
 *   exchange ──acquire──► Pools ──grant──► connection ──► answered, broken ──► asker
 *                          │ open             └─ gone ─► Pools
 *                          └──────► connect
 */
import { closeCauseCode } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import type { PoolOptions } from '../../policy/pool.ts';
import { RejectReason } from '../../policy/pool.ts';
import type { PoolsPort } from '../../policy/pools.ts';
import { Rows } from '../../policy/rows.ts';
import type { Engine } from '../engine/engine.ts';
import { EventOf, Next } from '../engine/event.ts';
import { Sleepers } from '../engine/sleepers.ts';
import type { Exchanges, NotGranted } from '../exchanges.ts';
import * as at from '../exchanges.ts';
import { type PoolMachine, poolMachine } from '../recorded-policies.ts';
import type { World } from '../world.ts';
import type { Connections } from './connections.ts';
import * as of from './connections.ts';
import type { Network } from './network.ts';
import type { Listener, Place } from './place.ts';

const NONE = -1;
const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const LOCAL_RST = closeCauseCode('local_rst');

/** What pools of a hop's replica have in common. */
export interface PoolRules {
  readonly place: Place;
  /** Every request closes its connection. */
  readonly closesUpstream: boolean;
  /** Wait to be let in by the server (a database) before sending. */
  readonly awaitsGreeting: boolean;
  readonly requestBytes: number;
  /** Idle connections kept; further ones close when they are released. 0 = without limit. */
  readonly idleMax: number;
  /**
   * Where a pool of that owner connects to, asked at each connect; null = there is nothing to
   * connect to.
   */
  target(owner: number): Listener | null;
  /** Which of its idle connections is used next, where that is left to chance. */
  draw(owner: number, bound: number): number;
}

export class ConnectionPools implements PoolsPort {
  readonly #world: World;
  readonly #engine: Engine;
  readonly #network: Network;
  readonly #connections: Connections;
  readonly #exchanges: Exchanges;
  readonly #policy: PoolMachine;
  readonly #sleepers: Sleepers;
  /** Those of all pools, each once, and the place of each there. */
  readonly #rules: PoolRules[] = [];
  readonly #places = new Map<PoolRules, number>();
  /** By pool: the place of its rules, and whose it is. */
  readonly #ofPool = new Rows(2);
  /** Why the last connect of each failed. */
  readonly #failedBy: (NotGranted | undefined)[] = [];
  // What holds while a pool's policy is asked; pools are asked one after the other.
  /** The exchange that is just now asking, and what the policy decided to open for it. */
  #asking = NONE;
  #toOpen = NONE;
  /** A connection has just been opened, and who gets it. */
  #isOpened = false;
  #toGrant = NONE;

  constructor(world: World) {
    this.#world = world;
    this.#engine = world.engine;
    this.#network = world.network;
    this.#connections = world.connections;
    this.#exchanges = world.exchanges;
    this.#sleepers = new Sleepers(world.engine, EventOf.pool);
    this.#policy = poolMachine(
      world.tap,
      this,
      { rows: this.#connections, column: of.POOL_COLUMN },
      { rows: this.#exchanges, column: at.WAITER_COLUMN },
    );
  }

  /**
   * A pool more; `name` is whose connections they are, for the log of policies, and `owner` is a
   * number by which its rules know them.
   */
  add(name: string, settings: PoolOptions, rules: PoolRules, owner: number): number {
    const pool = this.#policy.add(settings, name);
    this.#sleepers.room(pool);
    const place = this.#places.get(rules) ?? this.#rules.push(rules) - 1;
    this.#places.set(rules, place);
    this.#ofPool.room(pool);
    this.#ofPool.ints[pool << 1] = place;
    this.#ofPool.ints[(pool << 1) | 1] = owner;
    return pool;
  }

  // The policy's port: decisions are carried out when its input has returned, those that come
  // with every request as soon as it has

  open(pool: number): number {
    const connection = this.#connections.take();
    this.#connections.put(connection, of.POOL_RULES, this.#ofPool.ints[pool << 1] ?? 0);
    if (this.#asking !== NONE && this.#toOpen === NONE) this.#toOpen = connection;
    else this.#engine.next(Next.openConnection, connection, pool, 0);
    return connection;
  }

  grant(_pool: number, waiter: number, connection: number): void {
    this.#exchanges.put(waiter, at.GRANTED, connection);
    if (this.#asking !== NONE) return;
    if (this.#isOpened) this.#toGrant = waiter;
    else this.#engine.next(Next.grantWaiter, waiter, 0, 0);
  }

  reject(_pool: number, waiter: number, reason: number): void {
    this.#engine.next(Next.rejectWaiter, waiter, reason, 0);
  }

  close(_pool: number, connection: number, cause: number): void {
    const stamp = this.#connections.get(connection, of.STAMP);
    this.#engine.next(Next.closePooled, connection, cause, stamp);
  }

  wakeAt(pool: number, time: number): void {
    this.#sleepers.wakeAt(pool, time);
  }

  draw(pool: number, bound: number): number {
    return this.#rulesOfPool(pool).draw(this.#ownerOf(pool), bound);
  }

  // What was decided or asked for is due

  happens(pool: number): void {
    if (this.#sleepers.isDue(pool)) this.#policy.wake(pool, this.#engine.now);
  }

  /** The exchange waits no more for what it was granted. */
  granted(waiter: number): void {
    const exchanges = this.#exchanges;
    const connection = exchanges.get(waiter, at.GRANTED);
    const pool = exchanges.get(waiter, at.POOL);
    exchanges.put(waiter, at.GRANTED, 0);
    exchanges.unset(waiter, at.WAITS);
    if (connection === 0 || !this.#connections.has(connection, of.CONNECTOR_OPEN)) {
      // It went between the decision and now. A server that closes whom it has just let in would
      // be asked again and again within an instant: that request breaks, as on a real socket.
      const isFresh = connection !== 0 && this.#connections.get(connection, of.ORDINAL) === 0;
      if (isFresh && !exchanges.has(waiter, at.OVER)) this.#world.broken(waiter, false);
      else this.acquire(waiter, pool);
      return;
    }
    if (exchanges.has(waiter, at.OVER)) {
      // The request was given up meanwhile.
      this.#policy.release(pool, this.#engine.now, connection, 1);
      return;
    }
    this.#send(waiter, connection);
  }

  rejected(waiter: number, reason: number): void {
    if (!this.#exchanges.has(waiter, at.WAITS)) return;
    this.#exchanges.unset(waiter, at.WAITS);
    this.#world.notGranted(waiter, this.#why(this.#exchanges.get(waiter, at.POOL), reason));
  }

  /** Closes it, unless it has gone by itself meanwhile, and its number with it. */
  closes(connection: number, cause: number, stamp: number): void {
    if (this.#connections.get(connection, of.STAMP) !== stamp) return;
    if (this.#connections.has(connection, of.POOLED)) this.#close(connection, cause);
  }

  opens(connection: number, pool: number): void {
    const rules = this.#rulesOf(connection);
    const listener = rules.target(this.#ownerOf(pool));
    if (listener === null) {
      this.#failedBy[pool] = 'refused';
      this.#policy.openFailed(pool, this.#engine.now, connection);
      this.#connections.giveBack(connection);
      return;
    }
    this.#network.connect(connection, pool, rules.place, listener);
    this.#network.begin(connection);
  }

  /** The idle connection of a pool that was used last, or -1. */
  newest(pool: number): number {
    return this.#policy.newest(pool);
  }

  // For hops

  /** Sends the exchange as soon as there is a connection for it. */
  acquire(exchange: number, pool: number): void {
    const exchanges = this.#exchanges;
    exchanges.put(exchange, at.POOL, pool);
    this.#asking = exchange;
    this.#policy.acquire(pool, this.#engine.now, exchange);
    this.#asking = NONE;
    const connection = exchanges.get(exchange, at.GRANTED);
    if (connection !== 0) {
      exchanges.put(exchange, at.GRANTED, 0);
      this.#send(exchange, connection);
      return;
    }
    exchanges.set(exchange, at.WAITS);
    const toOpen = this.#toOpen;
    this.#toOpen = NONE;
    if (toOpen !== NONE) this.opens(toOpen, pool);
  }

  /**
   * Gives the exchange up, wherever it is: what waits leaves, and a connection whose answer may
   * still come is closed for the given cause.
   */
  abandon(exchange: number, cause: number, failure: ExchangeFailure): void {
    const exchanges = this.#exchanges;
    const connection = exchanges.get(exchange, at.CONNECTION);
    if (exchanges.has(exchange, at.WAITS)) {
      if (exchanges.get(exchange, at.GRANTED) !== 0) exchanges.set(exchange, at.OVER);
      else {
        exchanges.unset(exchange, at.WAITS);
        this.#policy.cancel(exchanges.get(exchange, at.POOL), this.#engine.now, exchange);
      }
    } else if (connection !== 0 && this.#connections.get(connection, of.EXCHANGE) === exchange) {
      this.#world.books.sentOver(connection, 0, failure);
      this.#close(connection, cause);
    }
  }

  configure(pool: number, settings: PoolOptions): void {
    this.#policy.configure(pool, this.#engine.now, settings);
  }

  /** The node that owned these connections is gone: idle ones close now, busy ones when done. */
  replaced(pool: number): void {
    this.#policy.replaced(pool, this.#engine.now);
  }

  /** Closes every connection of a pool, the oldest first; what is in flight breaks. */
  closeAll(pool: number, cause: number): void {
    const connections = this.#connections;
    const ours: number[] = [];
    for (let connection = 1; connection < connections.end; connection++) {
      if (!connections.has(connection, of.POOLED)) continue;
      if (connections.get(connection, of.CONNECTOR) === pool) ours.push(connection);
    }
    const age = (one: number): number => connections.get(one, of.CONNECTOR_END);
    ours.sort((one, other) => age(one) - age(other));
    for (const connection of ours) {
      if (connections.has(connection, of.POOLED)) this.#lose(connection, cause);
    }
  }

  /** A fault: our own RST on one of them. */
  reset(connection: number): void {
    const exchange = this.#connections.get(connection, of.EXCHANGE);
    if (exchange !== 0) this.#world.books.sentOver(connection, 0, 'reset');
    this.#connections.unset(connection, of.POOLED);
    this.#network.resetConnector(connection, LOCAL_RST);
    this.#policy.closed(this.#poolOf(connection), this.#engine.now, connection);
    if (exchange !== 0) this.#world.broken(exchange, false);
  }

  // Connector

  connected(connection: number): void {
    if (!this.#rulesOf(connection).awaitsGreeting) this.#usable(connection);
  }

  greeted(connection: number): void {
    this.#connections.set(connection, of.GREETED);
    this.#usable(connection);
  }

  connectFailed(connection: number, why: 'refused' | 'timeout'): void {
    const pool = this.#poolOf(connection);
    this.#failedBy[pool] = why;
    this.#connections.unset(connection, of.POOLED);
    this.#policy.openFailed(pool, this.#engine.now, connection);
  }

  answered(connection: number, exchange: number, closes: boolean): void {
    const pool = this.#poolOf(connection);
    const { closesUpstream, idleMax } = this.#rulesOf(connection);
    this.#world.books.sentOver(connection, this.#exchanges.get(exchange, at.STATUS), 'none');
    if (closes || closesUpstream) this.#close(connection, closesUpstream ? MAX_REQUESTS : PEER_FIN);
    else if (idleMax > 0 && this.#policy.idle(pool) >= idleMax) this.#close(connection, OVERFLOW);
    else this.#policy.release(pool, this.#engine.now, connection, 1);
    this.#world.answered(exchange);
    this.#exchanges.give(exchange);
  }

  acceptorFinished(connection: number): void {
    this.#lose(connection, PEER_FIN);
  }

  acceptorReset(connection: number): void {
    this.#lose(connection, PEER_RST);
  }

  #poolOf(connection: number): number {
    return this.#connections.get(connection, of.CONNECTOR);
  }

  #ownerOf(pool: number): number {
    return this.#ofPool.ints[(pool << 1) | 1] ?? 0;
  }

  #rulesOfPool(pool: number): PoolRules {
    return this.#rules[this.#ofPool.ints[pool << 1] ?? 0] as PoolRules;
  }

  /** Of its pool, without a look at that. */
  #rulesOf(connection: number): PoolRules {
    return this.#rules[this.#connections.get(connection, of.POOL_RULES)] as PoolRules;
  }

  #why(pool: number, reason: number): NotGranted {
    if (reason === RejectReason.full) return 'full';
    if (reason === RejectReason.acquireTimeout) return 'acquire-timeout';
    return this.#failedBy[pool] ?? 'refused';
  }

  #usable(connection: number): void {
    // A server that has closed it meanwhile is heard first, and then who waits asks anew.
    this.#isOpened = this.#connections.has(connection, of.ACCEPTOR_OPEN);
    this.#policy.opened(this.#poolOf(connection), this.#engine.now, connection);
    this.#isOpened = false;
    const waiter = this.#toGrant;
    this.#toGrant = NONE;
    if (waiter !== NONE) this.granted(waiter);
  }

  /** It ends, whoever ended it: what it carried breaks. */
  #lose(connection: number, cause: number): void {
    const connections = this.#connections;
    const exchange = connections.get(connection, of.EXCHANGE);
    const pool = this.#poolOf(connection);
    const { awaitsGreeting } = this.#rulesOf(connection);
    const isReused = connections.get(connection, of.ORDINAL) > 1;
    const isGreeted = !awaitsGreeting || connections.has(connection, of.GREETED);
    if (exchange !== 0) this.#world.books.sentOver(connection, 0, 'reset');
    if (isGreeted && connections.has(connection, of.UP)) this.#close(connection, cause);
    else {
      // A database that is full says so and closes.
      connections.unset(connection, of.POOLED);
      this.#failedBy[pool] = 'refused';
      this.#network.closeConnector(connection, cause);
      this.#policy.openFailed(pool, this.#engine.now, connection);
    }
    if (exchange !== 0) this.#world.broken(exchange, isReused);
  }

  #close(connection: number, cause: number): void {
    const pool = this.#poolOf(connection);
    this.#connections.unset(connection, of.POOLED);
    this.#network.closeConnector(connection, cause);
    this.#policy.closed(pool, this.#engine.now, connection);
  }

  #send(exchange: number, connection: number): void {
    const { closesUpstream, requestBytes } = this.#rulesOf(connection);
    if (closesUpstream) this.#exchanges.set(exchange, at.LAST);
    else this.#exchanges.unset(exchange, at.LAST);
    this.#world.books.sent(connection, exchange);
    this.#world.handed(exchange);
    this.#network.ask(connection, exchange, requestBytes);
  }
}
