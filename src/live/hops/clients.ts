/**
 * A group of clients: the load. Closed users wait for their answer, think, and ask again; open
 * arrivals come at a rate, whatever happens to those before. Each client keeps connections as
 * its habit is (shared `Pool` policy), gives up after `timeout`, and retries (shared `Retry`
 * policy). Latency counts from the intended start, so that a late generator or a full pool
 * shows as latency instead of vanishing (no coordinated omission).
 *
 * A connection that its server closes just as it is used again brings no byte of an answer: a
 * GET is then tried once more on another connection, as browsers do (RFC 9112 section 9.3.1).
 * It counts as an attempt.
 */
import { EventKind, type ExchangeFailure, exchangeFailureCode } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { Action, ClientsHop, PoolSettings, RetryReason } from '../../model/topology.ts';
import { Retry, retryReasonCode } from '../../policy/retry.ts';
import type { MessageHead } from '../http/message-head.ts';
import { Attempt, type LoadRequest } from '../load/attempt.ts';
import { type ClientGroup, LoadClient } from '../load/client.ts';
import type { LoadConnection } from '../load/connection.ts';
import { RequestBytes } from '../load/request-bytes.ts';
import { Schedule } from '../load/schedule.ts';
import { Workload } from '../load/workload.ts';
import { Deadlines } from '../relay-http/deadlines.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

/** Requests of one client that may be under way or wait; further ones fail at once. */
const IN_FLIGHT_MAX = 1_000;

export function createClients(ctx: HopContext<ClientsHop>): LiveHop {
  return new ClientsGroup(ctx);
}

class ClientsGroup implements LiveHop, ClientGroup {
  readonly ctx: HopContext<ClientsHop>;
  readonly link: Link;
  readonly schedule: Schedule;
  readonly connectDeadlines: Deadlines;
  pool: PoolSettings;
  #settings: ClientsHop;
  readonly #timeouts: Deadlines;
  readonly #retry: Retry;
  readonly #clients = new Map<number, LoadClient>();
  readonly #bytes = new Map<Endpoint, RequestBytes>();
  readonly #targets;
  readonly #methods;
  #workload: Workload | null = null;
  #over = false;
  #decision: number | null = null;

  constructor(ctx: HopContext<ClientsHop>) {
    if (ctx.outgoing === null) throw new Error(`${ctx.hop.name}: clients need an upstream`);
    const { hop, clock, random } = ctx;
    this.ctx = ctx;
    this.link = ctx.outgoing;
    this.#settings = hop;
    this.pool = poolOf(hop);
    this.schedule = new Schedule(clock);
    this.connectDeadlines = new Deadlines(clock, hop.connectTimeout);
    this.#timeouts = new Deadlines(clock, hop.timeout);
    this.#targets = random('targets');
    this.#methods = random('methods');
    const jitter = random('retry');
    const port = {
      retryAt: (_request: number, at: number) => {
        this.#decision = at;
      },
      giveUp: () => {
        this.#decision = null;
      },
      draw: (bound: number) => jitter.below(bound),
    };
    this.#retry = ctx.tap.create(
      `${hop.name}/retry`,
      Retry,
      hop.retry,
      port,
      (given) => new Retry(hop.retry, given),
    );
  }

  listen(): Promise<Endpoint[]> {
    return Promise.resolve([]);
  }

  begin(): void {
    this.#workload = new Workload(this.ctx, (client, intendedAt) =>
      this.#issue(client, intendedAt),
    );
    this.#workload.begin();
  }

  apply(action: Action): boolean {
    const { hop } = this.ctx;
    if (action.action === 'stop-reading' && action.hop === hop.name) {
      this.#stopReading(action.share, action.lasts);
      return true;
    }
    if (action.action === 'reset-connections' && action.hop === hop.name) {
      const stream = this.ctx.random('reset-connections');
      for (const end of [...this.ctx.ends.live]) {
        if (stream.unit() < action.share) end.reset('local_rst');
      }
      return true;
    }
    if (this.#workload?.apply(action) === true) return true;
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) return false;
    this.#settings = changed;
    this.pool = poolOf(changed);
    for (const client of this.#clients.values()) client.configure(this.pool);
    return true;
  }

  endLoad(): void {
    this.#over = true;
    this.#workload?.end();
  }

  async stop(): Promise<void> {
    this.#over = true;
    this.schedule.clear();
    this.#timeouts.stop();
    this.connectDeadlines.stop();
    await this.ctx.ends.closeAll();
  }

  // ClientGroup

  send(connection: LoadConnection, attempt: Attempt): void {
    const { client, method } = attempt.request;
    connection.send(attempt, (end, ordinal) =>
      this.#bytesFor(client.target).of(method, end, ordinal),
    );
  }

  answered(attempt: Attempt, head: MessageHead): void {
    attempt.clear();
    const { status } = head;
    const reason: RetryReason | null = status === 429 ? '429' : status >= 500 ? '5xx' : null;
    const seconds = reason === null ? 0 : retryAfter(head);
    if (reason !== null && this.#again(attempt.request, reason, seconds)) return;
    this.#done(attempt.request, status, 'none');
  }

  failed(attempt: Attempt, failure: ExchangeFailure, stale: boolean): void {
    attempt.clear();
    const { request } = attempt;
    if (stale && request.method === 'GET' && !request.retriedStale && !this.#over) {
      request.retriedStale = true;
      this.#attempt(request);
      return;
    }
    const reason = reasonOf(failure);
    if (reason !== null && this.#again(request, reason, 0)) return;
    this.#done(request, 0, failure);
  }

  #issue(number: number, intendedAt: number): void {
    const client = this.#client(number);
    const { clock } = this.ctx;
    client.requests += 1;
    const isPost = this.#settings.postShare > 0 && this.#methods.unit() < this.#settings.postShare;
    const request: LoadRequest = {
      client,
      number: client.requests,
      method: isPost ? 'POST' : 'GET',
      intendedAt,
      attempts: 0,
      retriedStale: false,
    };
    this.#emit(EventKind.requestSent, client.number, request.number, intendedAt);
    this.ctx.counters.requests += 1;
    client.inFlight += 1;
    if (client.inFlight > IN_FLIGHT_MAX) {
      this.#done(request, 0, 'no_connection');
      return;
    }
    this.#retry.firstAttempt(clock.now(), 0);
    this.#attempt(request);
  }

  #attempt(request: LoadRequest): void {
    request.attempts += 1;
    const attempt = new Attempt(request, (late) => this.#timedOut(late));
    this.#timeouts.set(attempt);
    request.client.start(attempt);
  }

  #timedOut(attempt: Attempt): void {
    if (attempt.request.client.abandon(attempt)) return;
    this.failed(attempt, 'timeout', false);
  }

  /** Asks the retry policy; true when the request will be tried again. */
  #again(request: LoadRequest, reason: RetryReason, notBefore: number): boolean {
    if (!this.#settings.retry.on.includes(reason)) return false;
    const now = this.ctx.clock.now();
    this.#retry.failed(now, 0, request.attempts, retryReasonCode(reason), notBefore);
    if (this.#decision === null) return false;
    // After the load nothing is tried again: the request stays pending.
    if (!this.#over) this.schedule.at(this.#decision, () => this.#attempt(request));
    return true;
  }

  #done(request: LoadRequest, status: number, failure: ExchangeFailure): void {
    const { client } = request;
    const now = this.ctx.clock.now();
    client.inFlight -= 1;
    const outcome = status > 0 ? status : -exchangeFailureCode(failure);
    this.#emit(EventKind.requestDone, client.number, request.number, outcome);
    if (status > 0) this.ctx.counters.answer(status, now - request.intendedAt);
    else this.ctx.counters.failed += 1;
    this.#workload?.done(client.number, now);
  }

  #client(number: number): LoadClient {
    const known = this.#clients.get(number);
    if (known !== undefined) return known;
    const targets = this.ctx.targets(this.link);
    const target = targets[this.#targets.below(targets.length)] as Endpoint;
    const client = new LoadClient(this, number, target);
    this.#clients.set(number, client);
    return client;
  }

  #bytesFor(target: Endpoint): RequestBytes {
    const known = this.#bytes.get(target);
    if (known !== undefined) return known;
    const { ctx } = this;
    const traced = ctx.tracesUpstream ? ctx.process : null;
    const made = new RequestBytes(this.#settings, target, traced, ctx.random('items'));
    this.#bytes.set(target, made);
    return made;
  }

  #stopReading(share: number, lasts: number): void {
    const stream = this.ctx.random('stop-reading');
    const deaf = [...this.#clients.values()].filter(() => stream.unit() < share);
    for (const client of deaf) {
      client.deaf = true;
      for (const connection of client.connections.values()) connection.end.pause();
    }
    this.schedule.at(this.ctx.clock.now() + lasts, () => {
      for (const client of deaf) {
        client.deaf = false;
        for (const connection of client.connections.values()) connection.end.resume();
      }
    });
  }

  #emit(kind: number, a: number, b: number, c: number): void {
    const { events, clock, instance } = this.ctx;
    events.write(clock.now(), kind, instance.index, 0, 0, a, b, c);
  }
}

/** JMeter drops its connection at each iteration: a cap on requests per connection. */
function poolOf(hop: ClientsHop): PoolSettings {
  const { pool, requestsPerIteration } = hop;
  if (requestsPerIteration === 0) return pool;
  const cap = pool.requestsPerConnectionMax;
  const requestsPerConnectionMax =
    cap === 0 ? requestsPerIteration : Math.min(cap, requestsPerIteration);
  return { ...pool, requestsPerConnectionMax };
}

function reasonOf(failure: ExchangeFailure): RetryReason | null {
  if (failure === 'timeout' || failure === 'reset' || failure === 'refused') return failure;
  return null;
}

/** Whole seconds of a Retry-After field; 0 without one, or with a date. */
function retryAfter(head: MessageHead): number {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.name(index).toLowerCase() !== 'retry-after') continue;
    const value = head.value(index).trim();
    return /^\d{1,6}$/.test(value) ? Number(value) : 0;
  }
  return 0;
}
