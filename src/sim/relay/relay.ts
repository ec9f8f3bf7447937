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
import { Lane } from '../engine/lane.ts';
import type { Asker, Exchange, NotGranted, Reader } from '../exchange.ts';
import { ANSWER_BYTES, REQUEST_BYTES } from '../message-size.ts';
import type { Acceptor, Connection } from '../net/connection.ts';
import { ConnectionPool, type PoolRules } from '../net/connection-pool.ts';
import type { Listener } from '../net/place.ts';
import type { World } from '../world.ts';
import { CAUSES, ServerConnections } from './keep-alive.ts';

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
  /** Sends the exchange on (`forward`) or answers it (`answer`). */
  readonly route: (exchange: Exchange) => void;
  readonly accepted?: (connection: Connection) => void;
  /** A balancer counts what is outstanding. */
  readonly over?: (exchange: Exchange) => void;
}

export class Relay implements Acceptor, Asker, Reader {
  readonly connections: ServerConnections;
  readonly #plan: RelayPlan;
  readonly #world: World;
  readonly #route: (exchange: Exchange) => void;
  readonly #over: ((exchange: Exchange) => void) | null;
  /** The timeout begins anew when the request is on its way. */
  readonly #timesSilence: boolean;
  readonly #timeouts: Lane;
  readonly #pools: ConnectionPool[] = [];
  readonly #poolRules: PoolRules;

  constructor(plan: RelayPlan) {
    this.#plan = plan;
    this.#world = plan.world;
    this.#poolRules = {
      world: plan.world,
      place: plan.world.place(plan.instance),
      closesUpstream: plan.rules.closesUpstream,
      awaitsGreeting: false,
      requestBytes: REQUEST_BYTES,
    };
    this.#route = plan.route;
    this.#over = plan.over ?? null;
    this.#timesSilence = plan.rules.timeoutCovers === 'silence';
    this.connections = new ServerConnections(plan.world, plan.instance, plan.keepAlive);
    this.#timeouts = new Lane(plan.world.engine, plan.rules.responseTimeout);
    for (const link of plan.world.incoming(plan.world.hopOf(plan.instance))) {
      plan.world.listen(plan.instance, link, this);
    }
  }

  /** A pool of connections to one target; by default to any replica of the next hop, drawn. */
  pool(name: string, settings: PoolOptions, target?: () => Listener | null): ConnectionPool {
    const { world, instance } = this.#plan;
    const draw = world.random(instance, `pool/${name}`);
    const pool = new ConnectionPool({
      rules: this.#poolRules,
      name: `${instance.hop}/${instance.replica}/pool/${name}`,
      choices: {
        target: target ?? world.drawn(instance, `target/${name}`),
        draw: (bound) => draw.below(bound),
      },
      settings,
    });
    this.#pools.push(pool);
    return pool;
  }

  // What a hop decides

  forward(exchange: Exchange, pool: ConnectionPool): void {
    exchange.route = pool;
    this.#timeouts.set(exchange);
    this.#acquire(exchange);
  }

  /** Answers without asking anybody. */
  answer(exchange: Exchange, status: number, retryAfter: number): void {
    if (exchange.over) return;
    exchange.status = status;
    exchange.retryAfter = retryAfter;
    this.#end(exchange, 'none');
  }

  // Acceptor

  accepted(connection: Connection): void {
    this.connections.add(connection);
    this.#plan.accepted?.(connection);
  }

  asked(connection: Connection, exchange: Exchange): void {
    if (!connection.reading) return;
    this.connections.begun(connection);
    this.#world.read(connection, exchange);
    exchange.reader = this;
    if (exchange.last) connection.lastCause = CAUSES.maxRequests;
    this.#route(exchange);
  }

  connectorFinished(connection: Connection): void {
    const { served } = connection;
    if (served !== null && this.#plan.rules.onClientFin === 'answer') return;
    this.connections.end(connection, CAUSES.peerFin);
    if (served !== null) this.#clientGone(served, connection);
  }

  connectorReset(connection: Connection): void {
    const { served } = connection;
    this.connections.end(connection, CAUSES.peerRst);
    if (served !== null) this.#clientGone(served, connection);
  }

  /** A fault (hops/host-faults.ts). */
  resetAccepted(connection: Connection): void {
    const { served } = connection;
    this.#world.network.resetAcceptor(connection, CAUSES.localRst);
    this.connections.forget(connection);
    if (served !== null) this.#clientGone(served, connection);
  }

  resetConnecting(): void {
    for (const pool of this.#pools) pool.closeAll(CAUSES.localRst);
  }

  // Asker

  sent(upstream: Exchange): void {
    if (this.#timesSilence) this.#timeouts.set(parentOf(upstream));
  }

  notGranted(upstream: Exchange, why: NotGranted): void {
    const exchange = parentOf(upstream);
    exchange.upstream = null;
    const { connectionAttempts } = this.#plan.rules;
    if (why !== 'full' && exchange.connectionAttempts < connectionAttempts) {
      this.#acquire(exchange);
    } else if (why === 'full') this.answer(exchange, 503, 0);
    else this.answer(exchange, why === 'refused' ? 502 : 504, 0);
  }

  answered(upstream: Exchange): void {
    const exchange = parentOf(upstream);
    exchange.upstream = null;
    if (exchange.over) return;
    exchange.status = upstream.status;
    exchange.retryAfter = upstream.retryAfter;
    this.#end(exchange, 'none');
  }

  broken(upstream: Exchange, stale: boolean): void {
    const exchange = parentOf(upstream);
    exchange.upstream = null;
    if (exchange.over) return;
    if (stale && this.#plan.rules.retriesStale && !exchange.staleRetried && !exchange.kind.post) {
      exchange.staleRetried = true;
      exchange.connectionAttempts = 0;
      this.#acquire(exchange);
      return;
    }
    this.answer(exchange, 502, 0);
  }

  // Reader

  expired(exchange: Exchange): void {
    if (exchange.over) return;
    this.#abandon(exchange, CAUSES.requestTimeout, 'timeout');
    const { responseAttempts } = this.#plan.rules;
    if (!exchange.kind.post && exchange.responseAttempts < responseAttempts) {
      exchange.responseAttempts += 1;
      exchange.connectionAttempts = 0;
      this.#timeouts.set(exchange);
      this.#acquire(exchange);
      return;
    }
    this.answer(exchange, 504, 0);
  }

  #acquire(exchange: Exchange): void {
    exchange.connectionAttempts += 1;
    const upstream = this.#world.exchanges.take(this, exchange, exchange.kind);
    exchange.upstream = upstream;
    exchange.route?.acquire(upstream);
  }

  /** Nobody waits for the answer any more. */
  #clientGone(exchange: Exchange, connection: Connection): void {
    if (exchange.over) return;
    exchange.over = true;
    this.#timeouts.clear(exchange);
    this.#abandon(exchange, CAUSES.clientAbort, 'aborted');
    exchange.served = null;
    this.#over?.(exchange);
    this.#world.readOver(connection, 0, 'aborted');
  }

  #abandon(exchange: Exchange, cause: number, failure: ExchangeFailure): void {
    const { upstream } = exchange;
    exchange.upstream = null;
    if (upstream !== null) upstream.pool?.abandon(upstream, cause, failure);
  }

  #end(exchange: Exchange, failure: ExchangeFailure): void {
    if (exchange.over) return;
    exchange.over = true;
    this.#timeouts.clear(exchange);
    this.#over?.(exchange);
    const connection = exchange.served;
    if (connection === null) return;
    exchange.served = null;
    this.#world.readOver(connection, exchange.status, failure);
    this.connections.answer(connection, exchange, ANSWER_BYTES);
  }
}

function parentOf(upstream: Exchange): Exchange {
  const { parent } = upstream;
  if (parent === null) throw new Error('a relay sends nothing of its own');
  return parent;
}
