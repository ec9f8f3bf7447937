/**
 * Per-second series, one column of doubles each, and the long rows made of them.
 *
 *   link:<link>       open, opened, closed, closed:<cause>, failedConnects, exchanges,
 *                     requestsPerNewConnection, requestsPerNewConnection60s
 *   hop:<balancer>    unhealthyTargets
 *   hop:<queue>       active, held, yielded, waiting, granted, yields, slotUtilisation,
 *                     slotOccupancy, hoardedSlotSeconds
 *   hop:<app>         cpuUtilisation, load
 *   hop:<database>    cpuUtilisation, dbLoad, databaseConnections
 *   host:<host>       requests
 *   clients:<group>   sent, attempts, retries, answered, ok, throttled429, serverErrors5xx,
 *                     failed, timeouts, resets, pending, latencyMeanMs, latencyP50Ms, latencyP99Ms
 *
 * open, active, held, yielded, waiting, pending and databaseConnections are read at the end of the
 * second; the rest are of the second in which the thing happened. Windows of 60 s start with the
 * load, as a 1-minute metric sees it; their row is at the first second of the window.
 *
 * Columns stay in memory until the end, because a close cause may become known long after the
 * close: 8 bytes per series and second, 86,400 seconds of 300 series are 200 MB. So whoever
 * measures a day makes a step of a minute (or ten seconds) what is a second here: counts of the
 * step, gauges at its end, and `second` is the step's first.
 */
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { SecondRow } from './rows.ts';

/** 23 days; a time beyond that is an error of the input. */
export const SECONDS_MAX = 2_000_000;
const WINDOW_SECONDS = 60;

/** Counts start at 0 in every second, gauges at null. */
export type SeriesKind = 'count' | 'gauge';

export class Series {
  readonly scope: string;
  readonly measure: string;
  readonly kind: SeriesKind;
  #values = new Float64Array(64);

  constructor(scope: string, measure: string, kind: SeriesKind) {
    this.scope = scope;
    this.measure = measure;
    this.kind = kind;
    if (kind === 'gauge') this.#values.fill(Number.NaN);
  }

  add(index: number, amount: number): void {
    const values = this.#upTo(index);
    values[index] = (values[index] ?? 0) + amount;
  }

  set(index: number, value: number): void {
    this.#upTo(index)[index] = value;
  }

  /** null where a gauge was not read. */
  get(index: number): number | null {
    const value = this.#values[index] ?? (this.kind === 'count' ? 0 : Number.NaN);
    return Number.isNaN(value) ? null : value;
  }

  #upTo(index: number): Float64Array {
    if (index < this.#values.length) return this.#values;
    const grown = new Float64Array(Math.max(index + 1, this.#values.length * 2));
    if (this.kind === 'gauge') grown.fill(Number.NaN);
    grown.set(this.#values);
    this.#values = grown;
    return grown;
  }
}

type Derived = (index: number) => number | null;

export class SeriesTable {
  /** Seconds that a value stands for: 1, or a divisor of 60. */
  readonly step: number;
  readonly #origin: Micros;
  readonly #columns: { scope: string; measure: string; at: Derived }[] = [];
  readonly #windows: { scope: string; measure: string; above: Series; below: Series }[] = [];
  /** Number of the step of index 0; everything before it is booked there. */
  #first: number | null = null;
  #last = 0;
  /** The step that was asked for last: mostly it is asked for again. */
  #from: Micros = Number.POSITIVE_INFINITY;
  #until: Micros = Number.NEGATIVE_INFINITY;
  #index = 0;

  constructor(origin: Micros, step = 1) {
    this.#origin = origin;
    this.step = step;
  }

  /** A column that is shown as it is. */
  column(scope: string, measure: string, kind: SeriesKind): Series {
    const series = new Series(scope, measure, kind);
    this.#columns.push({ scope, measure, at: (index) => series.get(index) });
    return series;
  }

  /** A column that only others are made of. */
  hidden(scope: string, measure: string): Series {
    return new Series(scope, measure, 'count');
  }

  derived(scope: string, measure: string, at: Derived): void {
    this.#columns.push({ scope, measure, at });
  }

  /** Sum over sum, per window of a minute; null where the lower one is 0. */
  ratioPerMinute(scope: string, measure: string, above: Series, below: Series): void {
    this.#windows.push({ scope, measure, above, below });
  }

  /** Whole steps since the start of the load. */
  stepOf(at: Micros): number {
    return Math.floor((at - this.#origin) / (MICROS_PER_SECOND * this.step));
  }

  /** Position of an instant in columns. */
  indexOf(at: Micros): number {
    if (at >= this.#from && at < this.#until) return this.#index;
    const step = this.stepOf(at);
    this.#first ??= step;
    const index = Math.min(Math.max(step - this.#first, 0), SECONDS_MAX);
    if (index > this.#last) this.#last = index;
    this.#index = index;
    const width = MICROS_PER_SECOND * this.step;
    this.#from = this.#origin + step * width;
    this.#until = this.#from + width;
    return index;
  }

  /** All rows in the order of time; may be gone through more than once. */
  rows(): Iterable<SecondRow> {
    return { [Symbol.iterator]: () => this.#rows(0, this.#last) };
  }

  /** Rows of the seconds that are over before `at`, from `since` on: of a run that goes on. */
  rowsBetween(since: number, at: Micros): Iterable<SecondRow> {
    const first = this.#first ?? 0;
    const from = Math.max(0, Math.floor(since / this.step) - first);
    const to = Math.min(this.#last, this.stepOf(at) - 1 - first);
    return { [Symbol.iterator]: () => this.#rows(from, to) };
  }

  *#rows(from: number, to: number): Generator<SecondRow> {
    if (this.#first === null) return;
    for (let index = from; index <= to; index++) {
      const second = (this.#first + index) * this.step;
      for (const { scope, measure, at } of this.#columns) {
        yield { second, scope, measure, value: at(index) };
      }
      if (second % WINDOW_SECONDS === 0) yield* this.#windowRows(second, index);
    }
  }

  *#windowRows(second: number, from: number): Generator<SecondRow> {
    const to = Math.min(from + WINDOW_SECONDS / this.step - 1, this.#last);
    for (const { scope, measure, above, below } of this.#windows) {
      let sumAbove = 0;
      let sumBelow = 0;
      for (let index = from; index <= to; index++) {
        sumAbove += above.get(index) ?? 0;
        sumBelow += below.get(index) ?? 0;
      }
      yield { second, scope, measure, value: sumBelow === 0 ? null : sumAbove / sumBelow };
    }
  }
}
