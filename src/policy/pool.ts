/**
 * Pool: the connections that a client side keeps to one destination, and who waits for one.
 *
 *            acquire                opened
 *   waiter ──────────► open() ──► opening ──► idle ◄──► busy ──► closing ──► gone
 *                                    │         │ idleTimeout      ▲  not reusable, max_requests
 *                                    ▼         └──────────────────┘
 *                                 openFailed: the oldest waiter that nobody comes for is rejected
 *
 * A waiter takes an idle connection, else one is opened for it as long as `connectionsMax`
 * allows, else it waits (first come, first served). One open per waiter: a connection that is
 * released meanwhile goes to the oldest waiter, and the surplus that was being opened becomes
 * idle, as in undici, Envoy and CloudFront's own description of connection reuse.
 *
 * Sequelize's pool is the same machine with three more settings: `min`, `acquire` (a waiter's
 * patience) and `evict` (idle ones are looked at only so often); see sequelize-pool.ts.
 *
 * Budget: O(1) per input, no allocation; `random` reuse walks the idle list.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { PoolSettings } from '../model/topology.ts';
import type { DrawPort, WakePort } from './contract.ts';
import { IntColumn } from './int-column.ts';
import { IntList } from './int-list.ts';

export interface PoolOptions extends PoolSettings {
  /** Idle connections are not closed below this number. */
  readonly minimum?: number;
  /** A waiter is rejected after this (µs); 0 or absent = it waits for ever. */
  readonly acquireTimeout?: number;
  /** Idle connections are looked at only this often (µs); 0 or absent = exactly on time. */
  readonly evictEvery?: number;
}

export interface PoolPort extends WakePort, DrawPort {
  /** The waiter has this connection until `released` or `closed`. */
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

  #settings: PoolOptions;
  readonly #port: PoolPort;
  readonly #state = new IntColumn();
  readonly #requests = new IntColumn();
  readonly #idleSince = new IntColumn();
  readonly #waitingSince = new IntColumn();
  /** 1 = belongs to a replaced node: not used again. */
  readonly #doomed = new IntColumn();
  /** Longest idle first. */
  readonly #idle = new IntList();
  readonly #waiters = new IntList();
  readonly #free: number[] = [];
  #numbers = 0;
  #opening = 0;
  #busy = 0;
  #closing = 0;
  #nextEviction = 0;

  constructor(settings: PoolOptions, port: PoolPort) {
    this.#settings = settings;
    this.#port = port;
  }

  /** A request wants a connection. `waiter` must not be waiting already. */
  acquire(now: number, waiter: number): void {
    const idle = this.#takeIdle();
    if (idle !== -1) {
      this.#grant(waiter, idle);
      this.#arm(now);
      return;
    }
    const { waitersMax } = this.#settings;
    const room = this.#hasRoom() && this.#opening <= this.#waiters.size;
    if (!room && waitersMax > 0 && this.#waiters.size - this.#opening >= waitersMax) {
      this.#port.reject(waiter, RejectReason.full);
      return;
    }
    this.#waitingSince.set(waiter, now);
    this.#waiters.push(waiter);
    this.#openForWaiters();
    this.#arm(now);
  }

  /** The waiter gave up. What was being opened for it serves another, or becomes idle. */
  cancel(now: number, waiter: number): void {
    if (this.#waiters.remove(waiter)) this.#arm(now);
  }

  opened(now: number, connection: number): void {
    this.#opening -= 1;
    this.#requests.set(connection, 0);
    this.#reuse(now, connection);
  }

  /** The connect failed; the number is free at once. */
  openFailed(now: number, connection: number): void {
    this.#opening -= 1;
    this.#forget(connection);
    const oldest = this.#waiters.head;
    if (oldest !== -1 && this.#waiters.size > this.#opening) {
      this.#waiters.remove(oldest);
      this.#port.reject(oldest, RejectReason.openFailed);
    }
    this.#openForWaiters();
    this.#arm(now);
  }

  /** The exchange is over. `reusable` 0: the connection is closing by itself, await `closed`. */
  release(now: number, connection: number, reusable: number): void {
    if (this.#state.get(connection) !== State.busy) return;
    this.#busy -= 1;
    this.#requests.add(connection, 1);
    const { requestsPerConnectionMax } = this.#settings;
    if (reusable === 0) this.#setClosing(connection);
    else if (this.#doomed.get(connection) === 1) this.#close(connection, 'drain');
    else if (
      requestsPerConnectionMax > 0 &&
      this.#requests.get(connection) >= requestsPerConnectionMax
    ) {
      this.#close(connection, 'max_requests');
    } else this.#reuse(now, connection);
    this.#arm(now);
  }

  /** The connection is gone, whoever closed it, idle or busy. */
  closed(now: number, connection: number): void {
    const state = this.#state.get(connection);
    if (state === State.gone) return;
    if (state === State.opening) this.#opening -= 1;
    if (state === State.busy) this.#busy -= 1;
    if (state === State.closing) this.#closing -= 1;
    this.#idle.remove(connection);
    this.#forget(connection);
    this.#openForWaiters();
    this.#arm(now);
  }

  /** The node was replaced: idle connections close now, busy ones when they are released. */
  replaced(now: number): void {
    while (this.#idle.head !== -1) this.#close(this.#idle.head, 'drain');
    for (let connection = 0; connection < this.#numbers; connection++) {
      if (this.#state.get(connection) === State.busy) this.#doomed.set(connection, 1);
    }
    this.#arm(now);
  }

  wake(now: number): void {
    const { idleTimeout, acquireTimeout = 0, evictEvery = 0, minimum = 0 } = this.#settings;
    while (acquireTimeout > 0 && this.#waiters.head !== -1) {
      const oldest = this.#waiters.head;
      if (this.#waitingSince.get(oldest) + acquireTimeout > now) break;
      this.#waiters.remove(oldest);
      this.#port.reject(oldest, RejectReason.acquireTimeout);
    }
    if (idleTimeout > 0 && (evictEvery === 0 || now >= this.#nextEviction)) {
      while (this.#idle.head !== -1 && this.#idle.size + this.#busy > minimum) {
        const oldest = this.#idle.head;
        if (this.#idleSince.get(oldest) + idleTimeout > now) break;
        this.#close(oldest, 'idle_timeout');
      }
      this.#nextEviction = now + evictEvery;
    }
    this.#arm(now);
  }

  configure(now: number, settings: PoolOptions): void {
    this.#settings = settings;
    this.#openForWaiters();
    this.#arm(now);
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

  #openForWaiters(): void {
    while (this.#opening < this.#waiters.size && this.#hasRoom()) {
      let connection = this.#free.pop();
      if (connection === undefined) {
        connection = this.#numbers;
        this.#numbers += 1;
      }
      this.#state.set(connection, State.opening);
      this.#opening += 1;
      this.#port.open(connection);
    }
  }

  /** A connection without a request: to the oldest waiter, else idle. */
  #reuse(now: number, connection: number): void {
    const waiter = this.#waiters.head;
    if (waiter !== -1) {
      this.#waiters.remove(waiter);
      this.#grant(waiter, connection);
    } else {
      this.#state.set(connection, State.idle);
      this.#idleSince.set(connection, now);
      this.#idle.push(connection);
    }
    this.#arm(now);
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
    this.#state.set(connection, State.busy);
    this.#busy += 1;
    this.#port.grant(waiter, connection);
  }

  #close(connection: number, cause: 'drain' | 'idle_timeout' | 'max_requests'): void {
    this.#idle.remove(connection);
    this.#setClosing(connection);
    this.#port.close(connection, closeCauseCode(cause));
  }

  #setClosing(connection: number): void {
    this.#state.set(connection, State.closing);
    this.#closing += 1;
  }

  #forget(connection: number): void {
    this.#state.set(connection, State.gone);
    this.#doomed.set(connection, 0);
    this.#free.push(connection);
  }

  #arm(now: number): void {
    const { idleTimeout, acquireTimeout = 0, evictEvery = 0, minimum = 0 } = this.#settings;
    let at = Number.POSITIVE_INFINITY;
    if (acquireTimeout > 0 && this.#waiters.head !== -1) {
      at = this.#waitingSince.get(this.#waiters.head) + acquireTimeout;
    }
    if (idleTimeout > 0 && this.#idle.head !== -1 && this.#idle.size + this.#busy > minimum) {
      const due = this.#idleSince.get(this.#idle.head) + idleTimeout;
      if (evictEvery === 0) at = Math.min(at, due);
      else {
        // Never look back: the sweep after the one that is due.
        if (this.#nextEviction < now - evictEvery) this.#nextEviction = now + evictEvery;
        at = Math.min(at, Math.max(due, this.#nextEviction));
      }
    }
    this.#port.wakeAt(at);
  }
}
