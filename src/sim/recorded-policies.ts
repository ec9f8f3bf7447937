/**
 * Policies whose inputs and decisions are recorded: a policy of its own for each pool, server and
 * queue, made through the tap, behind the faces of the machines that simulations use otherwise.
 * The decisions are the same; numbers of a recorded pool's connections are its own, because they
 * are part of the record.
 */
import { ConnectionQueue } from '../policy/connection-queue.ts';
import {
  type ConnectionQueueSettings,
  ConnectionQueues,
  type ConnectionQueuesPort,
} from '../policy/connection-queues.ts';
import { KeepAlive } from '../policy/keep-alive.ts';
import { type KeepAliveSettings, KeepAlives, type KeepAlivesPort } from '../policy/keep-alives.ts';
import { Pool, type PoolPort } from '../policy/pool.ts';
import { type PoolOptions, Pools, type PoolsPort } from '../policy/pools.ts';
import type { Rows } from '../policy/rows.ts';
import { noTap, type PolicyTap } from '../policy/tap.ts';

/** The machines as their drivers know them; `name` says whose policy it is. */
export type PoolMachine = Omit<Faces<Pools>, 'add' | 'state' | 'snapshot'> & {
  add(settings: PoolOptions, name: string): number;
};
export type KeepAliveMachine = Omit<Faces<KeepAlives>, 'add' | 'snapshot'> & {
  add(settings: KeepAliveSettings, name: string): number;
};
export type QueueMachine = Omit<Faces<ConnectionQueues>, 'add' | 'snapshot'> & {
  add(settings: ConnectionQueueSettings, name: string): number;
};
type Faces<T> = { [Key in keyof T]: T[Key] };

/** Where a machine may have its columns. */
export interface Columns {
  readonly rows: Rows;
  readonly column: number;
}

export function poolMachine(
  tap: PolicyTap,
  port: PoolsPort,
  connections: Columns,
  waiters: Columns,
): PoolMachine {
  if (tap !== noTap) return new RecordedPools(tap, port);
  return new Pools(port, connections.rows, connections.column, waiters.rows, waiters.column);
}

export function keepAliveMachine(
  tap: PolicyTap,
  port: KeepAlivesPort,
  { rows, column }: Columns,
): KeepAliveMachine {
  return tap === noTap ? new KeepAlives(port, rows, column) : new RecordedKeepAlives(tap, port);
}

export function queueMachine(
  tap: PolicyTap,
  port: ConnectionQueuesPort,
  { rows, column }: Columns,
): QueueMachine {
  return tap === noTap ? new ConnectionQueues(port, rows, column) : new RecordedQueues(tap, port);
}

class RecordedPools implements PoolMachine {
  readonly #tap: PolicyTap;
  readonly #port: PoolsPort;
  readonly #pools: Pool[] = [];
  /** By pool: the driver's connections by the pool's numbers. */
  readonly #connections: number[][] = [];
  /** By the driver's number: the pool's. */
  readonly #numbers = new Map<number, number>();

  constructor(tap: PolicyTap, port: PoolsPort) {
    this.#tap = tap;
    this.#port = port;
  }

  add(settings: PoolOptions, name: string): number {
    const pool = this.#pools.length;
    this.#connections.push([]);
    const make = (port: PoolPort): Pool => new Pool(settings, port);
    this.#pools.push(this.#tap.create<PoolPort, Pool>(name, Pool, settings, this.#of(pool), make));
    return pool;
  }

  acquire(pool: number, now: number, waiter: number): void {
    this.#pools[pool]?.acquire(now, waiter);
  }

  cancel(pool: number, now: number, waiter: number): void {
    this.#pools[pool]?.cancel(now, waiter);
  }

  opened(pool: number, now: number, connection: number): void {
    this.#pools[pool]?.opened(now, this.#number(connection));
  }

  openFailed(pool: number, now: number, connection: number): void {
    this.#pools[pool]?.openFailed(now, this.#forget(connection));
  }

  release(pool: number, now: number, connection: number, reusable: number): void {
    this.#pools[pool]?.release(now, this.#number(connection), reusable);
  }

  closed(pool: number, now: number, connection: number): void {
    this.#pools[pool]?.closed(now, this.#forget(connection));
  }

  replaced(pool: number, now: number): void {
    this.#pools[pool]?.replaced(now);
  }

  wake(pool: number, now: number): void {
    this.#pools[pool]?.wake(now);
  }

  configure(pool: number, now: number, settings: PoolOptions): void {
    this.#pools[pool]?.configure(now, settings);
  }

  idle(pool: number): number {
    return this.#pools[pool]?.snapshot().idle ?? 0;
  }

  /** Nothing is fetched ahead for these. */
  newest(): number {
    return -1;
  }

  #of(pool: number): PoolPort {
    const port = this.#port;
    const connections = this.#connections[pool] ?? [];
    return {
      open: (number) => {
        const connection = port.open(pool);
        connections[number] = connection;
        this.#numbers.set(connection, number);
      },
      grant: (waiter, number) => port.grant(pool, waiter, connections[number] ?? 0),
      close: (number, cause) => port.close(pool, connections[number] ?? 0, cause),
      reject: (waiter, reason) => port.reject(pool, waiter, reason),
      wakeAt: (at) => port.wakeAt(pool, at),
      draw: (bound) => port.draw(pool, bound),
    };
  }

  #number(connection: number): number {
    return this.#numbers.get(connection) ?? 0;
  }

  /** The pool may use the number for another as soon as it hears that this one is gone. */
  #forget(connection: number): number {
    const number = this.#number(connection);
    this.#numbers.delete(connection);
    return number;
  }
}

class RecordedKeepAlives implements KeepAliveMachine {
  readonly #tap: PolicyTap;
  readonly #port: KeepAlivesPort;
  readonly #servers: KeepAlive[] = [];

  constructor(tap: PolicyTap, port: KeepAlivesPort) {
    this.#tap = tap;
    this.#port = port;
  }

  add(settings: KeepAliveSettings, name: string): number {
    const server = this.#servers.length;
    const port = this.#port;
    const own = {
      lastRequest: (connection: number, cause: number) =>
        port.lastRequest(server, connection, cause),
      close: (connection: number, cause: number) => port.close(server, connection, cause),
      wakeAt: (at: number) => port.wakeAt(server, at),
    };
    const make = (given: typeof own): KeepAlive => new KeepAlive(settings, given);
    this.#servers.push(this.#tap.create(name, KeepAlive, settings, own, make));
    return server;
  }

  opened(server: number, now: number, connection: number): void {
    this.#servers[server]?.opened(now, connection);
  }

  requestStarted(server: number, now: number, connection: number): void {
    this.#servers[server]?.requestStarted(now, connection);
  }

  responseEnded(server: number, now: number, connection: number): void {
    this.#servers[server]?.responseEnded(now, connection);
  }

  closed(server: number, now: number, connection: number): void {
    this.#servers[server]?.closed(now, connection);
  }

  closeIdle(server: number, now: number, count: number): void {
    this.#servers[server]?.closeIdle(now, count);
  }

  wake(server: number, now: number): void {
    this.#servers[server]?.wake(now);
  }

  configure(server: number, now: number, settings: KeepAliveSettings): void {
    this.#servers[server]?.configure(now, settings);
  }

  glance(): number {
    return 0;
  }

  idle(server: number): number {
    return this.#servers[server]?.snapshot().idle ?? 0;
  }
}

class RecordedQueues implements QueueMachine {
  readonly #tap: PolicyTap;
  readonly #port: ConnectionQueuesPort;
  readonly #queues: ConnectionQueue[] = [];

  constructor(tap: PolicyTap, port: ConnectionQueuesPort) {
    this.#tap = tap;
    this.#port = port;
  }

  add(settings: ConnectionQueueSettings, name: string): number {
    const queue = this.#queues.length;
    const port = this.#port;
    const own = {
      grant: (connection: number) => port.grant(queue, connection),
      yield: (connection: number) => port.yield(queue, connection),
      hold: (connection: number) => port.hold(queue, connection),
      close: (connection: number, cause: number) => port.close(queue, connection, cause),
      wakeAt: (at: number) => port.wakeAt(queue, at),
    };
    const make = (given: typeof own): ConnectionQueue => new ConnectionQueue(settings, given);
    this.#queues.push(this.#tap.create(name, ConnectionQueue, settings, own, make));
    return queue;
  }

  opened(queue: number, now: number, connection: number): void {
    this.#queues[queue]?.opened(now, connection);
  }

  bytesUp(queue: number, now: number, connection: number): void {
    this.#queues[queue]?.bytesUp(now, connection);
  }

  bytesDown(queue: number, now: number, connection: number): void {
    this.#queues[queue]?.bytesDown(now, connection);
  }

  peerClosed(queue: number, now: number, connection: number): void {
    this.#queues[queue]?.peerClosed(now, connection);
  }

  wake(queue: number, now: number): void {
    this.#queues[queue]?.wake(now);
  }

  configure(queue: number, now: number, settings: ConnectionQueueSettings): void {
    this.#queues[queue]?.configure(now, settings);
  }
}
