/**
 * How long and for how many requests a relay keeps its clients' connections: the shared
 * `KeepAlive` policy on real connections.
 */
import { closeCauseOf } from '../../model/close-cause.ts';
import { KeepAlive, type KeepAliveSettings } from '../../policy/keep-alive.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';
import { Effects, Numbers } from './effects.ts';
import type { ServerConnection } from './server-connection.ts';

const CLOSE = 0;

export class ConnectionLimits {
  readonly #ctx: HopContext;
  readonly #policy: KeepAlive;
  readonly #timer: WakeTimer;
  readonly #connections = new Numbers<ServerConnection>();
  readonly #effects = new Effects((_kind, number, cause) =>
    this.#connections.get(number)?.close(closeCauseOf(cause)),
  );

  constructor(ctx: HopContext, limits: KeepAliveSettings) {
    this.#ctx = ctx;
    this.#timer = new WakeTimer(ctx.clock, (now) => {
      this.#policy.wake(now);
      this.#effects.run();
    });
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}/keep-alive`,
      KeepAlive,
      limits,
      {
        close: (number: number, cause: number) => this.#effects.push(CLOSE, number, cause),
        lastRequest: (number: number, cause: number) =>
          this.#connections.get(number)?.makeLast(closeCauseOf(cause)),
        wakeAt: (at: number) => this.#timer.wakeAt(at),
      },
      (port) => new KeepAlive(limits, port),
    );
  }

  add(make: (number: number) => ServerConnection): ServerConnection {
    const connection = this.#connections.add(make);
    this.#policy.opened(this.#now(), connection.number);
    return connection;
  }

  /** Connections that wait for a request. */
  get idle(): number {
    return this.#policy.snapshot().idle;
  }

  /** Closes the longest idle ones. */
  closeIdle(count: number): void {
    this.#policy.closeIdle(this.#now(), count);
    this.#effects.run();
  }

  configure(limits: KeepAliveSettings): void {
    this.#policy.configure(this.#now(), limits);
    this.#effects.run();
  }

  exchangeBegun(number: number): void {
    this.#policy.requestStarted(this.#now(), number);
    this.#effects.run();
  }

  exchangeOver(number: number): void {
    this.#policy.responseEnded(this.#now(), number);
    this.#effects.run();
  }

  closed(connection: ServerConnection): void {
    this.#policy.closed(this.#now(), connection.number);
    this.#connections.remove(connection.number);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #now(): number {
    return this.#ctx.clock.now();
  }
}
