/** A client's request, and one attempt at it. */
import type { CloseCause } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import type { Micros } from '../../model/units.ts';
import { Deadline } from '../relay-http/deadlines.ts';
import type { ClientInputs } from './inputs.ts';

/** The client that asks (`LoadClient`). */
export interface Asker {
  /** From 1 in its group. */
  readonly number: number;
  readonly inputs: ClientInputs;
  /** Requests without an outcome. */
  inFlight: number;
  start(attempt: Attempt): void;
  /** The attempt took too long, wherever it is; the group hears `failed`. */
  timedOut(attempt: Attempt): void;
}

/** What carries an attempt (`LoadConnection`). */
export interface Carrier {
  abandon(failure: ExchangeFailure, cause: CloseCause): void;
}

export interface LoadRequest {
  readonly client: Asker;
  /** From 1 for each client. */
  readonly number: number;
  readonly method: 'GET' | 'POST';
  /** What `{n}` in the path stands for, in every attempt; 0 = the path has none. */
  readonly item: number;
  /** When it should have been sent. */
  readonly intendedAt: Micros;
  /** Attempts that count for the retry policy; those repeated for a stale connection do not. */
  attempts: number;
  /** Stale connections it met so far. */
  stale: number;
}

/** Waits for a connection, then for the answer; at most `timeout` in all. */
export class Attempt extends Deadline {
  readonly request: LoadRequest;
  /** Its number as a waiter of the client's pool; -1 once it has a connection. */
  waiter = -1;
  connection: Carrier | null = null;
  /** Of the answer. */
  status = 0;
  /** Whole seconds that a 429 or 5xx answer asked to wait (Retry-After). */
  retryAfter = 0;
  /** Its fate is known. */
  over = false;
  readonly #timedOut: (attempt: Attempt) => void;

  constructor(request: LoadRequest, timedOut: (attempt: Attempt) => void) {
    super();
    this.request = request;
    this.#timedOut = timedOut;
  }

  expired(): void {
    this.#timedOut(this);
  }
}
