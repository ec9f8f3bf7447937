/**
 * How late a load generator was: from the intended start of each request to its being issued.
 * A late generator shows as latency of the system under test, so a run must be able to say that
 * the lab was the bottleneck. Timers have a grain of 1 ms; what is above LATE_AFTER counts.
 */
import { Histogram } from '../../measure/histogram.ts';
import type { Micros } from '../../model/units.ts';

export const LATE_AFTER: Micros = 10_000;

export class Lateness {
  /** Requests issued more than LATE_AFTER after they were due. */
  late = 0;
  max: Micros = 0;
  readonly #histogram = new Histogram();

  add(by: Micros): void {
    this.#histogram.add(by);
    if (by > LATE_AFTER) this.late += 1;
    if (by > this.max) this.max = by;
  }

  /** Requests issued in all. */
  get count(): number {
    return this.#histogram.count;
  }

  /** 99 % of the requests were issued no later than this; null before the first one. */
  get p99(): Micros | null {
    return this.#histogram.quantile(0.99);
  }
}
