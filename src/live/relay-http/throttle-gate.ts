/** The shared `Throttle` policy in front of a relay. */
import type { ThrottleSettings } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { Throttle } from '../../policy/throttle.ts';
import type { HopContext } from '../runtime/context.ts';

export class ThrottleGate {
  readonly #ctx: HopContext;
  readonly #policy: Throttle;
  #wait: Micros = 0;

  constructor(ctx: HopContext, settings: ThrottleSettings) {
    this.#ctx = ctx;
    this.#policy = ctx.tap.create(
      `${ctx.hop.name}/${ctx.instance.replica}/throttle`,
      Throttle,
      settings,
      {
        admit: () => {
          this.#wait = 0;
        },
        reject: (wait: Micros) => {
          this.#wait = Math.max(1, wait);
        },
      },
      (port) => new Throttle(settings, port),
    );
  }

  /** 0 = the request may pass; else how long until the next token (µs). */
  take(): Micros {
    this.#policy.request(this.#ctx.clock.now());
    return this.#wait;
  }

  configure(settings: ThrottleSettings): void {
    this.#policy.configure(this.#ctx.clock.now(), settings);
  }
}
