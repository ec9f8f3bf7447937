/**
 * Pool: one pool for a driver that has its own object for each, with tables of its own, which
 * numbers its connections itself. The rules are those of `Pools`.
 */
import type { DrawPort, WakePort } from './contract.ts';
import { PoolTables } from './pool-tables.ts';
import { PooledState, type PoolOptions, Pools, type PoolsPort } from './pools.ts';

export { type PoolOptions, RejectReason } from './pools.ts';

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

/** The only pool of its machine. */
const ONLY = 0;

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

  readonly #machine: Pools;
  readonly #tables: PoolTables;

  constructor(settings: PoolOptions, port: PoolPort) {
    const tables = new PoolTables();
    const { connections, waiting } = tables;
    this.#tables = tables;
    this.#machine = new Pools(new NumberingPort(port, tables), connections, 0, waiting, 0);
    this.#machine.add(settings);
  }

  /** A request wants a connection. `waiter` must not be waiting already. */
  acquire(now: number, waiter: number): void {
    this.#machine.acquire(ONLY, now, waiter);
  }

  /** The waiter gave up. What was being opened for it serves another, or becomes idle. */
  cancel(now: number, waiter: number): void {
    this.#machine.cancel(ONLY, now, waiter);
  }

  /** The connect succeeded. */
  opened(now: number, connection: number): void {
    this.#machine.opened(ONLY, now, connection);
  }

  /** The connect failed; the number is free at once. */
  openFailed(now: number, connection: number): void {
    // Free before the machine hears of it: the next that it opens has this number.
    if (this.#machine.state(connection) === PooledState.opening) this.#tables.give(connection);
    this.#machine.openFailed(ONLY, now, connection);
  }

  /** The exchange is over. `reusable` 0: the connection is closing by itself, await `closed`. */
  release(now: number, connection: number, reusable: number): void {
    this.#machine.release(ONLY, now, connection, reusable);
  }

  /** The connection is gone, whoever closed it, idle or busy. */
  closed(now: number, connection: number): void {
    if (this.#machine.state(connection) !== PooledState.gone) this.#tables.give(connection);
    this.#machine.closed(ONLY, now, connection);
  }

  /** The node was replaced: idle connections close now, the others after their next release. */
  replaced(now: number): void {
    this.#machine.replaced(ONLY, now);
  }

  wake(now: number): void {
    this.#machine.wake(ONLY, now);
  }

  configure(now: number, settings: PoolOptions): void {
    this.#machine.configure(ONLY, now, settings);
  }

  snapshot() {
    return this.#machine.snapshot(ONLY);
  }
}

/** Leaves out which pool it is about, and chooses the number of what is to be opened. */
class NumberingPort implements PoolsPort {
  readonly #port: PoolPort;
  readonly #tables: PoolTables;

  constructor(port: PoolPort, tables: PoolTables) {
    this.#port = port;
    this.#tables = tables;
  }

  grant(_pool: number, waiter: number, connection: number): void {
    this.#port.grant(waiter, connection);
  }

  open(): number {
    const connection = this.#tables.take();
    this.#port.open(connection);
    return connection;
  }

  close(_pool: number, connection: number, causeCode: number): void {
    this.#port.close(connection, causeCode);
  }

  reject(_pool: number, waiter: number, reason: number): void {
    this.#port.reject(waiter, reason);
  }

  wakeAt(_pool: number, at: number): void {
    this.#port.wakeAt(at);
  }

  draw(_pool: number, bound: number): number {
    return this.#port.draw(bound);
  }
}
