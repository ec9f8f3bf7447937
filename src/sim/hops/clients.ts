/**
 * A group of clients, from the intention of a request to its outcome: attempts over the client's
 * own connections (its habit), a timeout per attempt, the shared `Retry` policy, and a second try
 * of a GET for a connection that was stale. The rules are those of live/load/group.ts.
 */

import type { RequestTally } from '../../measure/request-tally.ts';
import { EventKind, type ExchangeFailure, exchangeFailureCode } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import type { Action, ClientsHop, PoolSettings, RetryReason } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { Retry, retryReasonCode } from '../../policy/retry.ts';
import type { RandomStream } from '../../random/stream.ts';
import { Lane } from '../engine/lane.ts';
import type { Asker, Exchange, NotGranted } from '../exchange.ts';
import { type Asked, askedBy, ClientInputs } from '../load/client-inputs.ts';
import { ClosedUsers } from '../load/closed-users.ts';
import { type Client, type Issuer, LoadRequest, Patience } from '../load/load-request.ts';
import { OpenArrivals } from '../load/open-arrivals.ts';
import type { Workload } from '../load/workload.ts';
import { REQUEST_BYTES } from '../message-size.ts';
import { ConnectionPool, type PoolRules } from '../net/connection-pool.ts';
import { CAUSES } from '../relay/keep-alive.ts';
import type { World } from '../world.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

/** As live/load/group.ts has them. */
const CLIENT_IN_FLIGHT_MAX = 1_000;
const GROUP_IN_FLIGHT_MAX = 100_000;
const STALE_MAX = 16;

export class Clients implements SimHop, Asker, Issuer {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #asked: Asked;
  /** By number, made when they first ask. Known in length, or the engine would search it. */
  readonly #clients: (Client | null)[];
  readonly #workload: Workload;
  readonly #retry: Retry;
  readonly #timeouts: Lane;
  readonly #resets: RandomStream;
  readonly #tally: RequestTally | null;
  readonly #group: number;
  readonly #poolRules: PoolRules;
  /** Requests that are done, for those to come. */
  readonly #free: LoadRequest[] = [];
  #settings: ClientsHop;
  #inFlight = 0;
  /** What the retry policy decided last, and whose request it is about. */
  #decision: Micros | null = null;
  #retrying: Client | null = null;

  constructor(world: World, instance: Instance, hop: ClientsHop, alivePaths: ReadonlySet<string>) {
    this.#world = world;
    this.#instance = instance;
    this.#settings = hop;
    this.#clients = new Array<Client | null>(hop.count + 1).fill(null);
    this.#group = world.meters?.shape.instances[instance.index]?.group ?? -1;
    this.#tally = world.meters?.groups[this.#group] ?? null;
    this.#asked = askedBy(hop, alivePaths);
    this.#poolRules = {
      world,
      place: world.place(instance),
      closesUpstream: false,
      awaitsGreeting: false,
      requestBytes: REQUEST_BYTES,
    };
    this.#timeouts = new Lane(world.engine, hop.timeout);
    this.#resets = world.random(instance, 'reset-connections');
    this.#retry = world.policy(`${hop.name}/retry`, Retry, hop.retry, {
      retryAt: (_client, at) => {
        this.#decision = at;
      },
      giveUp: () => {},
      draw: (bound) => this.#retrying?.inputs.pauses.below(bound) ?? 0,
    });
    const issue = (client: number): void => this.#issue(client);
    const { workload } = hop;
    this.#workload =
      workload.kind === 'open'
        ? new OpenArrivals(world, instance, hop, workload, issue)
        : new ClosedUsers(world, instance, hop, workload, issue, (client) =>
            this.#client(client).inputs.think(),
          );
  }

  get pending(): number {
    return this.#inFlight;
  }

  begin(): void {
    this.#workload.begin();
  }

  apply(action: Action): boolean {
    const { name } = this.#settings;
    if (action.action === 'reset-connections' && action.hop === name) {
      for (const connection of this.#world.place(this.#instance).connecting.all()) {
        const { connector } = connection;
        if (!connection.up || this.#resets.unit() >= action.share) continue;
        if (connector instanceof ConnectionPool) connector.reset(connection);
      }
      return true;
    }
    if (action.action !== 'set') return false;
    if (this.#workload.apply(action)) return true;
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) return false;
    this.#settings = changed;
    for (const client of this.#clients) client?.pool.configure(poolOf(changed));
    return true;
  }

  // Asker: an attempt's fate

  sent(attempt: Exchange): void {
    requestOf(attempt).handed += 1;
  }

  notGranted(attempt: Exchange, why: NotGranted): void {
    const failure = why === 'refused' || why === 'timeout' ? why : 'no_connection';
    this.#failed(requestOf(attempt), failure, false);
  }

  answered(attempt: Exchange): void {
    const request = requestOf(attempt);
    this.#timeouts.clear(request);
    request.attempt = null;
    const { status } = attempt;
    if (status >= 429) {
      const reason: RetryReason | null = status === 429 ? '429' : status >= 500 ? '5xx' : null;
      if (reason !== null && this.#again(request, reason, attempt.retryAfter)) return;
    }
    this.#done(request, status, 'none');
  }

  broken(attempt: Exchange, stale: boolean): void {
    this.#failed(requestOf(attempt), 'reset', stale);
  }

  // Issuer

  tryAgain(request: LoadRequest): void {
    this.#attempt(request);
  }

  tooLate(request: LoadRequest): void {
    const { attempt } = request;
    if (attempt !== null) attempt.pool?.abandon(attempt, CAUSES.requestTimeout, 'timeout');
    this.#failed(request, 'timeout', false);
  }

  #issue(number: number): void {
    const client = this.#client(number);
    const { engine } = this.#world;
    client.requests += 1;
    client.inFlight += 1;
    this.#inFlight += 1;
    const kind = client.inputs.kind();
    const request = this.#free.pop() ?? new LoadRequest(client, kind, this);
    request.begin(client, kind);
    this.#tally?.countSent(engine.now);
    request.intendedAt = engine.now;
    this.#tell(EventKind.requestSent, number, request.number, engine.now);
    if (client.inFlight > CLIENT_IN_FLIGHT_MAX || this.#inFlight > GROUP_IN_FLIGHT_MAX) {
      this.#done(request, 0, 'no_connection');
      return;
    }
    this.#retry.firstAttempt(engine.now, number);
    this.#attempt(request);
  }

  #attempt(request: LoadRequest): void {
    const { client } = request;
    const attempt = this.#world.exchanges.take(this, null, request.kind);
    attempt.load = request;
    request.attempt = attempt;
    attempt.client = client.number;
    attempt.request = request.number;
    attempt.rootGroup = this.#group;
    attempt.again = request.handed > 0;
    this.#timeouts.set(request);
    const patience = client.inputs.patience();
    if (patience > 0) {
      const { engine } = this.#world;
      engine.at(engine.now + patience, new Patience(request, attempt), 0);
    }
    client.pool.acquire(attempt);
  }

  #failed(request: LoadRequest, failure: ExchangeFailure, stale: boolean): void {
    this.#timeouts.clear(request);
    request.attempt = null;
    if (stale && !request.kind.post && request.stale < STALE_MAX) {
      request.stale += 1;
      this.#attempt(request);
      return;
    }
    const retried = failure === 'timeout' || failure === 'reset' || failure === 'refused';
    if (retried && this.#again(request, failure, 0)) return;
    this.#done(request, 0, failure);
  }

  /** Asks the retry policy; true when the request will be tried again. */
  #again(request: LoadRequest, reason: RetryReason, notBefore: number): boolean {
    const { engine } = this.#world;
    this.#decision = null;
    this.#retrying = request.client;
    const code = retryReasonCode(reason);
    this.#retry.failed(engine.now, request.client.number, request.attempts, code, notBefore);
    if (this.#decision === null) return false;
    engine.at(this.#decision, request, 0);
    return true;
  }

  #done(request: LoadRequest, status: number, failure: ExchangeFailure): void {
    const { client } = request;
    client.inFlight -= 1;
    this.#inFlight -= 1;
    const outcome = status > 0 ? status : -exchangeFailureCode(failure);
    const { now } = this.#world.engine;
    if (status > 0) {
      this.#tally?.countAnswer(now, client.number, status, now - request.intendedAt);
    } else this.#tally?.countFailure(now, -outcome);
    this.#tell(EventKind.requestDone, client.number, request.number, outcome);
    this.#free.push(request);
    this.#workload.done(client.number);
  }

  #client(number: number): Client {
    return this.#clients[number] ?? this.#makeClient(number);
  }

  #makeClient(number: number): Client {
    const world = this.#world;
    const instance = this.#instance;
    const inputs = new ClientInputs(world, instance, this.#asked, number);
    const link = world.outgoing(this.#settings);
    if (link !== null) inputs.chooseTarget(world.targets(instance, link));
    const pool = new ConnectionPool({
      rules: this.#poolRules,
      name: `${instance.hop}/${number}/pool`,
      choices: inputs,
      settings: poolOf(this.#settings),
    });
    const client = { number, inputs, pool, requests: 0, inFlight: 0 };
    this.#clients[number] = client;
    return client;
  }

  #tell(kind: number, client: number, request: number, c: number): void {
    const { recorder, engine } = this.#world;
    recorder?.write(engine.now, kind, this.#instance.index, 0, 0, client, request, c);
  }
}

function requestOf({ load }: Exchange): LoadRequest {
  if (load === null) throw new Error('a client hears of its own attempts only');
  return load;
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
