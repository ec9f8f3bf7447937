/**
 * How long and for how many requests a relay keeps its clients' connections: the shared
 * `KeepAlive` policy on real connections.
 */
import { closeCauseOf } from '../../model/close-cause.ts';
import type { Micros } from '../../model/units.ts';
import { KeepAlive } from '../../policy/keep-alive.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';
import { Effects, Numbers } from './effects.ts';
import type { ServerConnection } from './server-connection.ts';

/** 0 = without limit. */
export interface KeepAliveLimits {
  readonly idleTimeout: Micros;
  readonly requestsMax: number;
  readonly ageMax: Micros;
}

const CLOSE = 0;

export class ConnectionLimits {
  readonly #ctx: HopContext;
  readonly #policy: KeepAlive;
  readonly #timer: WakeTimer;
  readonly #connections = new Numbers<ServerConnection>();
  readonly #live = new Set<ServerConnection>();
  readonly #effects = new Effects((_kind, number, cause) =>
    this.#connections.get(number)?.close(closeCauseOf(cause)),
  );

  constructor(ctx: HopContext, limits: KeepAliveLimits) {
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
        last: (number: number, cause: number) =>
          this.#connections.get(number)?.makeLast(closeCauseOf(cause)),
        wakeAt: (at: number) => this.#timer.wakeAt(at),
      },
      (port) => new KeepAlive(limits, port),
    );
  }

  add(make: (number: number) => ServerConnection): ServerConnection {
    const connection = this.#connections.add(make);
    this.#live.add(connection);
    this.#policy.opened(this.#now(), connection.number);
    return connection;
  }

  connections(): ServerConnection[] {
    return [...this.#live];
  }

  configure(limits: KeepAliveLimits): void {
    this.#policy.configure(this.#now(), limits);
    this.#effects.run();
  }

  exchangeBegun(number: number): void {
    this.#policy.requestStarted(this.#now(), number);
    this.#effects.run();
  }

  exchangeOver(number: number): void {
    this.#policy.requestEnded(this.#now(), number);
    this.#effects.run();
  }

  closed(connection: ServerConnection): void {
    this.#live.delete(connection);
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
