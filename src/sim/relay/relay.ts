/**
 * What all hops that read HTTP and pass it on have in common: accepted connections with their
 * limits, exchanges with their timeouts and retries. A hop says only where a request goes.
 *
 *   asked ─route─► forward(pool) ──answered──► answer downstream
 *     │                 │ refused, broken, timeout
 *     └─► local answer ◄┴── 502, 503, 504, or once more where the rules allow
 *
 * The rules are those of the live engine's relays (rules.ts there), which name their sources.
 */
import type { ExchangeFailure } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import type { Micros } from '../../model/units.ts';
import type { KeepAliveSettings } from '../../policy/keep-alive.ts';
import type { PoolOptions } from '../../policy/pool.ts';
import type { Exchanges, NotGranted } from '../exchanges.ts';
import * as at from '../exchanges.ts';
import { ANSWER_BYTES, REQUEST_BYTES } from '../message-size.ts';
import type { Connections } from '../net/connections.ts';
import * as of from '../net/connections.ts';
import { type Listener, Role } from '../net/place.ts';
import type { World } from '../world.ts';
import { CAUSES } from './server-connections.ts';

export interface RelayRules {
  /** 0 = none. */
  readonly responseTimeout: Micros;
  /** From the request to the answer, or since the last byte moved. */
  readonly timeoutCovers: 'whole' | 'silence';
  /** Attempts in all to get a connection for a request. */
  readonly connectionAttempts: number;
  /** Attempts in all for a GET whose answer does not come in time. */
  readonly responseAttempts: number;
  /** A GET whose reused connection broke without a byte is sent once more. */
  readonly retriesStale: boolean;
  /** Every request upstream carries `Connection: close`. */
  readonly closesUpstream: boolean;
  /** What a client's FIN behind its request means. */
  readonly onClientFin: 'answer' | 'abort';
}

export interface RelayPlan {
  readonly world: World;
  readonly instance: Instance;
  readonly keepAlive: KeepAliveSettings;
  readonly rules: RelayRules;
  /** Idle connections that each pool keeps; 0 = without limit. */
  readonly idleMax?: number;
  /** Sends the exchange on (`forward`) or answers it (`answer`). */
  readonly route: (exchange: number) => void;
  readonly accepted?: (connection: number) => void;
  /** A balancer counts what is outstanding. */
  readonly over?: (exchange: number) => void;
}

export class Relay {
  readonly #plan: RelayPlan;
  readonly #world: World;
  readonly #exchanges: Exchanges;
  readonly #connections: Connections;
  readonly #number: number = 0;
  readonly #route: (exchange: number) => void;
  readonly #over: ((exchange: number) => void) | null;
  /** The timeout begins anew when the request is on its way. */
  readonly #timesSilence: boolean;
  /** Its lane of timeouts. */
  readonly #timeouts: number = 0;
  readonly #pools: number[] = [];

  constructor(plan: RelayPlan) {
    const { world, instance } = plan;
    this.#plan = plan;
    this.#world = world;
    this.#exchanges = world.exchanges;
    this.#connections = world.connections;
    this.#number = instance.index;
    this.#route = plan.route;
    this.#over = plan.over ?? null;
    this.#timesSilence = plan.rules.timeoutCovers === 'silence';
    this.#timeouts = world.exchangeLanes.add(plan.rules.responseTimeout);
    world.served.serve(instance, plan.keepAlive);
    world.relays[instance.index] = this;
    for (const link of world.incoming(world.hopOf(instance))) {
      world.listen(instance, link, Role.relay);
    }
  }

  /** A pool of connections to one target; by default to any replica of the next hop, drawn. */
  pool(name: string, settings: PoolOptions, target?: () => Listener | null): number {
    const { world, instance, rules, idleMax } = this.#plan;
    const draw = world.random(instance, `pool/${name}`);
    const poolRules = {
      place: world.place(instance),
      closesUpstream: rules.closesUpstream,
      awaitsGreeting: false,
      requestBytes: REQUEST_BYTES,
      idleMax: idleMax ?? 0,
      target: target ?? world.drawn(instance, `target/${name}`),
      draw: (_owner: number, bound: number) => draw.below(bound),
    };
    const whose = `${instance.hop}/${instance.replica}/pool/${name}`;
    const pool = world.pools.add(whose, settings, poolRules, 0);
    this.#pools.push(pool);
    return pool;
  }

  // What a hop decides

  forward(exchange: number, pool: number): void {
    this.#exchanges.put(exchange, at.ROUTE, pool);
    this.#world.exchangeLanes.set(this.#timeouts, exchange);
    this.#acquire(exchange);
  }

  /** Answers without asking anybody. */
  answer(exchange: number, status: number, retryAfter: number): void {
    if (this.#exchanges.has(exchange, at.OVER)) return;
    this.#exchanges.put(exchange, at.STATUS, status);
    this.#exchanges.put(exchange, at.RETRY_AFTER, retryAfter);
    this.#end(exchange, 'none');
  }

  // Acceptor

  accepted(connection: number): void {
    this.#world.served.add(this.#number, connection);
    this.#plan.accepted?.(connection);
  }

  asked(connection: number, exchange: number): void {
    if (!this.#connections.has(connection, of.READING)) return;
    this.#world.served.begun(this.#number, connection);
    this.#world.books.read(connection, exchange);
    this.#exchanges.put(exchange, at.READER, this.#number);
    if (this.#exchanges.has(exchange, at.LAST)) {
      this.#connections.put(connection, of.LAST_CAUSE, CAUSES.maxRequests);
    }
    this.#route(exchange);
  }

  connectorFinished(connection: number): void {
    const served = this.#connections.get(connection, of.SERVED);
    if (served !== 0 && this.#plan.rules.onClientFin === 'answer') return;
    this.#world.served.end(this.#number, connection, CAUSES.peerFin);
    if (served !== 0) this.#clientGone(served, connection);
  }

  connectorReset(connection: number): void {
    const served = this.#connections.get(connection, of.SERVED);
    this.#world.served.end(this.#number, connection, CAUSES.peerRst);
    if (served !== 0) this.#clientGone(served, connection);
  }

  /** A fault (hops/host-faults.ts). */
  resetAccepted(connection: number): void {
    const served = this.#connections.get(connection, of.SERVED);
    this.#world.network.resetAcceptor(connection, CAUSES.localRst);
    this.#world.served.forget(this.#number, connection);
    if (served !== 0) this.#clientGone(served, connection);
  }

  resetConnecting(): void {
    for (const pool of this.#pools) this.#world.pools.closeAll(pool, CAUSES.localRst);
  }

  // Asker

  /** What was sent on has a connection, and is on its way. */
  handed(upstream: number): void {
    if (!this.#timesSilence) return;
    this.#world.exchangeLanes.set(this.#timeouts, this.#exchanges.get(upstream, at.PARENT));
  }

  notGranted(upstream: number, why: NotGranted): void {
    const exchange = this.#exchanges.get(upstream, at.PARENT);
    this.#exchanges.put(exchange, at.UPSTREAM, 0);
    const { connectionAttempts } = this.#plan.rules;
    const attempts = this.#exchanges.get(exchange, at.ATTEMPTS) & 0xffff;
    if (why !== 'full' && attempts < connectionAttempts) this.#acquire(exchange);
    else if (why === 'full') this.answer(exchange, 503, 0);
    else this.answer(exchange, why === 'refused' ? 502 : 504, 0);
  }

  answered(upstream: number): void {
    const exchanges = this.#exchanges;
    const exchange = exchanges.get(upstream, at.PARENT);
    exchanges.put(exchange, at.UPSTREAM, 0);
    if (exchanges.has(exchange, at.OVER)) return;
    exchanges.put(exchange, at.STATUS, exchanges.get(upstream, at.STATUS));
    exchanges.put(exchange, at.RETRY_AFTER, exchanges.get(upstream, at.RETRY_AFTER));
    this.#end(exchange, 'none');
  }

  broken(upstream: number, isStale: boolean): void {
    const exchanges = this.#exchanges;
    const exchange = exchanges.get(upstream, at.PARENT);
    exchanges.put(exchange, at.UPSTREAM, 0);
    if (exchanges.has(exchange, at.OVER)) return;
    const mayRetry = !exchanges.has(exchange, at.STALE_RETRIED | at.POST);
    if (isStale && this.#plan.rules.retriesStale && mayRetry) {
      exchanges.set(exchange, at.STALE_RETRIED);
      this.#countAnew(exchange);
      this.#acquire(exchange);
      return;
    }
    this.answer(exchange, 502, 0);
  }

  // Reader

  expired(exchange: number): void {
    const exchanges = this.#exchanges;
    if (exchanges.has(exchange, at.OVER)) return;
    this.#abandon(exchange, CAUSES.requestTimeout, 'timeout');
    const { responseAttempts } = this.#plan.rules;
    const attempts = exchanges.get(exchange, at.ATTEMPTS) >> 16;
    if (!exchanges.has(exchange, at.POST) && attempts < responseAttempts) {
      exchanges.put(exchange, at.ATTEMPTS, (attempts + 1) << 16);
      this.#world.exchangeLanes.set(this.#timeouts, exchange);
      this.#acquire(exchange);
      return;
    }
    this.answer(exchange, 504, 0);
  }

  #acquire(exchange: number): void {
    const exchanges = this.#exchanges;
    exchanges.put(exchange, at.ATTEMPTS, exchanges.get(exchange, at.ATTEMPTS) + 1);
    const kind = exchanges.get(exchange, at.FLAGS) & at.KIND;
    const upstream = exchanges.take(at.Asker.relay, this.#number, exchange, kind);
    exchanges.put(exchange, at.UPSTREAM, upstream);
    this.#world.pools.acquire(upstream, exchanges.get(exchange, at.ROUTE));
  }

  /** Attempts to get a connection are counted from 0 again. */
  #countAnew(exchange: number): void {
    const attempts = this.#exchanges.get(exchange, at.ATTEMPTS);
    this.#exchanges.put(exchange, at.ATTEMPTS, attempts & ~0xffff);
  }

  /** Nobody waits for the answer any more. */
  #clientGone(exchange: number, connection: number): void {
    const exchanges = this.#exchanges;
    if (exchanges.has(exchange, at.OVER)) return;
    exchanges.set(exchange, at.OVER);
    this.#world.exchangeLanes.clear(exchange);
    this.#abandon(exchange, CAUSES.clientAbort, 'aborted');
    exchanges.put(exchange, at.SERVED, 0);
    this.#over?.(exchange);
    this.#world.books.readOver(connection, 0, 'aborted');
  }

  #abandon(exchange: number, cause: number, failure: ExchangeFailure): void {
    const upstream = this.#exchanges.get(exchange, at.UPSTREAM);
    this.#exchanges.put(exchange, at.UPSTREAM, 0);
    if (upstream !== 0) this.#world.pools.abandon(upstream, cause, failure);
  }

  #end(exchange: number, failure: ExchangeFailure): void {
    const exchanges = this.#exchanges;
    if (exchanges.has(exchange, at.OVER)) return;
    exchanges.set(exchange, at.OVER);
    this.#world.exchangeLanes.clear(exchange);
    this.#over?.(exchange);
    const connection = exchanges.get(exchange, at.SERVED);
    if (connection === 0) return;
    exchanges.put(exchange, at.SERVED, 0);
    this.#world.books.readOver(connection, exchanges.get(exchange, at.STATUS), failure);
    this.#world.served.answer(this.#number, connection, exchange, ANSWER_BYTES);
  }
}
