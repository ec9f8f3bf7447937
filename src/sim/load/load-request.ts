/** A request of a client from its intention to its outcome. */
import type { Micros } from '../../model/units.ts';
import type { Actor } from '../engine/event-queue.ts';
import { Timeout } from '../engine/lane.ts';
import type { Exchange, RequestKind } from '../exchange.ts';
import type { ConnectionPool } from '../net/connection-pool.ts';
import type { ClientInputs } from './client-inputs.ts';

export interface Client {
  readonly number: number;
  readonly inputs: ClientInputs;
  readonly pool: ConnectionPool;
  requests: number;
  inFlight: number;
}

/** Whose requests they are. */
export interface Issuer {
  /** The pause before another attempt is over. */
  tryAgain(request: LoadRequest): void;
  /** Its attempt has had no answer in time. */
  tooLate(request: LoadRequest): void;
}

/** Used again for other requests, as exchanges are. Its timeout is that of the present attempt. */
export class LoadRequest extends Timeout implements Actor {
  client: Client;
  number = 0;
  kind: RequestKind;
  /** The attempt whose fate is open; null = there is none. */
  attempt: Exchange | null = null;
  attempts = 1;
  stale = 0;
  /** Attempts that got a connection, those that it was stale for too. */
  handed = 0;
  intendedAt: Micros = 0.5;
  readonly #issuer: Issuer;

  constructor(client: Client, kind: RequestKind, issuer: Issuer) {
    super();
    this.client = client;
    this.kind = kind;
    this.#issuer = issuer;
  }

  begin(client: Client, kind: RequestKind): void {
    this.client = client;
    this.number = client.requests;
    this.kind = kind;
    this.attempts = 1;
    this.stale = 0;
    this.handed = 0;
  }

  fire(): void {
    this.attempts += 1;
    this.#issuer.tryAgain(this);
  }

  expired(): void {
    this.#issuer.tooLate(this);
  }
}

/** The end of a client's patience, where that differs from one attempt to the next. */
export class Patience implements Actor {
  readonly #request: LoadRequest;
  readonly #attempt: Exchange;

  constructor(request: LoadRequest, attempt: Exchange) {
    attempt.kept = true;
    this.#request = request;
    this.#attempt = attempt;
  }

  fire(): void {
    if (this.#request.attempt === this.#attempt) this.#request.expired();
  }
}
