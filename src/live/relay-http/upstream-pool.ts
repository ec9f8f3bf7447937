/**
 * UpstreamPool: the shared `Pool` policy on real connections to one target.
 *
 *   exchange ──acquire──► Pool ──open──► connect ──► connected ──┐
 *      ▲                   │  └───────grant── idle or new ◄──────┘
 *      └─granted, notGranted┘
 *
 * The policy's decisions are carried out after the input that caused them has returned
 * (contract rule: no synchronous call back), in the order in which they were made.
 */
import { type CloseCause, closeCauseOf } from '../../model/close-cause.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { PoolSettings } from '../../model/topology.ts';
import { Pool, RejectReason } from '../../policy/pool.ts';
import type { RandomStream } from '../../random/stream.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';
import { ClientConnection, type ClientConnectionOwner } from './client-connection.ts';
import type { Deadlines } from './deadlines.ts';
import { Effects, Numbers } from './effects.ts';

/** Why a request got no connection. */
export type NotGranted = 'full' | 'refused' | 'timeout';

/** Who asks a pool for a connection; asks for one at a time. */
export interface Waiter {
  /** For the pool: the waiter's number while it waits, else -1. */
  waiterNumber: number;
  granted(connection: ClientConnection): void;
  notGranted(reason: NotGranted): void;
}

export interface UpstreamPoolOptions {
  readonly ctx: HopContext;
  /** Unique within the hop: names the policy's recording and its random stream. */
  readonly name: string;
  readonly link: Link;
  /** Asked at each connect. */
  readonly target: () => Endpoint | null;
  readonly settings: PoolSettings;
  readonly connectDeadlines: Deadlines;
  readonly closesUpstream: boolean;
}

const OPEN = 0;
const GRANT = 1;
const REJECT = 2;
const CLOSE = 3;

export class UpstreamPool implements ClientConnectionOwner {
  readonly closesUpstream: boolean;
  /** Idle connections kept; further ones close when they are released. 0 = without limit. */
  idleMax = 0;
  readonly #options: UpstreamPoolOptions;
  readonly #policy: Pool;
  readonly #timer: WakeTimer;
  readonly #random: RandomStream;
  /** By number, which the policy hands out from 0. */
  readonly #connections: (ClientConnection | undefined)[] = [];
  readonly #waiters = new Numbers<Waiter>();
  readonly #effects = new Effects((kind, a, b) => this.#carryOut(kind, a, b));
  #connectFailure: NotGranted = 'refused';
  #stopped = false;

  constructor(options: UpstreamPoolOptions) {
    const { ctx, name, settings } = options;
    this.#options = options;
    this.closesUpstream = options.closesUpstream;
    this.#random = ctx.random(`pool/${name}`);
    this.#timer = new WakeTimer(ctx.clock, (now) => {
      this.#policy.wake(now);
      this.#effects.run();
    });
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}/pool/${name}`,
      Pool,
      settings,
      {
        open: (connection: number) => this.#effects.push(OPEN, connection, 0),
        grant: (waiter: number, connection: number) =>
          this.#effects.push(GRANT, waiter, connection),
        reject: (waiter: number, reason: number) => this.#effects.push(REJECT, waiter, reason),
        close: (connection: number, cause: number) => this.#effects.push(CLOSE, connection, cause),
        wakeAt: (at: number) => this.#timer.wakeAt(at),
        draw: (bound: number) => this.#random.below(bound),
      },
      (port) => new Pool(settings, port),
    );
  }

  /** Asks for a connection; the answer may come before this returns. */
  acquire(waiter: Waiter): void {
    if (this.#stopped) return;
    this.#waiters.add((number) => {
      waiter.waiterNumber = number;
      return waiter;
    });
    this.#policy.acquire(this.#now(), waiter.waiterNumber);
    this.#effects.run();
  }

  /** The waiter wants no connection any more. */
  cancel(waiter: Waiter): void {
    if (waiter.waiterNumber < 0) return;
    const number = waiter.waiterNumber;
    this.#forget(waiter);
    this.#policy.cancel(this.#now(), number);
    this.#effects.run();
  }

  configure(settings: PoolSettings): void {
    this.#policy.configure(this.#now(), settings);
    this.#effects.run();
  }

  /** The node that owned these connections is gone: idle ones close now, busy ones when done. */
  replaced(): void {
    this.#policy.replaced(this.#now());
    this.#effects.run();
  }

  /** Closes every connection; what is in flight fails. */
  closeAll(cause: CloseCause): void {
    for (const connection of [...this.#connections]) connection?.end.close(cause);
  }

  /** No connection is opened any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  // ClientConnectionOwner

  connected(connection: ClientConnection): void {
    this.#policy.opened(this.#now(), connection.number);
    this.#effects.run();
  }

  released(connection: ClientConnection): void {
    const surplus = this.idleMax > 0 && this.#policy.snapshot().idle >= this.idleMax;
    this.#policy.release(this.#now(), connection.number, surplus ? 0 : 1);
    if (surplus) connection.close('overflow');
    this.#effects.run();
  }

  lost(connection: ClientConnection, cause: CloseCause): void {
    this.#connections[connection.number] = undefined;
    if (connection.wasUp) this.#policy.closed(this.#now(), connection.number);
    else {
      this.#connectFailure = cause === 'connect_timeout' ? 'timeout' : 'refused';
      this.#policy.openFailed(this.#now(), connection.number);
    }
    this.#effects.run();
  }

  #carryOut(kind: number, a: number, b: number): void {
    switch (kind) {
      case OPEN:
        this.#open(a);
        return;
      case GRANT:
        this.#grant(a, b);
        return;
      case REJECT: {
        const waiter = this.#waiters.get(a);
        if (waiter === null) return;
        this.#forget(waiter);
        waiter.notGranted(b === RejectReason.full ? 'full' : this.#connectFailure);
        return;
      }
      case CLOSE:
        this.#connections[a]?.close(closeCauseOf(b));
    }
  }

  #open(number: number): void {
    const { ctx, link, target, connectDeadlines } = this.#options;
    const endpoint = this.#stopped ? null : target();
    if (endpoint === null) {
      this.#connectFailure = 'refused';
      this.#policy.openFailed(this.#now(), number);
      return;
    }
    const connection = new ClientConnection(this, number);
    this.#connections[number] = connection;
    connection.attach(ctx.ends.connect(link, endpoint, connection));
    connectDeadlines.set(connection);
  }

  #grant(waiterNumber: number, connectionNumber: number): void {
    const waiter = this.#waiters.get(waiterNumber);
    const connection = this.#connections[connectionNumber];
    if (waiter === null || connection === undefined) {
      throw new Error(`pool ${this.#options.name}: granted ${connectionNumber} to nobody`);
    }
    this.#forget(waiter);
    waiter.granted(connection);
  }

  #forget(waiter: Waiter): void {
    this.#waiters.remove(waiter.waiterNumber);
    waiter.waiterNumber = -1;
  }

  #now(): number {
    return this.#options.ctx.clock.now();
  }
}
