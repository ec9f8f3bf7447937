/**
 * The requests of a group of clients, from the intention to the outcome:
 *
 *   issue ──► attempt ──► answered ──────────────────────────────► done (status)
 *    sent       ▲  └────► failed, 429, 5xx ──► Retry policy ──► no ──► done (status or failure)
 *               │                                   └─ yes: after a pause ─┐
 *               └──────────────────────────────────────────────────────────┘
 *
 * Latency counts from the intended start, so that a late generator or a full pool shows as
 * latency instead of vanishing (no coordinated omission).
 *
 * A connection that its server closes just as it is used again brings no byte of an answer: a
 * GET is then sent again on another one, as browsers do (RFC 9112 section 9.3.1). The dead one
 * has left the pool, so this ends at the latest with a fresh connection, which is no more
 * stale. It is an exchange of its own in the books, but takes nothing from the retry budget.
 *
 * When the load is over nothing is tried again: such a request stays pending.
 */
import { EventKind, type ExchangeFailure, exchangeFailureCode } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ClientsHop, PoolSettings, RetryReason } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { Retry, retryReasonCode } from '../../policy/retry.ts';
import { Deadlines } from '../relay-http/deadlines.ts';
import type { HopContext } from '../runtime/context.ts';
import { type Asker, Attempt, type LoadRequest } from './attempt.ts';
import { type ClientGroup, LoadClient } from './client.ts';
import { Deafness } from './deafness.ts';
import { ClientInputs } from './inputs.ts';
import { Lateness } from './lateness.ts';
import { RequestBytes } from './request-bytes.ts';
import { Schedule } from './schedule.ts';

/** What a group keeps in memory at most; a request beyond it fails at once (`no_connection`). */
export interface LoadLimits {
  /** Requests of one client without an outcome. */
  readonly clientInFlightMax: number;
  /** Requests of the whole group without an outcome. */
  readonly groupInFlightMax: number;
}

export const LOAD_LIMITS: LoadLimits = { clientInFlightMax: 1_000, groupInFlightMax: 100_000 };

/** A request may meet this many stale connections; more than any habit keeps. */
const STALE_MAX = 16;

export class LoadGroup implements ClientGroup {
  readonly ctx: HopContext<ClientsHop>;
  readonly link: Link;
  readonly schedule: Schedule;
  readonly connectDeadlines: Deadlines;
  readonly clients = new Map<number, LoadClient>();
  readonly deafness: Deafness;
  readonly lateness = new Lateness();
  pool: PoolSettings;
  /** The load has ended: no new attempts. */
  over = false;
  stopped = false;
  /** Hears of each request's outcome. */
  onDone: (client: Asker, now: Micros) => void = () => {};
  readonly #limits: LoadLimits;
  readonly #timeouts: Deadlines;
  readonly #retry: Retry;
  readonly #bytes = new Map<Endpoint, RequestBytes>();
  readonly #timedOut = (attempt: Attempt): void => attempt.request.client.timedOut(attempt);
  #inFlight = 0;
  /** What the retry policy decided last: when to try again, or null. */
  #decision: Micros | null = null;
  /** Whose request it is about. */
  #retrying: Asker | null = null;

  constructor(ctx: HopContext<ClientsHop>, pool: PoolSettings, limits: LoadLimits) {
    if (ctx.outgoing === null) throw new Error(`${ctx.hop.name}: clients need an upstream`);
    this.ctx = ctx;
    this.link = ctx.outgoing;
    this.pool = pool;
    this.#limits = limits;
    this.schedule = new Schedule(ctx.clock);
    this.connectDeadlines = new Deadlines(ctx.clock, ctx.hop.connectTimeout);
    this.deafness = new Deafness(ctx.random('stop-reading'));
    this.#timeouts = new Deadlines(ctx.clock, ctx.hop.timeout);
    this.#retry = this.#makeRetry();
    ctx.counters.lateness = this.lateness;
  }

  /** A client asks now for what it should have asked for at `intendedAt`. */
  issue(number: number, intendedAt: Micros): void {
    const client = this.#client(number);
    const { clock, counters } = this.ctx;
    const { clientInFlightMax, groupInFlightMax } = this.#limits;
    client.requests += 1;
    client.inFlight += 1;
    this.#inFlight += 1;
    counters.requests += 1;
    const request: LoadRequest = {
      client,
      number: client.requests,
      method: client.inputs.method(),
      item: client.inputs.item(),
      intendedAt,
      attempts: 0,
      stale: 0,
    };
    const now = clock.now();
    this.lateness.add(now - intendedAt);
    this.#emit(now, EventKind.requestSent, client.number, request.number, intendedAt);
    if (client.inFlight > clientInFlightMax || this.#inFlight > groupInFlightMax) {
      this.#done(request, 0, 'no_connection');
      return;
    }
    this.#retry.firstAttempt(now, client.number);
    request.attempts = 1;
    this.#attempt(request);
  }

  configure(pool: PoolSettings): void {
    this.pool = pool;
    for (const client of this.clients.values()) client.configure(pool);
  }

  /** Closes everything; what is in flight stays without an outcome. */
  async stop(): Promise<void> {
    this.over = true;
    this.stopped = true;
    this.schedule.clear();
    this.#timeouts.stop();
    this.connectDeadlines.stop();
    await this.ctx.ends.closeAll();
  }

  // ClientGroup

  isDeaf(client: number): boolean {
    return this.deafness.has(client);
  }

  answered(attempt: Attempt): void {
    attempt.over = true;
    attempt.clear();
    const { request, status, retryAfter } = attempt;
    const reason: RetryReason | null = status === 429 ? '429' : status >= 500 ? '5xx' : null;
    if (reason !== null && this.#again(request, reason, retryAfter)) return;
    this.#done(request, status, 'none');
  }

  failed(attempt: Attempt, failure: ExchangeFailure, stale: boolean): void {
    attempt.over = true;
    attempt.clear();
    const { request } = attempt;
    if (this.stopped) return;
    if (stale && request.method === 'GET' && request.stale < STALE_MAX) {
      request.stale += 1;
      if (!this.over) this.#attempt(request);
      return;
    }
    const reason = reasonOf(failure);
    if (reason !== null && this.#again(request, reason, 0)) return;
    this.#done(request, 0, failure);
  }

  #attempt(request: LoadRequest): void {
    const attempt = new Attempt(request, this.#timedOut);
    this.#timeouts.set(attempt);
    const patience = request.client.inputs.patience();
    if (patience > 0) {
      this.schedule.at(this.ctx.clock.now() + patience, () => {
        if (attempt.over) return;
        attempt.clear();
        attempt.expired();
      });
    }
    request.client.start(attempt);
  }

  /** Asks the retry policy; true when the request will be tried again. */
  #again(request: LoadRequest, reason: RetryReason, notBefore: number): boolean {
    const { client } = request;
    this.#decision = null;
    this.#retrying = client;
    this.#retry.failed(
      this.ctx.clock.now(),
      client.number,
      request.attempts,
      retryReasonCode(reason),
      notBefore,
    );
    if (this.#decision === null) return false;
    this.schedule.at(this.#decision, () => {
      if (this.over) return;
      request.attempts += 1;
      this.#attempt(request);
    });
    return true;
  }

  #done(request: LoadRequest, status: number, failure: ExchangeFailure): void {
    const { client } = request;
    const { clock, counters } = this.ctx;
    const now = clock.now();
    client.inFlight -= 1;
    this.#inFlight -= 1;
    const outcome = status > 0 ? status : -exchangeFailureCode(failure);
    this.#emit(now, EventKind.requestDone, client.number, request.number, outcome);
    if (status > 0) counters.answer(status, now - request.intendedAt);
    else counters.failed += 1;
    this.onDone(client, now);
  }

  #client(number: number): LoadClient {
    const known = this.clients.get(number);
    if (known !== undefined) return known;
    const { hop, random, targets } = this.ctx;
    const inputs = new ClientInputs(hop, (purpose) => random(`client/${number}/${purpose}`));
    const target = inputs.choose(targets(this.link));
    const client = new LoadClient(this, { number, target, bytes: this.#bytesFor(target), inputs });
    this.clients.set(number, client);
    return client;
  }

  #bytesFor(target: Endpoint): RequestBytes {
    const known = this.#bytes.get(target);
    if (known !== undefined) return known;
    const { hop, process, tracesUpstream } = this.ctx;
    const made = new RequestBytes(hop, target, process, tracesUpstream);
    this.#bytes.set(target, made);
    return made;
  }

  #makeRetry(): Retry {
    const { hop, tap } = this.ctx;
    const port = {
      retryAt: (_client: number, at: number) => {
        this.#decision = at;
      },
      giveUp: () => {},
      draw: (bound: number) => this.#retrying?.inputs.pauses.below(bound) ?? 0,
    };
    return tap.create(
      `${hop.name}/retry`,
      Retry,
      hop.retry,
      port,
      (given) => new Retry(hop.retry, given),
    );
  }

  #emit(at: Micros, kind: number, client: number, request: number, c: number): void {
    this.ctx.events.write(at, kind, this.ctx.instance.index, 0, 0, client, request, c);
  }
}

function reasonOf(failure: ExchangeFailure): RetryReason | null {
  if (failure === 'timeout' || failure === 'reset' || failure === 'refused') return failure;
  return null;
}
