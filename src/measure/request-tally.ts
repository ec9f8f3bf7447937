/**
 * The counts of one group of clients, in all and by second: whoever follows its requests tells
 * what became of each. `client-meter.ts` follows them by events; the simulator knows itself.
 *
 * An answer is any status; a failure is the lack of one. Latency covers every answer.
 */
import { exchangeFailureCode } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { Histogram } from './histogram.ts';
import { quantileMs } from './percentiles.ts';
import type { Series, SeriesTable } from './series.ts';
import type { GroupShape } from './shape.ts';

const TIMEOUT = exchangeFailureCode('timeout');
const RESET = exchangeFailureCode('reset');

const COUNTS = [
  'sent',
  'attempts',
  'retries',
  'answered',
  'ok',
  'throttled429',
  'serverErrors5xx',
  'failed',
  'timeouts',
  'resets',
] as const;
type Count = (typeof COUNTS)[number];

export class RequestTally {
  readonly shape: GroupShape;
  readonly total: Record<Count, number>;
  readonly latency = new Histogram();
  readonly #latencySecond = new Histogram();
  readonly #table: SeriesTable;
  readonly #seconds: Record<Count, Series>;
  readonly #pendingGauge: Series;
  readonly #p50: Series;
  readonly #p99: Series;
  /** By client number: 1 = it had an answer, 2 = it starved; both can be. */
  readonly #fates: Uint8Array;
  #served = 0;
  #starved = 0;

  constructor(shape: GroupShape, table: SeriesTable) {
    this.shape = shape;
    this.#table = table;
    this.#fates = new Uint8Array(shape.count + 1);
    const scope = `clients:${shape.hop}`;
    const zeros = COUNTS.map((count) => [count, 0] as const);
    this.total = Object.fromEntries(zeros) as Record<Count, number>;
    const columns = COUNTS.map((count) => [count, table.column(scope, count, 'count')] as const);
    this.#seconds = Object.fromEntries(columns) as Record<Count, Series>;
    this.#pendingGauge = table.column(scope, 'pending', 'gauge');
    this.#p50 = table.column(scope, 'latencyP50Ms', 'gauge');
    this.#p99 = table.column(scope, 'latencyP99Ms', 'gauge');
  }

  /** Clients with at least one answer. */
  get served(): number {
    return this.#served;
  }

  /** Clients with a request that waited unread for too long. */
  get starved(): number {
    return this.#starved;
  }

  get pending(): number {
    return this.total.sent - this.total.answered - this.total.failed;
  }

  countSent(at: Micros): void {
    this.#count('sent', at);
  }

  countAttempt(at: Micros, again: boolean): void {
    this.#count('attempts', at);
    if (again) this.#count('retries', at);
  }

  countAnswer(at: Micros, client: number, status: number, latency: Micros): void {
    if (((this.#fates[client] ?? 0) & 1) === 0) {
      this.#fates[client] = (this.#fates[client] ?? 0) | 1;
      this.#served += 1;
    }
    this.latency.add(latency);
    this.#latencySecond.add(latency);
    this.#count('answered', at);
    if (isOk(status)) this.#count('ok', at);
    else if (status === 429) this.#count('throttled429', at);
    else if (status >= 500) this.#count('serverErrors5xx', at);
  }

  /** `failure` is its code. */
  countFailure(at: Micros, failure: number): void {
    this.#count('failed', at);
    if (failure === TIMEOUT) this.#count('timeouts', at);
    else if (failure === RESET) this.#count('resets', at);
  }

  starve(client: number): void {
    if (((this.#fates[client] ?? 0) & 2) !== 0) return;
    this.#fates[client] = (this.#fates[client] ?? 0) | 2;
    this.#starved += 1;
  }

  endOfSecond(index: number): void {
    this.#pendingGauge.set(index, this.pending);
    if (this.#latencySecond.count === 0) return;
    this.#p50.set(index, quantileMs(this.#latencySecond, 0.5) ?? Number.NaN);
    this.#p99.set(index, quantileMs(this.#latencySecond, 0.99) ?? Number.NaN);
    this.#latencySecond.clear();
  }

  /** Answers of status 200-399 per second of the load. */
  goodputPerSecond(window: Micros): number {
    return window > 0 ? this.total.ok / (window / MICROS_PER_SECOND) : 0;
  }

  #count(count: Count, at: Micros): void {
    this.total[count] += 1;
    this.#seconds[count].add(this.#table.indexOf(at), 1);
  }
}

export function isOk(status: number): boolean {
  return status >= 200 && status < 400;
}
