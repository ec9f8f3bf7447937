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
 * each connection and waiter, in tables of the driver, beside what others know of it. A visit to
 * one of thousands touches three lines of memory. Every input says first which pool it is about.
 *
 * Budget: O(1) per input, no allocation, one wake-up a pool; `random` reuse, `replaced` and
 * `configure` walk the idle list.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import {
  BORN,
  BUSY,
  CLOSING,
  IDLE_LIST,
  IDLE_SINCE,
  IDLE_SIZE,
  OPENING,
  POOL_DOUBLES_SHIFT,
  POOL_SHIFT,
  PooledState,
  PoolRows,
  REPLACEMENTS,
  REQUESTS,
  RULES,
  STATE,
  SWEEPS_FROM,
  WAITING_SIZE,
  WAKE_AT,
} from './pool-rows.ts';
import type { PoolOptions, PoolRules } from './pool-rules.ts';
import type { RowList } from './row-list.ts';
import type { Rows } from './rows.ts';

export {
  POOL_CONNECTION_SPARE,
  POOL_CONNECTION_WORDS,
  POOL_WAITER_WORDS,
  PooledState,
} from './pool-rows.ts';
export type { PoolOptions } from './pool-rules.ts';

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

const NEVER = Number.POSITIVE_INFINITY;
const IDLE_TIMEOUT = closeCauseCode('idle_timeout');
const MAX_REQUESTS = closeCauseCode('max_requests');
const OVERFLOW = closeCauseCode('overflow');
const DRAIN = closeCauseCode('drain');

export class Pools {
  // What comes with every request uses these, the rest asks the rows.
  readonly #port: PoolsPort;
  readonly #pools: Rows;
  readonly #connections: Rows;
  readonly #column: number = 0;
  readonly #idle: RowList;
  readonly #waiting: RowList;
  readonly #rules: readonly PoolRules[];
  readonly #rows: PoolRows;

  /** In tables of the driver, whose columns from the given ones on are this machine's. */
  constructor(
    port: PoolsPort,
    connections: Rows,
    connectionColumn: number,
    waiters: Rows,
    waiterColumn: number,
  ) {
    const rows = new PoolRows(connections, connectionColumn, waiters, waiterColumn);
    this.#port = port;
    this.#pools = rows.pools;
    this.#connections = connections;
    this.#column = connectionColumn | 0;
    this.#idle = rows.idle;
    this.#waiting = rows.waiting;
    this.#rules = rows.rulebook.all;
    this.#rows = rows;
  }

  /** A new pool: 0, 1, 2, ... Those that are given the same object share their settings. */
  add(settings: PoolOptions): number {
    return this.#rows.add(settings);
  }

  /** A request wants a connection. `waiter` must not be waiting already. */
  acquire(pool: number, now: number, waiter: number): void {
    const size = this.#pools.ints[(pool << POOL_SHIFT) | IDLE_SIZE]!;
    if (size === 0) {
      this.#wait(pool, now, waiter);
      return;
    }
    const connection = this.#choose(pool, size);
    this.#idle.remove(pool, connection);
    this.#grant(pool, waiter, connection);
  }

  /** The waiter gave up. What was being opened for it serves another, or becomes idle. */
  cancel(pool: number, _now: number, waiter: number): void {
    if (this.#waiting.remove(pool, waiter)) this.#arm(pool);
  }

  /** The connect succeeded. */
  opened(pool: number, now: number, connection: number): void {
    this.#wasOpening(pool, connection);
    if (this.#waiting.size(pool) === 0 && this.#rows.isDoomed(pool, connection)) {
      this.#close(pool, connection, DRAIN);
    } else this.#settle(pool, now, connection);
    this.#armIfEarlier(pool);
  }

  /** The connect failed; the number is free at once. */
  openFailed(pool: number, _now: number, connection: number): void {
    this.#wasOpening(pool, connection);
    this.#rows.setState(connection, PooledState.gone);
    const oldest = this.#waiting.head(pool);
    if (oldest !== -1 && this.#rows.withoutConnection(pool) > 0) {
      this.#waiting.remove(pool, oldest);
      this.#port.reject(pool, oldest, RejectReason.openFailed);
    }
    this.#openForWaiters(pool);
    this.#arm(pool);
  }

  /** The exchange is over. `reusable` 0: the connection is closing by itself, await `closed`. */
  release(pool: number, now: number, connection: number, reusable: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) + this.#column;
    if (ints[row + STATE] !== PooledState.busy) return;
    const requests = (ints[row + REQUESTS]! + 1) | 0;
    ints[row + REQUESTS] = requests;
    const counts = this.#pools.ints;
    const of = pool << POOL_SHIFT;
    counts[of | BUSY]! -= 1;
    const most = this.#rules[counts[of | RULES]!]!.requestsPerConnectionMax;
    if (reusable === 0) this.#setClosing(pool, connection);
    else if (ints[row + BORN]! < counts[of | REPLACEMENTS]!) this.#close(pool, connection, DRAIN);
    else if (most > 0 && requests >= most) this.#close(pool, connection, MAX_REQUESTS);
    else this.#settle(pool, now, connection);
  }

  /** The connection is gone, whoever closed it, idle or busy; the number is free at once. */
  closed(pool: number, _now: number, connection: number): void {
    const state = this.#rows.state(connection);
    if (state === PooledState.gone) return;
    const { ints } = this.#pools;
    const of = pool << POOL_SHIFT;
    if (state === PooledState.opening) ints[of | OPENING]! -= 1;
    else if (state === PooledState.busy) ints[of | BUSY]! -= 1;
    else if (state === PooledState.closing) ints[of | CLOSING]! -= 1;
    else this.#idle.remove(pool, connection);
    this.#rows.setState(connection, PooledState.gone);
    this.#openForWaiters(pool);
  }

  /** The node was replaced: idle connections close now, the others after their next release. */
  replaced(pool: number, _now: number): void {
    while (this.#idle.size(pool) > 0) this.#close(pool, this.#idle.head(pool), DRAIN);
    this.#pools.ints[(pool << POOL_SHIFT) | REPLACEMENTS]! += 1;
    this.#arm(pool);
  }

  wake(pool: number, now: number): void {
    const rows = this.#rows;
    rows.setWakeAt(pool, NEVER);
    const { idleTimeout, acquireTimeout } = rows.rules(pool);
    while (acquireTimeout > 0 && this.#waiting.size(pool) > 0) {
      const oldest = this.#waiting.head(pool);
      if (rows.waitingSince(oldest) + acquireTimeout > now) break;
      this.#waiting.remove(pool, oldest);
      this.#port.reject(pool, oldest, RejectReason.acquireTimeout);
    }
    while (idleTimeout > 0 && rows.mayEvict(pool)) {
      const oldest = this.#idle.head(pool);
      if (rows.evictionAt(pool, oldest) > now) break;
      this.#close(pool, oldest, IDLE_TIMEOUT);
    }
    this.#arm(pool);
  }

  configure(pool: number, _now: number, settings: PoolOptions): void {
    const rows = this.#rows;
    const wasSwept = rows.rules(pool).evictEvery > 0;
    rows.setRules(pool, settings);
    // Sweeps that begin with a change of the settings count from the longest idle one.
    const longest = this.#idle.head(pool);
    if (!wasSwept && longest !== -1) rows.setSweepsFrom(pool, rows.idleSince(longest));
    this.#closeSpent(pool);
    while (this.#idle.size(pool) > 0 && rows.isBeyondMax(pool)) {
      this.#close(pool, this.#idle.head(pool), OVERFLOW);
    }
    this.#openForWaiters(pool);
    this.#arm(pool);
  }

  /** How many connections are idle. */
  idle(pool: number): number {
    return this.#idle.size(pool);
  }

  /** The idle one that was used last, or -1. */
  newest(pool: number): number {
    return this.#idle.tail(pool);
  }

  /** Of a connection, as in PooledState. */
  state(connection: number): number {
    return this.#rows.state(connection);
  }

  snapshot(pool: number) {
    return this.#rows.snapshot(pool);
  }

  /** An idle connection, of `size`. */
  #choose(pool: number, size: number): number {
    const { reuse } = this.#rules[this.#pools.ints[(pool << POOL_SHIFT) | RULES]!]!;
    if (reuse === 'lifo') return this.#idle.tail(pool);
    let connection = this.#idle.head(pool);
    if (reuse === 'random' && size > 1) {
      for (let steps = this.#port.draw(pool, size); steps > 0; steps--) {
        connection = this.#idle.after(connection);
      }
    }
    return connection;
  }

  #wait(pool: number, now: number, waiter: number): void {
    const rows = this.#rows;
    const { waitersMax, acquireTimeout } = rows.rules(pool);
    if (waitersMax > 0 && rows.withoutConnection(pool) >= waitersMax && !rows.hasRoom(pool)) {
      this.#port.reject(pool, waiter, RejectReason.full);
      return;
    }
    rows.wait(pool, now, waiter);
    this.#openForWaiters(pool);
    if (acquireTimeout > 0 && now + acquireTimeout < rows.wakeAt(pool)) this.#arm(pool);
  }

  #wasOpening(pool: number, connection: number): void {
    if (this.#rows.state(connection) !== PooledState.opening) {
      throw new Error(`connection ${connection} was not being opened`);
    }
    this.#pools.ints[(pool << POOL_SHIFT) | OPENING]! -= 1;
  }

  #openForWaiters(pool: number): void {
    const rows = this.#rows;
    const of = pool << POOL_SHIFT;
    while (rows.withoutConnection(pool) > 0 && rows.hasRoom(pool)) {
      this.#pools.ints[of | OPENING]! += 1;
      const connection = this.#port.open(pool);
      this.#connections.room(connection);
      const { ints } = this.#connections;
      const row = rows.row(connection);
      ints[row + STATE] = PooledState.opening;
      ints[row + REQUESTS] = 0;
      ints[row + BORN] = this.#pools.ints[of | REPLACEMENTS]!;
      ints[row + IDLE_LIST] = 0;
    }
  }

  /** A connection without a request: to the oldest waiter, else idle. */
  #settle(pool: number, now: number, connection: number): void {
    const counts = this.#pools.ints;
    const of = pool << POOL_SHIFT;
    const most = this.#rules[counts[of | RULES]!]!.connectionsMax;
    const idle = counts[of | IDLE_SIZE]!;
    // This one is not counted.
    if (most > 0 && counts[of | OPENING]! + counts[of | BUSY]! + idle >= most) {
      this.#close(pool, connection, OVERFLOW);
    } else if (counts[of | WAITING_SIZE] !== 0) {
      const waiter = this.#waiting.head(pool);
      this.#waiting.remove(pool, waiter);
      this.#grant(pool, waiter, connection);
    } else {
      const { ints, doubles, shift } = this.#connections;
      const row = (connection << shift) + this.#column;
      ints[row + STATE] = PooledState.idle;
      doubles[(row >> 1) + IDLE_SINCE] = now;
      this.#idle.push(pool, connection);
      // Behind others it is not the next to be evicted.
      if (idle === 0) {
        this.#pools.doubles[(pool << POOL_DOUBLES_SHIFT) | SWEEPS_FROM] = now;
        this.#armIfEarlier(pool);
      }
    }
  }

  #grant(pool: number, waiter: number, connection: number): void {
    const { ints, shift } = this.#connections;
    ints[(connection << shift) + this.#column + STATE] = PooledState.busy;
    this.#pools.ints[(pool << POOL_SHIFT) | BUSY]! += 1;
    this.#port.grant(pool, waiter, connection);
  }

  #close(pool: number, connection: number, causeCode: number): void {
    this.#idle.remove(pool, connection);
    this.#setClosing(pool, connection);
    this.#port.close(pool, connection, causeCode);
  }

  #setClosing(pool: number, connection: number): void {
    this.#rows.setState(connection, PooledState.closing);
    this.#pools.ints[(pool << POOL_SHIFT) | CLOSING]! += 1;
  }

  /** Idle ones that had more requests than a lowered maximum allows. */
  #closeSpent(pool: number): void {
    for (let one = this.#idle.head(pool); one !== -1; ) {
      const next = this.#idle.after(one);
      if (this.#rows.isSpent(pool, one)) this.#close(pool, one, MAX_REQUESTS);
      one = next;
    }
  }

  /** For what comes with every request: a wake-up that is early enough stays. */
  #armIfEarlier(pool: number): void {
    const { ints, doubles } = this.#pools;
    const of = pool << POOL_SHIFT;
    const { idleTimeout, evictEvery, minimum } = this.#rules[ints[of | RULES]!]!;
    const idle = ints[of | IDLE_SIZE]!;
    if (idleTimeout === 0 || idle === 0 || idle + ints[of | BUSY]! <= minimum) return;
    const longest = this.#idle.head(pool);
    const at =
      evictEvery === 0
        ? this.#rows.idleSince(longest) + idleTimeout
        : this.#rows.evictionAt(pool, longest);
    if (at < doubles[(pool << POOL_DOUBLES_SHIFT) | WAKE_AT]!) this.#ask(pool, at);
  }

  #arm(pool: number): void {
    const at = this.#rows.dueAt(pool);
    if (at !== this.#rows.wakeAt(pool)) this.#ask(pool, at);
  }

  /** The port is asked only when the time has changed. */
  #ask(pool: number, at: number): void {
    this.#rows.setWakeAt(pool, at);
    this.#port.wakeAt(pool, at);
  }
}
