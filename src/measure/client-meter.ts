/**
 * The books of one group of clients: each request from `requestSent` to `requestDone`.
 *
 * Everything is struck at the end of the load: a request sent by then and not done by then is
 * pending, however it ended later. Latency counts from the *intended* start, so that a client
 * that could not send in time does not hide the wait (no coordinated omission).
 */
import type { Micros } from '../model/units.ts';
import { isOk, RequestTally } from './request-tally.ts';
import type { SeriesTable } from './series.ts';
import type { GroupShape, RunShape } from './shape.ts';

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

export type RequestError = 'sent-twice' | 'done-without-sent' | 'answered-without-attempt' | null;

export class ClientMeter extends RequestTally {
  readonly #run: RunShape;
  readonly #pending = new Map<number, Pending>();

  constructor(shape: GroupShape, run: RunShape, table: SeriesTable) {
    super(shape, table);
    this.#run = run;
  }

  sent(at: Micros, client: number, request: number, intended: Micros): RequestError {
    const key = this.#key(client, request);
    if (this.#pending.has(key)) return 'sent-twice';
    const counts = at <= this.#run.to;
    this.#pending.set(key, new Pending(intended, counts));
    if (counts) this.countSent(at);
    return null;
  }

  /** An attempt was handed to a connection. Returns its number; 0 = no such request. */
  attempt(at: Micros, client: number, request: number): number {
    const pending = this.#pending.get(this.#key(client, request));
    if (pending === undefined) return 0;
    pending.attempts += 1;
    if (pending.counts && at <= this.#run.to) this.countAttempt(at, pending.attempts > 1);
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
      if (outcome > 0) this.countAnswer(at, client, outcome, at - pending.intended);
      else this.countFailure(at, -outcome);
    }
    return outcome > 0 && pending.attempts === 0 ? 'answered-without-attempt' : null;
  }

  /** Clients are numbered from 0 or 1 up to their count; the product stays far below 2^53. */
  #key(client: number, request: number): number {
    return request * this.#keySize() + client;
  }

  #keySize(): number {
    return this.shape.count + 2;
  }
}
