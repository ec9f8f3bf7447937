/**
 * Pools: the connections that client sides keep to one destination each, and who waits for one.
 *
 *            acquire                opened            grant
 *   waiter ──────────► open() ──► opening ──► idle ◄────────► busy ───► closing ──► gone
 *                                    │         │    release     │ not reusable, max_requests,
 *                                    │         │                │ replaced, beyond connectionsMax
 *                         openFailed │         └► closing: idle_timeout, replaced
 *                                    ▼
 *                                   gone
 *
 * A waiter takes an idle connection, else one is opened for it as long as `connectionsMax`
 * allows, else it waits (first come, first served). One open per waiter: a connection that is
 * released meanwhile goes to the oldest waiter, and the surplus that was being opened becomes
 * idle, as in Go's net/http Transport. Who opens a connection for every request that has to wait
 * keeps them all afterwards: that is how connections multiply.
 *
 * An open that fails while fewer connections are coming than waiters wait costs the oldest waiter
 * its patience: it is rejected, since its connect was the first to begin, and the next one is
 * tried for. So every refusal reaches exactly one waiter, and a dead destination is not connected
 * to for ever on behalf of one.
 *
 * Sequelize's pool is the same machine with three more settings: `minimum` (min),
 * `acquireTimeout` (acquire) and `evictEvery` (evict): idle connections are looked at only every
 * so often, counted from when the first of them became idle. Left out: Sequelize opens `min`
 * connections anew after one was destroyed; here they only are not closed.
 *
 * `connectionsMax` lowered while running: what is idle beyond it closes at once, what is busy
 * when it is released (cause `overflow`); until then the pool is larger than its maximum. So with
 * `requestsPerConnectionMax` (cause `max_requests`): what is idle and has had as many goes at once.
 *
 * Sources: sequelize-pool's README (min, max, idle, acquire, evict) and Go's
 * Transport; API Gateway's own rules are undocumented, so its pools are a model.
 *
 * Many pools are one machine: a pool is a row (its lists' ends, its counts, its wake-up), and so is
 * each connection and waiter, in tables of the driver, beside what others know of it. A visit to one
 * of thousands touches three lines of memory. Every input says first which pool it is about.
 *
 * Budget: O(1) per input, no allocation, one wake-up a pool; `random` reuse, `replaced` and
 * `configure` walk the idle list.
 */
import { closeCauseCode } from '../model/close-cause.ts';

export type { PoolOptions } from './pool-rules.ts';

import { type PoolOptions, PoolRulebook, type PoolRules } from './pool-rules.ts';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

export interface PoolsPort {
  /** The waiter has this connection until `release` or `closed`. */
  grant(pool: number, waiter: number, connection: number): void;
  /**
   * The number of the connection that is to be opened: any that is not in use. Begin to open it
   * only after the input has returned; answer `opened` or `openFailed`.
   */
  open(pool: number): number;
  /** Close it; answer `closed` once it is gone. Its number is in use until then. */
  close(pool: number, connection: number, causeCode: number): void;
  /** The waiter gets no connection. */
  reject(pool: number, waiter: number, reason: number): void;
  /** Ask for `wake` of this pool, as in WakePort. */
  wakeAt(pool: number, at: number): void;
  /** As in DrawPort, from the stream that belongs to this pool. */
  draw(pool: number, bound: number): number;
}

/** Why a waiter was rejected. */
export const RejectReason = { full: 0, openFailed: 1, acquireTimeout: 2 } as const;

export const PooledState = { gone: 0, opening: 1, idle: 2, busy: 3, closing: 4 } as const;

/** Words that a connection takes in its table, from an even column on. */
export const POOL_CONNECTION_WORDS = 8;
/** Words that a waiter takes in its table, from an even column on. */
export const POOL_WAITER_WORDS = 4;

/**
 * Columns of a connection, the double counted in doubles. BORN is how often the node had been
 * replaced when it was opened: one of a former node serves who waits for it, and nobody after that.
 */
const STATE = 0;
const REQUESTS = 1;
const BORN = 2;
const IDLE_LIST = 3;
const IDLE_SINCE = 3;

/** Columns of a waiter. */
const WAITING_LIST = 0;
const WAITING_SINCE = 1;

/** Columns of a pool; what its wake-up port holds, and when its sweeps began, are doubles. */
const IDLE = 0;
const WAITERS = 3;
const BUSY = 6;
const OPENING = 7;
const CLOSING = 8;
const REPLACEMENTS = 9;
const RULES = 10;
const WAKE_AT = 6;
const SWEEPS_FROM = 7;
const POOL_WORDS = 16;
const POOL_SHIFT = 4;

const NEVER = Number.POSITIVE_INFINITY;
const IDLE_TIMEOUT = closeCauseCode('idle_timeout');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const DRAIN = closeCauseCode('drain');

export class Pools {
  // In the order in which a request needs them.
  readonly #port: PoolsPort;
  readonly #pools = new Rows(POOL_WORDS);
  readonly #connections: Rows;
  readonly #connectionColumn: number = 0;
  /** Longest idle first. */
  readonly #idle: RowList;
  readonly #waiting: RowList;
  readonly #rulebook = new PoolRulebook();
  readonly #waiters: Rows;
  readonly #waiterColumn: number = 0;
  #count = 0;

  /** In tables of the driver, whose columns from the given ones on are this machine's. */
  constructor(
    port: PoolsPort,
    connections: Rows,
    connectionColumn: number,
    waiters: Rows,
    waiterColumn: number,
  ) {
    if (connectionColumn % 2 !== 0 || waiterColumn % 2 !== 0) throw new RangeError('odd column');
    this.#port = port;
    this.#connections = connections;
    this.#connectionColumn = connectionColumn | 0;
    this.#waiters = waiters;
    this.#waiterColumn = waiterColumn | 0;
    this.#idle = new RowList(connections, connectionColumn + IDLE_LIST, this.#pools, IDLE);
    this.#waiting = new RowList(waiters, waiterColumn + WAITING_LIST, this.#pools, WAITERS);
  }

  /** A new pool: 0, 1, 2, ... Those that were given the same object share their settings. */
  add(settings: PoolOptions): number {
    const pool = this.#count;
    this.#pools.room(pool);
    this.#pools.ints[(pool << POOL_SHIFT) | RULES] = this.#rulebook.take(settings);
    this.#pools.doubles[(pool << (POOL_SHIFT - 1)) | WAKE_AT] = NEVER;
    this.#count += 1;
    return pool;
  }

  /** A request wants a connection. `waiter` must not be waiting already. */
  acquire(pool: number, now: number, waiter: number): void {
    const idle = this.#takeIdle(pool);
    if (idle !== -1) {
      this.#grant(pool, waiter, idle);
      return;
    }
    const { waitersMax, acquireTimeout } = this.#rules(pool);
    if (waitersMax > 0 && this.#withoutConnection(pool) >= waitersMax && !this.#hasRoom(pool)) {
      this.#port.reject(pool, waiter, RejectReason.full);
      return;
    }
    this.#waiters.room(waiter);
    this.#waiting.push(pool, waiter);
    this.#waiters.doubles[this.#waitingSince(waiter)] = now;
    this.#openForWaiters(pool);
    if (acquireTimeout > 0 && now + acquireTimeout < this.#wakeAt(pool)) this.#arm(pool);
  }

  /** The waiter gave up. What was being opened for it serves another, or becomes idle. */
  cancel(pool: number, _now: number, waiter: number): void {
    if (this.#waiting.remove(pool, waiter)) this.#arm(pool);
  }

  /** The connect succeeded. */
  opened(pool: number, now: number, connection: number): void {
    this.#wasOpening(pool, connection);
    if (this.#isDoomed(pool, connection) && this.#waiting.size(pool) === 0) {
      this.#close(pool, connection, DRAIN);
    } else this.#settle(pool, now, connection);
    this.#armIfEarlier(pool);
  }

  /** The connect failed; the number is free at once. */
  openFailed(pool: number, _now: number, connection: number): void {
    this.#wasOpening(pool, connection);
    this.#connections.ints[this.#row(connection) + STATE] = PooledState.gone;
    const oldest = this.#waiting.head(pool);
    if (oldest !== -1 && this.#withoutConnection(pool) > 0) {
      this.#waiting.remove(pool, oldest);
      this.#port.reject(pool, oldest, RejectReason.openFailed);
    }
    this.#openForWaiters(pool);
    this.#arm(pool);
  }

  /** The exchange is over. `reusable` 0: the connection is closing by itself, await `closed`. */
  release(pool: number, now: number, connection: number, reusable: number): void {
    const { ints } = this.#connections;
    const row = this.#row(connection);
    if (ints[row + STATE] !== PooledState.busy) return;
    this.#pools.ints[(pool << POOL_SHIFT) | BUSY]! -= 1;
    ints[row + REQUESTS]! += 1;
    if (reusable === 0) this.#setClosing(pool, connection);
    else if (this.#isDoomed(pool, connection)) this.#close(pool, connection, DRAIN);
    else if (this.#isSpent(pool, connection)) this.#close(pool, connection, MAX_REQUESTS);
    else this.#settle(pool, now, connection);
  }

  /** The connection is gone, whoever closed it, idle or busy. The number is free at once. */
  closed(pool: number, _now: number, connection: number): void {
    const state = this.state(connection);
    if (state === PooledState.gone) return;
    const { ints } = this.#pools;
    const of = pool << POOL_SHIFT;
    if (state === PooledState.opening) ints[of | OPENING]! -= 1;
    else if (state === PooledState.busy) ints[of | BUSY]! -= 1;
    else if (state === PooledState.closing) ints[of | CLOSING]! -= 1;
    else this.#idle.remove(pool, connection);
    this.#connections.ints[this.#row(connection) + STATE] = PooledState.gone;
    this.#openForWaiters(pool);
  }

  /** The node was replaced: idle connections close now, the others after their next release. */
  replaced(pool: number, _now: number): void {
    while (this.#idle.size(pool) > 0) this.#close(pool, this.#idle.head(pool), DRAIN);
    this.#pools.ints[(pool << POOL_SHIFT) | REPLACEMENTS]! += 1;
    this.#arm(pool);
  }

  wake(pool: number, now: number): void {
    this.#pools.doubles[(pool << (POOL_SHIFT - 1)) | WAKE_AT] = NEVER;
    const { idleTimeout, acquireTimeout } = this.#rules(pool);
    while (acquireTimeout > 0 && this.#waiting.size(pool) > 0) {
      const oldest = this.#waiting.head(pool);
      if (this.#waiters.doubles[this.#waitingSince(oldest)]! + acquireTimeout > now) break;
      this.#waiting.remove(pool, oldest);
      this.#port.reject(pool, oldest, RejectReason.acquireTimeout);
    }
    while (idleTimeout > 0 && this.#mayEvict(pool)) {
      const oldest = this.#idle.head(pool);
      if (this.#evictionAt(pool, oldest) > now) break;
      this.#close(pool, oldest, IDLE_TIMEOUT);
    }
    this.#arm(pool);
  }

  configure(pool: number, _now: number, settings: PoolOptions): void {
    const wasSwept = this.#rules(pool).evictEvery > 0;
    const at = (pool << POOL_SHIFT) | RULES;
    const former = this.#pools.ints[at]!;
    this.#pools.ints[at] = this.#rulebook.take(settings);
    this.#rulebook.give(former);
    // Sweeps that begin with a change of the settings count from the longest idle one.
    if (!wasSwept && this.#idle.size(pool) > 0) {
      this.#sweepFrom(pool, this.#idleSince(this.#idle.head(pool)));
    }
    this.#closeSpent(pool);
    while (this.#idle.size(pool) > 0 && this.#isBeyondMax(pool, 0)) {
      this.#close(pool, this.#idle.head(pool), OVERFLOW);
    }
    this.#openForWaiters(pool);
    this.#arm(pool);
  }

  /** How many connections are idle. */
  idle(pool: number): number {
    return this.#idle.size(pool);
  }

  /** Of a connection, as in PooledState. */
  state(connection: number): number {
    return this.#connections.ints[this.#row(connection) + STATE] ?? PooledState.gone;
  }

  snapshot(pool: number) {
    const { ints } = this.#pools;
    const of = pool << POOL_SHIFT;
    return {
      opening: ints[of | OPENING]!,
      idle: this.#idle.size(pool),
      busy: ints[of | BUSY]!,
      closing: ints[of | CLOSING]!,
      waiting: this.#waiting.size(pool),
    };
  }

  #rules(pool: number): PoolRules {
    return this.#rulebook.at(this.#pools.ints[(pool << POOL_SHIFT) | RULES]!);
  }

  /** Where a connection's columns begin. */
  #row(connection: number): number {
    return (connection << this.#connections.shift) + this.#connectionColumn;
  }

  #idleSince(connection: number): number {
    return this.#connections.doubles[(this.#row(connection) >> 1) + IDLE_SINCE]!;
  }

  /** Where among the doubles it is noted. */
  #waitingSince(waiter: number): number {
    return (((waiter << this.#waiters.shift) + this.#waiterColumn) >> 1) + WAITING_SINCE;
  }

  #wakeAt(pool: number): number {
    return this.#pools.doubles[(pool << (POOL_SHIFT - 1)) | WAKE_AT]!;
  }

  #sweepFrom(pool: number, from: number): void {
    this.#pools.doubles[(pool << (POOL_SHIFT - 1)) | SWEEPS_FROM] = from;
  }

  /** Waiters beyond the connections that are coming; below 0, these are the more. */
  #withoutConnection(pool: number): number {
    return this.#waiting.size(pool) - this.#pools.ints[(pool << POOL_SHIFT) | OPENING]!;
  }

  /** Those that close not counted. */
  #connected(pool: number): number {
    const { ints } = this.#pools;
    const of = pool << POOL_SHIFT;
    return ints[of | OPENING]! + ints[of | BUSY]! + this.#idle.size(pool);
  }

  #hasRoom(pool: number): boolean {
    const { connectionsMax } = this.#rules(pool);
    if (connectionsMax === 0) return true;
    const closing = this.#pools.ints[(pool << POOL_SHIFT) | CLOSING]!;
    return this.#connected(pool) + closing < connectionsMax;
  }

  /** Are there more than allowed, those that close not counted, and `more` that are not listed? */
  #isBeyondMax(pool: number, more: number): boolean {
    const { connectionsMax } = this.#rules(pool);
    return connectionsMax > 0 && this.#connected(pool) + more > connectionsMax;
  }

  #isDoomed(pool: number, connection: number): boolean {
    const born = this.#connections.ints[this.#row(connection) + BORN]!;
    return born < this.#pools.ints[(pool << POOL_SHIFT) | REPLACEMENTS]!;
  }

  /** Has it carried as many requests as it may? */
  #isSpent(pool: number, connection: number): boolean {
    const { requestsPerConnectionMax: most } = this.#rules(pool);
    return most > 0 && this.#connections.ints[this.#row(connection) + REQUESTS]! >= most;
  }

  /** Idle ones that had more requests than a lowered maximum allows. */
  #closeSpent(pool: number): void {
    for (let one = this.#idle.head(pool); one !== -1; ) {
      const next = this.#idle.after(one);
      if (this.#isSpent(pool, one)) this.#close(pool, one, MAX_REQUESTS);
      one = next;
    }
  }

  #wasOpening(pool: number, connection: number): void {
    if (this.state(connection) !== PooledState.opening) {
      throw new Error(`connection ${connection} was not being opened`);
    }
    this.#pools.ints[(pool << POOL_SHIFT) | OPENING]! -= 1;
  }

  #openForWaiters(pool: number): void {
    const of = pool << POOL_SHIFT;
    while (this.#withoutConnection(pool) > 0 && this.#hasRoom(pool)) {
      this.#pools.ints[of | OPENING]! += 1;
      const connection = this.#port.open(pool);
      this.#connections.room(connection);
      const { ints } = this.#connections;
      const row = this.#row(connection);
      ints[row + STATE] = PooledState.opening;
      ints[row + REQUESTS] = 0;
      ints[row + BORN] = this.#pools.ints[of | REPLACEMENTS]!;
      ints[row + IDLE_LIST] = 0;
    }
  }

  /** A connection without a request: to the oldest waiter, else idle. */
  #settle(pool: number, now: number, connection: number): void {
    if (this.#isBeyondMax(pool, 1)) {
      this.#close(pool, connection, OVERFLOW);
      return;
    }
    const waiter = this.#waiting.head(pool);
    if (waiter !== -1) {
      this.#waiting.remove(pool, waiter);
      this.#grant(pool, waiter, connection);
      return;
    }
    const { ints, doubles } = this.#connections;
    const row = this.#row(connection);
    ints[row + STATE] = PooledState.idle;
    doubles[(row >> 1) + IDLE_SINCE] = now;
    this.#idle.push(pool, connection);
    // Behind others it is not the next to be evicted.
    if (this.#idle.size(pool) !== 1) return;
    // Sweeps are counted from when the first of the present idle connections became idle.
    this.#sweepFrom(pool, now);
    this.#armIfEarlier(pool);
  }

  #takeIdle(pool: number): number {
    const size = this.#idle.size(pool);
    if (size === 0) return -1;
    const { reuse } = this.#rules(pool);
    let connection = reuse === 'lifo' ? this.#idle.tail(pool) : this.#idle.head(pool);
    if (reuse === 'random' && size > 1) {
      for (let steps = this.#port.draw(pool, size); steps > 0; steps--) {
        connection = this.#idle.after(connection);
      }
    }
    this.#idle.remove(pool, connection);
    return connection;
  }

  #grant(pool: number, waiter: number, connection: number): void {
    this.#connections.ints[this.#row(connection) + STATE] = PooledState.busy;
    this.#pools.ints[(pool << POOL_SHIFT) | BUSY]! += 1;
    this.#port.grant(pool, waiter, connection);
  }

  #close(pool: number, connection: number, causeCode: number): void {
    this.#idle.remove(pool, connection);
    this.#setClosing(pool, connection);
    this.#port.close(pool, connection, causeCode);
  }

  #setClosing(pool: number, connection: number): void {
    this.#connections.ints[this.#row(connection) + STATE] = PooledState.closing;
    this.#pools.ints[(pool << POOL_SHIFT) | CLOSING]! += 1;
  }

  #mayEvict(pool: number): boolean {
    const idle = this.#idle.size(pool);
    if (idle === 0) return false;
    return idle + this.#pools.ints[(pool << POOL_SHIFT) | BUSY]! > this.#rules(pool).minimum;
  }

  /** When an idle connection's time is over: exactly, or at the first sweep after that. */
  #evictionAt(pool: number, connection: number): number {
    const { idleTimeout, evictEvery } = this.#rules(pool);
    const due = this.#idleSince(connection) + idleTimeout;
    if (evictEvery === 0) return due;
    const from = this.#pools.doubles[(pool << (POOL_SHIFT - 1)) | SWEEPS_FROM]!;
    return from + Math.ceil((due - from) / evictEvery) * evictEvery;
  }

  /** For what comes with every request: a wake-up that is early enough stays. */
  #armIfEarlier(pool: number): void {
    if (this.#rules(pool).idleTimeout === 0 || !this.#mayEvict(pool)) return;
    const at = this.#evictionAt(pool, this.#idle.head(pool));
    if (at < this.#wakeAt(pool)) this.#ask(pool, at);
  }

  #arm(pool: number): void {
    const { idleTimeout, acquireTimeout } = this.#rules(pool);
    let at = NEVER;
    if (acquireTimeout > 0 && this.#waiting.size(pool) > 0) {
      const oldest = this.#waiting.head(pool);
      at = this.#waiters.doubles[this.#waitingSince(oldest)]! + acquireTimeout;
    }
    if (idleTimeout > 0 && this.#mayEvict(pool)) {
      at = Math.min(at, this.#evictionAt(pool, this.#idle.head(pool)));
    }
    this.#ask(pool, at);
  }

  /** As WakeUp does: the port is asked only when the time has changed. */
  #ask(pool: number, at: number): void {
    const index = (pool << (POOL_SHIFT - 1)) | WAKE_AT;
    if (at === this.#pools.doubles[index]) return;
    this.#pools.doubles[index] = at;
    this.#port.wakeAt(pool, at);
  }
}
