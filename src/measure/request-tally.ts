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
import { meanMs, quantileMs } from './percentiles.ts';
import type { Series, SeriesTable } from './series.ts';
import type { GroupShape } from './shape.ts';

const TIMEOUT = exchangeFailureCode('timeout');
const RESET = exchangeFailureCode('reset');

type Count =
  | 'sent'
  | 'attempts'
  | 'retries'
  | 'answered'
  | 'ok'
  | 'throttled429'
  | 'serverErrors5xx'
  | 'failed'
  | 'timeouts'
  | 'resets';

/** One of the counts: in all, and by second. */
class Counter {
  total = 0;
  readonly #seconds: Series;

  constructor(seconds: Series) {
    this.#seconds = seconds;
  }

  add(second: number): void {
    this.total += 1;
    this.#seconds.add(second, 1);
  }
}

export class RequestTally {
  readonly shape: GroupShape;
  readonly latency = new Histogram();
  readonly #latencySecond = new Histogram();
  readonly #table: SeriesTable;
  readonly #counts: Readonly<Record<Count, Counter>>;
  readonly #pendingGauge: Series;
  readonly #mean: Series;
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
    const counter = (count: Count): Counter => new Counter(table.column(scope, count, 'count'));
    // By name, each in its place: a request passes here four times.
    this.#counts = {
      sent: counter('sent'),
      attempts: counter('attempts'),
      retries: counter('retries'),
      answered: counter('answered'),
      ok: counter('ok'),
      throttled429: counter('throttled429'),
      serverErrors5xx: counter('serverErrors5xx'),
      failed: counter('failed'),
      timeouts: counter('timeouts'),
      resets: counter('resets'),
    };
    this.#pendingGauge = table.column(scope, 'pending', 'gauge');
    this.#mean = table.column(scope, 'latencyMeanMs', 'gauge');
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
    const { sent, answered, failed } = this.#counts;
    return sent.total - answered.total - failed.total;
  }

  /** The counts of the whole load. */
  get total(): Readonly<Record<Count, number>> {
    const totals = Object.entries(this.#counts).map(([name, count]) => [name, count.total]);
    return Object.fromEntries(totals);
  }

  countSent(at: Micros): void {
    this.#counts.sent.add(this.#table.indexOf(at));
  }

  countAttempt(at: Micros, again: boolean): void {
    const second = this.#table.indexOf(at);
    this.#counts.attempts.add(second);
    if (again) this.#counts.retries.add(second);
  }

  countAnswer(at: Micros, client: number, status: number, latency: Micros): void {
    if (((this.#fates[client] ?? 0) & 1) === 0) {
      this.#fates[client] = (this.#fates[client] ?? 0) | 1;
      this.#served += 1;
    }
    this.latency.add(latency);
    this.#latencySecond.add(latency);
    const second = this.#table.indexOf(at);
    this.#counts.answered.add(second);
    if (isOk(status)) this.#counts.ok.add(second);
    else if (status === 429) this.#counts.throttled429.add(second);
    else if (status >= 500) this.#counts.serverErrors5xx.add(second);
  }

  /** `failure` is its code. */
  countFailure(at: Micros, failure: number): void {
    const second = this.#table.indexOf(at);
    this.#counts.failed.add(second);
    if (failure === TIMEOUT) this.#counts.timeouts.add(second);
    else if (failure === RESET) this.#counts.resets.add(second);
  }

  starve(client: number): void {
    if (((this.#fates[client] ?? 0) & 2) !== 0) return;
    this.#fates[client] = (this.#fates[client] ?? 0) | 2;
    this.#starved += 1;
  }

  endOfSecond(index: number): void {
    this.#pendingGauge.set(index, this.pending);
    if (this.#latencySecond.count === 0) return;
    this.#mean.set(index, meanMs(this.#latencySecond) ?? Number.NaN);
    this.#p50.set(index, quantileMs(this.#latencySecond, 0.5) ?? Number.NaN);
    this.#p99.set(index, quantileMs(this.#latencySecond, 0.99) ?? Number.NaN);
    this.#latencySecond.clear();
  }

  /** Answers of status 200-399 per second of the load. */
  goodputPerSecond(window: Micros): number {
    return window > 0 ? this.#counts.ok.total / (window / MICROS_PER_SECOND) : 0;
  }
}

export function isOk(status: number): boolean {
  return status >= 200 && status < 400;
}
