/**
 * The books of one group of clients: each request from `requestSent` to `requestDone`.
 *
 * Everything is struck at the end of the load: a request sent by then and not done by then is
 * pending, however it ended later. Latency counts from the *intended* start, so that a client
 * that could not send in time does not hide the wait (no coordinated omission), and covers
 * every answer, errors included. An answer is any status; a failure is the lack of one.
 */
import { exchangeFailureCode } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { Histogram } from './histogram.ts';
import { quantileMs } from './percentiles.ts';
import type { Series, SeriesTable } from './series.ts';
import type { GroupShape, RunShape } from './shape.ts';

const TIMEOUT = exchangeFailureCode('timeout');
const RESET = exchangeFailureCode('reset');

class Pending {
  readonly intended: Micros;
  /** Sent within the load, so that it counts. */
  readonly counts: boolean;
  attempts = 0;
  succeeded = false;

  constructor(intended: Micros, counts: boolean) {
    this.intended = intended;
    this.counts = counts;
  }
}

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

export type RequestError = 'sent-twice' | 'done-without-sent' | 'answered-without-attempt' | null;

export class ClientMeter {
  readonly shape: GroupShape;
  readonly total: Record<Count, number>;
  readonly latency = new Histogram();
  readonly #latencySecond = new Histogram();
  readonly #run: RunShape;
  readonly #table: SeriesTable;
  readonly #seconds: Record<Count, Series>;
  readonly #pendingGauge: Series;
  readonly #p50: Series;
  readonly #p99: Series;
  readonly #pending = new Map<number, Pending>();
  readonly #served = new Set<number>();
  readonly #starved = new Set<number>();
  #pendingNow = 0;

  constructor(shape: GroupShape, run: RunShape, table: SeriesTable) {
    this.shape = shape;
    this.#run = run;
    this.#table = table;
    const scope = `clients:${shape.hop}`;
    const zeros = COUNTS.map((count) => [count, 0] as const);
    this.total = Object.fromEntries(zeros) as Record<Count, number>;
    const columns = COUNTS.map((count) => [count, table.column(scope, count, 'count')] as const);
    this.#seconds = Object.fromEntries(columns) as Record<Count, Series>;
    this.#pendingGauge = table.column(scope, 'pending', 'gauge');
    this.#p50 = table.column(scope, 'latencyP50Ms', 'gauge');
    this.#p99 = table.column(scope, 'latencyP99Ms', 'gauge');
  }

  get served(): number {
    return this.#served.size;
  }

  get starved(): number {
    return this.#starved.size;
  }

  get pending(): number {
    return this.total.sent - this.total.answered - this.total.failed;
  }

  sent(at: Micros, client: number, request: number, intended: Micros): RequestError {
    const key = this.#key(client, request);
    if (this.#pending.has(key)) return 'sent-twice';
    const counts = at <= this.#run.to;
    this.#pending.set(key, new Pending(intended, counts));
    if (counts) {
      this.#pendingNow += 1;
      this.#count('sent', at);
    }
    return null;
  }

  /** An attempt was handed to a connection. Returns its number; 0 = no such request. */
  attempt(at: Micros, client: number, request: number): number {
    const pending = this.#pending.get(this.#key(client, request));
    if (pending === undefined) return 0;
    pending.attempts += 1;
    if (pending.counts && at <= this.#run.to) {
      this.#count('attempts', at);
      if (pending.attempts > 1) this.#count('retries', at);
    }
    return pending.attempts;
  }

  attemptEnded(client: number, request: number, status: number): void {
    const pending = this.#pending.get(this.#key(client, request));
    if (pending !== undefined && isOk(status)) pending.succeeded = true;
  }

  /** Requests that an attempt succeeded for and that are pending all the same. */
  *contradictions(): Iterable<string> {
    const size = this.#keySize();
    for (const [key, pending] of this.#pending) {
      if (pending.succeeded) yield `client ${key % size} request ${Math.floor(key / size)}`;
    }
  }

  /** `outcome`: status, or minus the failure's code. */
  done(at: Micros, client: number, request: number, outcome: number): RequestError {
    const key = this.#key(client, request);
    const pending = this.#pending.get(key);
    if (pending === undefined) return 'done-without-sent';
    this.#pending.delete(key);
    if (pending.counts && at <= this.#run.to) {
      this.#pendingNow -= 1;
      if (outcome > 0) this.#answered(at, client, outcome, at - pending.intended);
      else this.#failed(at, -outcome);
    }
    return outcome > 0 && pending.attempts === 0 ? 'answered-without-attempt' : null;
  }

  starve(client: number): void {
    this.#starved.add(client);
  }

  endOfSecond(index: number): void {
    this.#pendingGauge.set(index, this.#pendingNow);
    if (this.#latencySecond.count === 0) return;
    this.#p50.set(index, quantileMs(this.#latencySecond, 0.5) ?? Number.NaN);
    this.#p99.set(index, quantileMs(this.#latencySecond, 0.99) ?? Number.NaN);
    this.#latencySecond.clear();
  }

  /** Answers of status 200-399 per second of the load. */
  goodputPerSecond(window: Micros): number {
    return window > 0 ? this.total.ok / (window / MICROS_PER_SECOND) : 0;
  }

  #answered(at: Micros, client: number, status: number, latency: Micros): void {
    this.#served.add(client);
    this.latency.add(latency);
    this.#latencySecond.add(latency);
    this.#count('answered', at);
    if (isOk(status)) this.#count('ok', at);
    else if (status === 429) this.#count('throttled429', at);
    else if (status >= 500) this.#count('serverErrors5xx', at);
  }

  #failed(at: Micros, failure: number): void {
    this.#count('failed', at);
    if (failure === TIMEOUT) this.#count('timeouts', at);
    else if (failure === RESET) this.#count('resets', at);
  }

  #count(count: Count, at: Micros): void {
    this.total[count] += 1;
    this.#seconds[count].add(this.#table.indexOf(at), 1);
  }

  /** Clients are numbered from 0 or 1 up to their count; the product stays far below 2^53. */
  #key(client: number, request: number): number {
    return request * this.#keySize() + client;
  }

  #keySize(): number {
    return this.shape.count + 2;
  }
}

function isOk(status: number): boolean {
  return status >= 200 && status < 400;
}
