/**
 * How busy and how late this process's event loop is: what its hops add to every request they
 * carry, and what no real hop would add.
 *
 * Delay: a timer is due every INTERVAL; how much later than that it fires is how long an event
 * that came then had to wait. `perf_hooks.monitorEventLoopDelay` measures the same, but counts
 * the interval itself, so that a loop without delay shows 10 ms, and is blind while it is
 * blocked: a pause of a second is one sample among a hundred. Here a late firing also counts as
 * the firings that it swallowed (10 ms less each), as HdrHistogram corrects for coordinated
 * omission: percentiles are those of a request that comes at any moment. Timers have a grain of
 * 1 ms, so about one millisecond of delay means none.
 *
 * Utilisation: `performance.eventLoopUtilization()`, the share of time not spent waiting for
 * events. It reaches 1 when a process is at its end, even where it gets only half a core.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { Histogram } from '../../measure/histogram.ts';
import { type EventLoopAccount, SATURATED_SHARE } from '../../model/lab.ts';
import type { Micros } from '../../model/units.ts';

const INTERVAL_MS = 10;
const INTERVAL: Micros = INTERVAL_MS * 1_000;
/** A longer pause (a suspended machine) is counted as this long. */
const PAUSE_MAX: Micros = 600_000_000;

export class LoopMeter {
  readonly #whole = new Histogram();
  readonly #window = new Histogram();
  #timer: NodeJS.Timeout | null = null;
  #dueAt = 0;
  #max: Micros = 0;
  #saturated: Micros = 0;
  #beganWith: EventLoopUtilization = performance.eventLoopUtilization();
  #windowWith: EventLoopUtilization = this.#beganWith;

  /** Forgets what was before and measures from now on. */
  begin(): void {
    this.stop();
    this.#whole.clear();
    this.#window.clear();
    this.#max = 0;
    this.#saturated = 0;
    this.#beganWith = performance.eventLoopUtilization();
    this.#windowWith = this.#beganWith;
    this.#dueAt = nowMicros() + INTERVAL;
    this.#timer = setInterval(this.#fired, INTERVAL_MS);
    this.#timer.unref();
  }

  /** Ends a window (about a second) and returns the p99 of its delay. */
  nextWindow(): Micros {
    const now = performance.eventLoopUtilization();
    const { utilization, active, idle } = performance.eventLoopUtilization(now, this.#windowWith);
    if (utilization >= SATURATED_SHARE) this.#saturated += Math.round((active + idle) * 1_000);
    this.#windowWith = now;
    const delay = this.#window.quantile(0.99) ?? 0;
    this.#window.clear();
    return delay;
  }

  account(): EventLoopAccount {
    this.nextWindow();
    const { utilization } = performance.eventLoopUtilization(this.#beganWith);
    return {
      delayP50: this.#whole.quantile(0.5),
      delayP99: this.#whole.quantile(0.99),
      delayMax: this.#max,
      utilisation: utilization,
      saturated: this.#saturated,
    };
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  readonly #fired = (): void => {
    const now = nowMicros();
    const late = Math.min(Math.max(0, Math.round(now - this.#dueAt)), PAUSE_MAX);
    if (late > this.#max) this.#max = late;
    for (let waited = late; waited >= 0; waited -= INTERVAL) {
      this.#whole.add(waited);
      this.#window.add(waited);
    }
    this.#dueAt = now + INTERVAL;
  };
}

function nowMicros(): number {
  return performance.now() * 1_000;
}
