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
import { EventOf } from '../engine/event.ts';
import type { Exchanges, NotGranted } from '../exchanges.ts';
import * as at from '../exchanges.ts';
import { ClientInputs } from '../load/client-inputs.ts';
import { ClosedUsers } from '../load/closed-users.ts';
import type { LoadRequests } from '../load/load-requests.ts';
import * as of from '../load/load-requests.ts';
import { OpenArrivals } from '../load/open-arrivals.ts';
import { Patience } from '../load/patience.ts';
import type { Users } from '../load/users.ts';
import * as user from '../load/users.ts';
import type { Workload } from '../load/workload.ts';
import { REQUEST_BYTES } from '../message-size.ts';
import type { PoolRules } from '../net/connection-pools.ts';
import { CONNECTOR, UP } from '../net/connections.ts';
import type { Listener } from '../net/place.ts';
import { CAUSES } from '../relay/server-connections.ts';
import type { World } from '../world.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

/** As live/load/group.ts has them. */
const CLIENT_IN_FLIGHT_MAX = 1_000;
const GROUP_IN_FLIGHT_MAX = 100_000;
const STALE_MAX = 16;

export class Clients implements SimHop {
  readonly #world: World;
  readonly #exchanges: Exchanges;
  readonly #users: Users;
  readonly #requests: LoadRequests;
  readonly #instance: Instance;
  readonly #inputs: ClientInputs;
  /** The row before that of the first client. */
  readonly #base: number = 0;
  readonly #workload: Workload;
  readonly #retry: Retry;
  /** The lane of its timeouts. */
  readonly #timeouts: number = 0;
  readonly #resets: RandomStream;
  readonly #tally: RequestTally | null;
  /** Its position among the groups that are measured; -1 = it is not. */
  readonly #group: number = 0;
  readonly #poolRules: PoolRules;
  /** Where clients connect to, once everybody listens. */
  #targets: readonly Listener[] | null = null;
  #settings: ClientsHop;
  #pool: PoolSettings;
  #inFlight = 0;
  /** What the retry policy decided last, and about whose request (number of the client). */
  #decision: Micros | null = null;
  #retrying = 0;

  constructor(world: World, instance: Instance, hop: ClientsHop, alivePaths: ReadonlySet<string>) {
    this.#world = world;
    this.#exchanges = world.exchanges;
    this.#users = world.users;
    this.#requests = world.requests;
    this.#instance = instance;
    this.#settings = hop;
    this.#pool = poolOf(hop);
    this.#base = world.users.addGroup(instance.index, hop.count);
    this.#group = world.meters?.shape.instances[instance.index]?.group ?? -1;
    this.#tally = world.meters?.groups[this.#group] ?? null;
    this.#inputs = new ClientInputs(world, instance, hop, alivePaths);
    this.#timeouts = world.requestLanes.add(hop.timeout);
    this.#resets = world.random(instance, 'reset-connections');
    world.clients[instance.index] = this;
    this.#poolRules = this.#makePoolRules();
    this.#retry = world.policy(`${hop.name}/retry`, Retry, hop.retry, {
      retryAt: (_client, time) => {
        this.#decision = time;
      },
      giveUp: () => {},
      draw: (bound) => this.#inputs.pause(this.#retrying, bound),
    });
    const issue = (client: number): void => this.#issue(client);
    const think = (client: number): Micros => this.#inputs.think(this.#base + client);
    const { workload } = hop;
    this.#workload =
      workload.kind === 'open'
        ? new OpenArrivals(world, instance, hop, workload, issue)
        : new ClosedUsers(world, instance, hop, workload, issue, think, this.#base);
  }

  get pending(): number {
    return this.#inFlight;
  }

  begin(): void {
    this.#workload.begin();
  }

  /** The pause of one of its clients (a row) is over. */
  happens(client: number): void {
    this.#workload.happens(client - this.#base);
  }

  apply(action: Action): boolean {
    const { name } = this.#settings;
    const { connections, pools } = this.#world;
    if (action.action === 'reset-connections' && action.hop === name) {
      for (const connection of this.#world.place(this.#instance).connecting.all()) {
        if (!connections.has(connection, UP) || this.#resets.unit() >= action.share) continue;
        if (connections.get(connection, CONNECTOR) >= 0) pools.reset(connection);
      }
      return true;
    }
    if (action.action !== 'set') return false;
    if (this.#workload.apply(action)) return true;
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) return false;
    this.#settings = changed;
    this.#pool = poolOf(changed);
    for (let client = 1; client <= changed.count; client++) {
      const pool = this.#users.get(this.#base + client, user.POOL) - 1;
      if (pool >= 0) pools.configure(pool, this.#pool);
    }
    return true;
  }

  // An attempt's fate

  /** It has a connection. */
  handed(attempt: number): void {
    this.#requests.add(this.#requestOf(attempt), of.HANDED);
  }

  notGranted(attempt: number, why: NotGranted): void {
    const failure = why === 'refused' || why === 'timeout' ? why : 'no_connection';
    this.#failed(this.#requestOf(attempt), failure, false);
  }

  answered(attempt: number): void {
    const request = this.#requestOf(attempt);
    this.#world.requestLanes.clear(request);
    this.#requests.put(request, of.ATTEMPT, 0);
    const status = this.#exchanges.get(attempt, at.STATUS);
    if (status >= 429) {
      const reason: RetryReason | null = status === 429 ? '429' : status >= 500 ? '5xx' : null;
      const notBefore = this.#exchanges.get(attempt, at.RETRY_AFTER);
      if (reason !== null && this.#again(request, reason, notBefore)) return;
    }
    this.#done(request, status, 'none');
  }

  broken(attempt: number, isStale: boolean): void {
    this.#failed(this.#requestOf(attempt), 'reset', isStale);
  }

  /** The pause before another attempt is over. */
  tryAgain(request: number): void {
    this.#requests.add(request, of.ATTEMPTS);
    this.#attempt(request);
  }

  /** Its attempt has had no answer in time. */
  tooLate(request: number): void {
    const attempt = this.#requests.get(request, of.ATTEMPT);
    if (attempt !== 0) this.#world.pools.abandon(attempt, CAUSES.requestTimeout, 'timeout');
    this.#failed(request, 'timeout', false);
  }

  #issue(client: number): void {
    const row = this.#base + client;
    const users = this.#users;
    if (users.get(row, user.POOL) === 0) this.#begin(row, client);
    const { engine } = this.#world;
    users.add(row, user.REQUESTS, 1);
    users.add(row, user.IN_FLIGHT, 1);
    this.#inFlight += 1;
    const kind = this.#inputs.kind(row);
    const number = users.get(row, user.REQUESTS);
    const request = this.#requests.take(row, kind, number, engine.now);
    this.#tally?.countSent(engine.now);
    this.#tell(EventKind.requestSent, client, number, engine.now);
    const tooMany = users.get(row, user.IN_FLIGHT) > CLIENT_IN_FLIGHT_MAX;
    if (tooMany || this.#inFlight > GROUP_IN_FLIGHT_MAX) {
      this.#done(request, 0, 'no_connection');
      return;
    }
    this.#retry.firstAttempt(engine.now, client);
    this.#attempt(request);
  }

  #attempt(request: number): void {
    const exchanges = this.#exchanges;
    const row = this.#requests.get(request, of.USER);
    const kind = this.#requests.get(request, of.KIND);
    const again = this.#requests.get(request, of.HANDED) > 0 ? at.AGAIN : 0;
    const attempt = exchanges.take(at.Asker.client, this.#instance.index, 0, kind | again);
    exchanges.put(attempt, at.REQUEST, request + 1);
    exchanges.put(attempt, at.ROOT_GROUP, this.#group + 1);
    this.#requests.put(request, of.ATTEMPT, attempt);
    this.#world.requestLanes.set(this.#timeouts, request);
    const patience = this.#inputs.patience(row - this.#base);
    if (patience > 0) new Patience(this.#world, request, attempt).begin(patience);
    this.#world.pools.acquire(attempt, this.#users.get(row, user.POOL) - 1);
  }

  #failed(request: number, failure: ExchangeFailure, isStale: boolean): void {
    const requests = this.#requests;
    this.#world.requestLanes.clear(request);
    requests.put(request, of.ATTEMPT, 0);
    const mayRetry = (requests.get(request, of.KIND) & at.POST) === 0;
    if (isStale && mayRetry && requests.get(request, of.STALE) < STALE_MAX) {
      requests.add(request, of.STALE);
      this.#attempt(request);
      return;
    }
    const retried = failure === 'timeout' || failure === 'reset' || failure === 'refused';
    if (retried && this.#again(request, failure, 0)) return;
    this.#done(request, 0, failure);
  }

  /** Asks the retry policy; true when the request will be tried again. */
  #again(request: number, reason: RetryReason, notBefore: number): boolean {
    const { engine } = this.#world;
    this.#decision = null;
    this.#retrying = this.#requests.get(request, of.USER) - this.#base;
    const attempts = this.#requests.get(request, of.ATTEMPTS);
    const code = retryReasonCode(reason);
    this.#retry.failed(engine.now, this.#retrying, attempts, code, notBefore);
    if (this.#decision === null) return false;
    engine.push(this.#decision, EventOf.request, request);
    return true;
  }

  #done(request: number, status: number, failure: ExchangeFailure): void {
    const requests = this.#requests;
    const row = requests.get(request, of.USER);
    const client = row - this.#base;
    this.#users.add(row, user.IN_FLIGHT, -1);
    this.#inFlight -= 1;
    const outcome = status > 0 ? status : -exchangeFailureCode(failure);
    const { now } = this.#world.engine;
    if (status > 0) {
      this.#tally?.countAnswer(now, client, status, now - requests.intendedAt(request));
    } else this.#tally?.countFailure(now, -outcome);
    this.#tell(EventKind.requestDone, client, requests.get(request, of.NUMBER), outcome);
    requests.give(request);
    this.#workload.done(client);
  }

  #requestOf(attempt: number): number {
    return this.#exchanges.get(attempt, at.REQUEST) - 1;
  }

  /** A client asks for the first time. */
  #begin(row: number, client: number): void {
    const world = this.#world;
    if (this.#targets === null) {
      const link = world.outgoing(this.#settings);
      this.#targets = link === null ? [] : world.targets(this.#instance, link);
    }
    this.#inputs.begin(row, this.#targets);
    const name = `${this.#instance.hop}/${client}/pool`;
    const pool = world.pools.add(name, this.#pool, this.#poolRules, row);
    this.#users.put(row, user.POOL, pool + 1);
  }

  #makePoolRules(): PoolRules {
    const { listeners } = this.#world.network;
    return {
      place: this.#world.place(this.#instance),
      closesUpstream: false,
      awaitsGreeting: false,
      requestBytes: REQUEST_BYTES,
      idleMax: 0,
      target: (row) => listeners[this.#users.get(row, user.TARGET) - 1] ?? null,
      draw: (row, bound) => this.#inputs.reuse(row - this.#base, bound),
    };
  }

  #tell(kind: number, client: number, request: number, c: number): void {
    const { recorder, engine } = this.#world;
    recorder?.write(engine.now, kind, this.#instance.index, 0, 0, client, request, c);
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
