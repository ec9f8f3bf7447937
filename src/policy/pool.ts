/**
 * Pool: the connections that a client side keeps to one destination, and who waits for one.
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
 * Budget: O(1) per input, no allocation, one wake-up; `random` reuse, `replaced` and `configure`
 * walk the idle list.
 */
import { type CloseCause, closeCauseCode } from '../model/close-cause.ts';
import type { PoolSettings } from '../model/topology.ts';
import type { DrawPort, WakePort } from './contract.ts';
import { IntList } from './int-list.ts';
import type { IntTable } from './int-table.ts';
import { PoolTables } from './pool-tables.ts';
import { WakeUp } from './wake-up.ts';

export interface PoolOptions extends PoolSettings {
  /** Idle connections are not closed below this number. */
  readonly minimum?: number;
  /** A waiter is rejected after this (µs); 0 or absent = it waits for ever. */
  readonly acquireTimeout?: number;
  /** Idle connections are looked at only this often (µs); 0 or absent = exactly on time. */
  readonly evictEvery?: number;
}

export interface PoolPort extends WakePort, DrawPort {
  /** The waiter has this connection until `release` or `closed`. */
  grant(waiter: number, connection: number): void;
  /** Open a connection under this number; answer `opened` or `openFailed`. */
  open(connection: number): void;
  /** Close it; answer `closed` once it is gone. Its number is not reused before that. */
  close(connection: number, causeCode: number): void;
  /** The waiter gets no connection. */
  reject(waiter: number, reason: number): void;
}

/** Why a waiter was rejected. */
export const RejectReason = { full: 0, openFailed: 1, acquireTimeout: 2 } as const;

/**
 * Columns of a connection; a list takes two. BORN is how often the node had been replaced when it
 * was opened: one of a former node serves who waits for it, and nobody after that.
 */
const STATE = 0;
const REQUESTS = 1;
const IDLE_SINCE = 2;
const BORN = 3;
const IDLE_LIST = 4;

/** Columns of a waiter. */
const WAITING_SINCE = 0;
const WAITING_LIST = 1;

const State = { gone: 0, opening: 1, idle: 2, busy: 3, closing: 4 } as const;

export class Pool {
  static readonly inputs = [
    'acquire',
    'cancel',
    'opened',
    'openFailed',
    'release',
    'closed',
    'replaced',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['grant', 'open', 'close', 'reject', 'wakeAt', 'draw'] as const;

  // In the order in which a request needs them.
  readonly #port: PoolPort;
  #settings: PoolOptions;
  readonly #tables: PoolTables;
  readonly #rows: IntTable;
  /** Longest idle first. */
  readonly #idle: IntList;
  readonly #waiters: IntList;
  #busy = 0;
  #opening = 0;
  #replacements = 0;
  readonly #wakeUp: WakeUp;
  readonly #waiting: IntTable;
  #closing = 0;
  /** Sweeps are counted from when the first of the present idle connections became idle. */
  #isSwept = false;
  #sweepsFrom = 0.5;

  /** Pools whose waiters have different numbers may share tables. */
  constructor(settings: PoolOptions, port: PoolPort, tables = new PoolTables()) {
    this.#settings = settings;
    this.#port = port;
    this.#tables = tables;
    this.#rows = tables.connections;
    this.#waiting = tables.waiting;
    this.#idle = new IntList(this.#rows, IDLE_LIST);
    this.#waiters = new IntList(this.#waiting, WAITING_LIST);
    this.#wakeUp = new WakeUp(port);
    this.#isSwept = (settings.evictEvery ?? 0) > 0;
  }

  /** A request wants a connection. `waiter` must not be waiting already. */
  acquire(now: number, waiter: number): void {
    const idle = this.#takeIdle();
    if (idle !== -1) {
      this.#grant(waiter, idle);
      return;
    }
    const { waitersMax } = this.#settings;
    const withoutConnection = this.#waiters.size - this.#opening;
    if (waitersMax > 0 && withoutConnection >= waitersMax && !this.#hasRoom()) {
      this.#port.reject(waiter, RejectReason.full);
      return;
    }
    this.#waiting.set(waiter, WAITING_SINCE, now);
    this.#waiters.push(waiter);
    this.#openForWaiters();
    const { acquireTimeout = 0 } = this.#settings;
    if (acquireTimeout > 0 && now + acquireTimeout < this.#wakeUp.at) this.#arm();
  }

  /** The waiter gave up. What was being opened for it serves another, or becomes idle. */
  cancel(_now: number, waiter: number): void {
    if (this.#waiters.remove(waiter)) this.#arm();
  }

  /** The connect succeeded. */
  opened(now: number, connection: number): void {
    this.#wasOpening(connection);
    this.#rows.set(connection, REQUESTS, 0);
    if (this.#isDoomed(connection) && this.#waiters.size === 0) {
      this.#close(connection, 'drain');
    } else this.#settle(now, connection);
    this.#armIfEarlier();
  }

  /** The connect failed; the number is free at once. */
  openFailed(_now: number, connection: number): void {
    this.#wasOpening(connection);
    this.#forget(connection);
    const oldest = this.#waiters.head;
    if (oldest !== -1 && this.#waiters.size > this.#opening) {
      this.#waiters.remove(oldest);
      this.#port.reject(oldest, RejectReason.openFailed);
    }
    this.#openForWaiters();
    this.#arm();
  }

  /** The exchange is over. `reusable` 0: the connection is closing by itself, await `closed`. */
  release(now: number, connection: number, reusable: number): void {
    if (this.#rows.get(connection, STATE) !== State.busy) return;
    this.#busy -= 1;
    this.#rows.add(connection, REQUESTS, 1);
    if (reusable === 0) this.#setClosing(connection);
    else if (this.#isDoomed(connection)) this.#close(connection, 'drain');
    else if (this.#isSpent(connection)) this.#close(connection, 'max_requests');
    else this.#settle(now, connection);
  }

  /** The connection is gone, whoever closed it, idle or busy. */
  closed(_now: number, connection: number): void {
    const state = this.#rows.get(connection, STATE);
    if (state === State.gone) return;
    if (state === State.opening) this.#opening -= 1;
    if (state === State.busy) this.#busy -= 1;
    if (state === State.closing) this.#closing -= 1;
    this.#idle.remove(connection);
    this.#forget(connection);
    this.#openForWaiters();
  }

  /** The node was replaced: idle connections close now, the others after their next release. */
  replaced(_now: number): void {
    while (this.#idle.head !== -1) this.#close(this.#idle.head, 'drain');
    this.#replacements += 1;
    this.#arm();
  }

  wake(now: number): void {
    this.#wakeUp.fired();
    const { idleTimeout, acquireTimeout = 0 } = this.#settings;
    while (acquireTimeout > 0 && this.#waiters.head !== -1) {
      const oldest = this.#waiters.head;
      if (this.#waiting.get(oldest, WAITING_SINCE) + acquireTimeout > now) break;
      this.#waiters.remove(oldest);
      this.#port.reject(oldest, RejectReason.acquireTimeout);
    }
    while (idleTimeout > 0 && this.#mayEvict()) {
      const oldest = this.#idle.head;
      if (this.#evictionAt(oldest) > now) break;
      this.#close(oldest, 'idle_timeout');
    }
    this.#arm();
  }

  configure(_now: number, settings: PoolOptions): void {
    this.#settings = settings;
    this.#sweepAgain();
    this.#closeSpent();
    while (this.#idle.head !== -1 && this.#isBeyondMax(0)) this.#close(this.#idle.head, 'overflow');
    this.#openForWaiters();
    this.#arm();
  }

  snapshot() {
    return {
      opening: this.#opening,
      idle: this.#idle.size,
      busy: this.#busy,
      closing: this.#closing,
      waiting: this.#waiters.size,
    };
  }

  #hasRoom(): boolean {
    const { connectionsMax } = this.#settings;
    const all = this.#opening + this.#idle.size + this.#busy + this.#closing;
    return connectionsMax === 0 || all < connectionsMax;
  }

  /** Are there more than allowed, those that close not counted, and `more` that are not listed? */
  #isBeyondMax(more: number): boolean {
    const { connectionsMax } = this.#settings;
    const all = this.#opening + this.#idle.size + this.#busy + more;
    return connectionsMax > 0 && all > connectionsMax;
  }

  #isDoomed(connection: number): boolean {
    return this.#rows.get(connection, BORN) < this.#replacements;
  }

  /** Has it carried as many requests as it may? */
  #isSpent(connection: number): boolean {
    const { requestsPerConnectionMax: most } = this.#settings;
    return most > 0 && this.#rows.get(connection, REQUESTS) >= most;
  }

  /** Idle ones that had more requests than a lowered maximum allows. */
  #closeSpent(): void {
    for (let one = this.#idle.head; one !== -1; ) {
      const next = this.#idle.after(one);
      if (this.#isSpent(one)) this.#close(one, 'max_requests');
      one = next;
    }
  }

  #wasOpening(connection: number): void {
    if (this.#rows.get(connection, STATE) !== State.opening) {
      throw new Error(`connection ${connection} was not being opened`);
    }
    this.#opening -= 1;
  }

  #openForWaiters(): void {
    while (this.#opening < this.#waiters.size && this.#hasRoom()) {
      const connection = this.#tables.take();
      this.#rows.set(connection, STATE, State.opening);
      this.#rows.set(connection, BORN, this.#replacements);
      this.#opening += 1;
      this.#port.open(connection);
    }
  }

  /** A connection without a request: to the oldest waiter, else idle. */
  #settle(now: number, connection: number): void {
    const waiter = this.#waiters.head;
    if (this.#isBeyondMax(1)) {
      this.#close(connection, 'overflow');
    } else if (waiter !== -1) {
      this.#waiters.remove(waiter);
      this.#grant(waiter, connection);
    } else {
      if (this.#isSwept && this.#idle.size === 0) this.#sweepsFrom = now;
      this.#rows.set(connection, STATE, State.idle);
      this.#rows.set(connection, IDLE_SINCE, now);
      this.#idle.push(connection);
      // Behind others it is not the next to be evicted.
      if (this.#idle.size === 1) this.#armIfEarlier();
    }
  }

  #takeIdle(): number {
    const { reuse } = this.#settings;
    let connection = reuse === 'lifo' ? this.#idle.tail : this.#idle.head;
    if (reuse === 'random' && this.#idle.size > 1) {
      for (let steps = this.#port.draw(this.#idle.size); steps > 0; steps--) {
        connection = this.#idle.after(connection);
      }
    }
    if (connection !== -1) this.#idle.remove(connection);
    return connection;
  }

  #grant(waiter: number, connection: number): void {
    this.#rows.set(connection, STATE, State.busy);
    this.#busy += 1;
    this.#port.grant(waiter, connection);
  }

  #close(connection: number, cause: CloseCause): void {
    this.#idle.remove(connection);
    this.#setClosing(connection);
    this.#port.close(connection, closeCauseCode(cause));
  }

  #setClosing(connection: number): void {
    this.#rows.set(connection, STATE, State.closing);
    this.#closing += 1;
  }

  #forget(connection: number): void {
    this.#rows.set(connection, STATE, State.gone);
    this.#tables.give(connection);
  }

  #mayEvict(): boolean {
    const { minimum = 0 } = this.#settings;
    return this.#idle.head !== -1 && this.#idle.size + this.#busy > minimum;
  }

  /** Sweeps that begin with a change of the settings count from the longest idle one. */
  #sweepAgain(): void {
    const was = this.#isSwept;
    this.#isSwept = (this.#settings.evictEvery ?? 0) > 0;
    const { head } = this.#idle;
    if (!was && head !== -1) this.#sweepsFrom = this.#rows.get(head, IDLE_SINCE);
  }

  /** When an idle connection's time is over: exactly, or at the first sweep after that. */
  #evictionAt(connection: number): number {
    const { idleTimeout, evictEvery = 0 } = this.#settings;
    const due = this.#rows.get(connection, IDLE_SINCE) + idleTimeout;
    if (evictEvery === 0) return due;
    const sweeps = Math.ceil((due - this.#sweepsFrom) / evictEvery);
    return this.#sweepsFrom + sweeps * evictEvery;
  }

  /** For what comes with every request: a wake-up that is early enough stays. */
  #armIfEarlier(): void {
    const { idleTimeout } = this.#settings;
    if (idleTimeout === 0 || !this.#mayEvict()) return;
    const at = this.#evictionAt(this.#idle.head);
    if (at < this.#wakeUp.at) this.#wakeUp.ask(at);
  }

  #arm(): void {
    const { idleTimeout, acquireTimeout = 0 } = this.#settings;
    let at = Number.POSITIVE_INFINITY;
    if (acquireTimeout > 0 && this.#waiters.head !== -1) {
      at = this.#waiting.get(this.#waiters.head, WAITING_SINCE) + acquireTimeout;
    }
    if (idleTimeout > 0 && this.#mayEvict()) {
      at = Math.min(at, this.#evictionAt(this.#idle.head));
    }
    this.#wakeUp.ask(at);
  }
}
