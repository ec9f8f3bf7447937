/**
 * What many pools know, in rows: a pool is a row, connections and waiters have columns in tables
 * of the driver. Here are the tables, and the questions about them that are not asked with every
 * request.
 *
 *   pool        │ idle: head tail size │ waiters: head tail size │ busy │ opening │ closing │
 *               │ replacements │ rules │ unused │ wake-up (double) │ sweeps from (double) │
 *   connection  │ state │ requests │ born │ next │ previous │ the driver's │ idle since (double) │
 *   waiter      │ next │ previous │ waiting since (double) │
 *
 * BORN is how often the node had been replaced when the connection was opened: one of a former
 * node serves who waits for it, and nobody after that. Sweeps are counted from when the first of
 * the present idle connections became idle.
 */
import { type PoolOptions, PoolRulebook, type PoolRules } from './pool-rules.ts';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

export const PooledState = { gone: 0, opening: 1, idle: 2, busy: 3, closing: 4 } as const;

/** Words that a connection takes in its table, from an even column on. */
export const POOL_CONNECTION_WORDS = 8;
/** The one of these that is left to the driver. */
export const POOL_CONNECTION_SPARE = 5;
/** Words that a waiter takes in its table, from an even column on. */
export const POOL_WAITER_WORDS = 4;

/** Columns of a connection. */
export const STATE = 0;
export const REQUESTS = 1;
export const BORN = 2;
export const IDLE_LIST = 3;
/** Counted in doubles. */
export const IDLE_SINCE = 3;

/** Columns of a waiter, the second counted in doubles. */
const WAITING_LIST = 0;
const WAITING_SINCE = 1;

/** Columns of a pool. */
const POOL_WORDS = 16;
export const POOL_SHIFT = 4;
const IDLE = 0;
export const IDLE_SIZE = 2;
const WAITING = 3;
export const WAITING_SIZE = 5;
export const BUSY = 6;
export const OPENING = 7;
export const CLOSING = 8;
export const REPLACEMENTS = 9;
export const RULES = 10;
/** Counted in doubles. */
export const POOL_DOUBLES_SHIFT = 3;
export const WAKE_AT = 6;
export const SWEEPS_FROM = 7;

const NEVER = Number.POSITIVE_INFINITY;

export class PoolRows {
  readonly pools = new Rows(POOL_WORDS);
  readonly connections: Rows;
  readonly connectionColumn: number = 0;
  readonly waiters: Rows;
  readonly waiterColumn: number = 0;
  /** Longest idle first. */
  readonly idle: RowList;
  readonly waiting: RowList;
  readonly rulebook = new PoolRulebook();
  #count = 0;

  constructor(connections: Rows, connectionColumn: number, waiters: Rows, waiterColumn: number) {
    if (connectionColumn % 2 !== 0 || waiterColumn % 2 !== 0) throw new RangeError('odd column');
    this.connections = connections;
    this.connectionColumn = connectionColumn | 0;
    this.waiters = waiters;
    this.waiterColumn = waiterColumn | 0;
    this.idle = new RowList(connections, connectionColumn + IDLE_LIST, this.pools, IDLE);
    this.waiting = new RowList(waiters, waiterColumn + WAITING_LIST, this.pools, WAITING);
  }

  add(settings: PoolOptions): number {
    const pool = this.#count;
    this.pools.room(pool);
    this.pools.ints[(pool << POOL_SHIFT) | RULES] = this.rulebook.take(settings);
    this.setWakeAt(pool, NEVER);
    this.#count += 1;
    return pool;
  }

  rules(pool: number): PoolRules {
    return this.rulebook.all[this.count(pool, RULES)]!;
  }

  setRules(pool: number, settings: PoolOptions): void {
    const former = this.count(pool, RULES);
    this.pools.ints[(pool << POOL_SHIFT) | RULES] = this.rulebook.take(settings);
    this.rulebook.give(former);
  }

  count(pool: number, column: number): number {
    return this.pools.ints[(pool << POOL_SHIFT) | column]!;
  }

  wakeAt(pool: number): number {
    return this.pools.doubles[(pool << POOL_DOUBLES_SHIFT) | WAKE_AT]!;
  }

  setWakeAt(pool: number, at: number): void {
    this.pools.doubles[(pool << POOL_DOUBLES_SHIFT) | WAKE_AT] = at;
  }

  setSweepsFrom(pool: number, from: number): void {
    this.pools.doubles[(pool << POOL_DOUBLES_SHIFT) | SWEEPS_FROM] = from;
  }

  /** Where a connection's columns begin. */
  row(connection: number): number {
    return (connection << this.connections.shift) + this.connectionColumn;
  }

  state(connection: number): number {
    return this.connections.ints[this.row(connection) + STATE] ?? PooledState.gone;
  }

  setState(connection: number, state: number): void {
    this.connections.ints[this.row(connection) + STATE] = state;
  }

  idleSince(connection: number): number {
    return this.connections.doubles[(this.row(connection) >> 1) + IDLE_SINCE]!;
  }

  waitingSince(waiter: number): number {
    return this.waiters.doubles[this.#sinceAt(waiter)]!;
  }

  /** The last in the line. */
  wait(pool: number, now: number, waiter: number): void {
    this.waiters.room(waiter);
    this.waiting.push(pool, waiter);
    this.waiters.doubles[this.#sinceAt(waiter)] = now;
  }

  /** Waiters beyond the connections that are coming; below 0 when these are more. */
  withoutConnection(pool: number): number {
    return this.count(pool, WAITING_SIZE) - this.count(pool, OPENING);
  }

  hasRoom(pool: number): boolean {
    const { connectionsMax } = this.rules(pool);
    const closing = this.count(pool, CLOSING);
    return connectionsMax === 0 || this.#connected(pool) + closing < connectionsMax;
  }

  /** Are there more than allowed, those that close not counted? */
  isBeyondMax(pool: number): boolean {
    const { connectionsMax } = this.rules(pool);
    return connectionsMax > 0 && this.#connected(pool) > connectionsMax;
  }

  isDoomed(pool: number, connection: number): boolean {
    const born = this.connections.ints[this.row(connection) + BORN]!;
    return born < this.count(pool, REPLACEMENTS);
  }

  /** Has it carried as many requests as it may? */
  isSpent(pool: number, connection: number): boolean {
    const { requestsPerConnectionMax: most } = this.rules(pool);
    return most > 0 && this.connections.ints[this.row(connection) + REQUESTS]! >= most;
  }

  mayEvict(pool: number): boolean {
    const idle = this.count(pool, IDLE_SIZE);
    return idle > 0 && idle + this.count(pool, BUSY) > this.rules(pool).minimum;
  }

  /** When an idle connection's time is over: exactly, or at the first sweep after that. */
  evictionAt(pool: number, connection: number): number {
    const { idleTimeout, evictEvery } = this.rules(pool);
    const due = this.idleSince(connection) + idleTimeout;
    if (evictEvery === 0) return due;
    const from = this.pools.doubles[(pool << POOL_DOUBLES_SHIFT) | SWEEPS_FROM]!;
    return from + Math.ceil((due - from) / evictEvery) * evictEvery;
  }

  /** When something is due next: the oldest waiter's rejection, or an eviction. */
  dueAt(pool: number): number {
    const { idleTimeout, acquireTimeout } = this.rules(pool);
    const oldest = acquireTimeout > 0 ? this.waiting.head(pool) : -1;
    const rejection = oldest === -1 ? NEVER : this.waitingSince(oldest) + acquireTimeout;
    if (idleTimeout === 0 || !this.mayEvict(pool)) return rejection;
    return Math.min(rejection, this.evictionAt(pool, this.idle.head(pool)));
  }

  snapshot(pool: number) {
    return {
      opening: this.count(pool, OPENING),
      idle: this.count(pool, IDLE_SIZE),
      busy: this.count(pool, BUSY),
      closing: this.count(pool, CLOSING),
      waiting: this.count(pool, WAITING_SIZE),
    };
  }

  #connected(pool: number): number {
    return this.count(pool, OPENING) + this.count(pool, IDLE_SIZE) + this.count(pool, BUSY);
  }

  /** Where among the doubles it is noted since when somebody waits. */
  #sinceAt(waiter: number): number {
    return (((waiter << this.waiters.shift) + this.waiterColumn) >> 1) + WAITING_SINCE;
  }
}
