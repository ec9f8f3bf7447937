/** The shared `Throttle` policy in front of a relay. */
import type { ThrottleSettings } from '../../model/topology.ts';
import { Throttle } from '../../policy/throttle.ts';
import type { HopContext } from '../runtime/context.ts';

export class ThrottleGate {
  readonly #ctx: HopContext;
  readonly #policy: Throttle;
  #requests = 0;
  #retryAfter = 0;

  constructor(ctx: HopContext, settings: ThrottleSettings) {
    this.#ctx = ctx;
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}/throttle`,
      Throttle,
      settings,
      {
        accept: () => {
          this.#retryAfter = 0;
        },
        reject: (_request: number, retryAfterSeconds: number) => {
          this.#retryAfter = retryAfterSeconds;
        },
      },
      (port) => new Throttle(settings, port),
    );
  }

  /** 0 = the request may pass; else for how many seconds it should stay away. */
  admit(): number {
    this.#requests += 1;
    this.#policy.admit(this.#ctx.clock.now(), this.#requests);
    return this.#retryAfter;
  }

  configure(settings: ThrottleSettings): void {
    this.#policy.configure(this.#ctx.clock.now(), settings);
  }
}
