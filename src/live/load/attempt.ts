/** A client's request, and one attempt at it. */
import type { Micros } from '../../model/units.ts';
import { Deadline } from '../relay-http/deadlines.ts';
import type { LoadClient } from './client.ts';
import type { LoadConnection } from './connection.ts';

export interface LoadRequest {
  readonly client: LoadClient;
  /** From 1 for each client. */
  readonly number: number;
  readonly method: 'GET' | 'POST';
  /** When it should have been sent. */
  readonly intendedAt: Micros;
  attempts: number;
  /** A stale connection was answered with one transparent retry already. */
  retriedStale: boolean;
}

/** Waits for a connection, then for the answer; at most `timeout` in all. */
export class Attempt extends Deadline {
  readonly request: LoadRequest;
  /** Its number as a waiter of the client's pool; -1 once it has a connection. */
  waiter = -1;
  connection: LoadConnection | null = null;
  readonly #onTimeout: (attempt: Attempt) => void;

  constructor(request: LoadRequest, onTimeout: (attempt: Attempt) => void) {
    super();
    this.request = request;
    this.#onTimeout = onTimeout;
  }

  expired(): void {
    this.#onTimeout(this);
  }
}
