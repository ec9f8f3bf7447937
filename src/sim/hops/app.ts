/**
 * The app: work for a service time, then queries one after the other, each on a connection of the
 * pool (Sequelize's settings), which it gives back after it. A database that refuses, or gives no
 * connection in time, is a 503; a query that fails is a 500. A client that leaves does not stop
 * the work for its request. As the app of the live engine (live/hops/app.ts).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, AppHop } from '../../model/topology.ts';
import type { PoolOptions } from '../../policy/pool.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Asker, Exchange, NotGranted } from '../exchange.ts';
import { ANSWER_BYTES, QUERY_BYTES } from '../message-size.ts';
import type { Acceptor, Connection } from '../net/connection.ts';
import { ConnectionPool } from '../net/connection-pool.ts';
import { CAUSES, keptFor, ServerConnections } from '../relay/keep-alive.ts';
import { Station } from '../station.ts';
import { stationBook } from '../station-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { FIRST_SELECT, INSERT } from './prepared-statements.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class App implements SimHop, Acceptor, Asker {
  readonly #world: World;
  readonly #connections: ServerConnections;
  readonly #station: Station<Exchange>;
  readonly #pool: ConnectionPool | null;
  readonly #bursts: RandomStream;
  readonly #statements: RandomStream;
  readonly #faults: HostFaults;
  #settings: AppHop;

  constructor(world: World, instance: Instance, hop: AppHop) {
    this.#world = world;
    this.#settings = hop;
    this.#connections = new ServerConnections(world, instance, keptFor(hop.keepAliveTimeout));
    const stream = world.random(instance, 'service');
    this.#bursts = world.random(instance, 'slow-requests');
    this.#statements = world.random(instance, 'statements');
    const book = stationBook(world, instance);
    const done = (exchange: Exchange): void => this.#worked(exchange);
    this.#station = new Station(world.engine, hop, stream, done, book);
    for (const link of world.incoming(hop)) world.listen(instance, link, this);
    const database = world.outgoing(hop) !== null;
    this.#pool = database ? this.#makePool(instance) : null;
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => {
        world.network.resetAcceptor(connection, CAUSES.localRst);
        this.#gone(connection);
      },
      resetConnecting: () => this.#pool?.closeAll(CAUSES.localRst),
    });
  }

  apply(action: Action): boolean {
    const { name } = this.#settings;
    if (action.action === 'slow' && action.hop === name) {
      this.#station.slow(action.factor, action.lasts);
      return true;
    }
    if (action.action === 'slow-requests' && action.hop === name) {
      this.#station.burst(action, this.#bursts);
      return true;
    }
    if (action.action === 'stall' && action.hop === name) {
      this.#station.stall(action.lasts);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#station.configure(changed);
    this.#pool?.configure(poolOptions(changed.pool));
    this.#connections.configure(keptFor(changed.keepAliveTimeout));
    return true;
  }

  // Acceptor

  accepted(connection: Connection): void {
    this.#connections.add(connection);
  }

  asked(connection: Connection, exchange: Exchange): void {
    if (!connection.reading) return;
    this.#connections.begun(connection);
    this.#world.read(connection, exchange);
    if (exchange.last) connection.lastCause = CAUSES.maxRequests;
    const { kind } = exchange;
    if (kind.alive) this.#answer(exchange, 200);
    else if (!kind.item) this.#answer(exchange, 404);
    else {
      exchange.left = this.#settings.queriesPerRequest;
      exchange.insert = kind.post;
      if (!this.#station.submit(exchange)) this.#answer(exchange, 503);
    }
  }

  connectorFinished(connection: Connection): void {
    // Our own framing answers a client that sends FIN behind its request still; node:http closes
    // at once (`httpAllowHalfOpen` is off), and the work for the request goes on for nobody.
    if (connection.served !== null && this.#settings.implementation === 'builtin') return;
    this.#world.network.closeAcceptor(connection, CAUSES.peerFin);
    this.#gone(connection);
  }

  connectorReset(connection: Connection): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerRst);
    this.#gone(connection);
  }

  // Asker: queries

  sent(): void {}

  notGranted(query: Exchange, _why: NotGranted): void {
    this.#answer(requestOf(query), 503);
  }

  answered(query: Exchange): void {
    const exchange = requestOf(query);
    if (query.status !== 200) this.#answer(exchange, 500);
    else if (exchange.left > 0) this.#query(exchange);
    else this.#answer(exchange, exchange.kind.post ? 201 : 200);
  }

  broken(query: Exchange): void {
    this.#answer(requestOf(query), 503);
  }

  #worked(exchange: Exchange): void {
    if (this.#pool === null || exchange.left === 0) {
      this.#answer(exchange, exchange.kind.post ? 201 : 200);
    } else this.#query(exchange);
  }

  #query(exchange: Exchange): void {
    exchange.left -= 1;
    const query = this.#world.exchanges.take(this, exchange, exchange.kind);
    // The first statement for a POST inserts, those after it select.
    query.statement = exchange.insert ? INSERT : this.#select();
    exchange.insert = false;
    this.#pool?.acquire(query);
  }

  #select(): number {
    const { statements } = this.#settings;
    return FIRST_SELECT + (statements === 1 ? 0 : this.#statements.below(statements));
  }

  #answer(exchange: Exchange, status: number): void {
    const connection = exchange.served;
    exchange.status = status;
    if (connection === null) return;
    exchange.served = null;
    this.#world.readOver(connection, status, 'none');
    this.#connections.answer(connection, exchange, ANSWER_BYTES);
  }

  #gone(connection: Connection): void {
    this.#connections.forget(connection);
    const { served } = connection;
    if (served === null) return;
    served.served = null;
    this.#world.readOver(connection, 0, 'aborted');
  }

  #makePool(instance: Instance): ConnectionPool {
    const world = this.#world;
    return new ConnectionPool({
      rules: {
        world,
        place: world.place(instance),
        closesUpstream: false,
        awaitsGreeting: true,
        requestBytes: QUERY_BYTES,
      },
      name: `${instance.hop}/${instance.replica}/database-pool`,
      choices: { target: world.drawn(instance, 'database'), draw: () => 0 },
      settings: poolOptions(this.#settings.pool),
    });
  }
}

function requestOf(query: Exchange): Exchange {
  const { parent } = query;
  if (parent === null) throw new Error('an app queries for requests only');
  return parent;
}

function poolOptions(pool: AppHop['pool']): PoolOptions {
  return {
    connectionsMax: pool.max,
    waitersMax: 0,
    idleTimeout: pool.idle,
    requestsPerConnectionMax: 0,
    reuse: 'lifo',
    minimum: pool.min,
    acquireTimeout: pool.acquire,
    evictEvery: pool.evict,
  };
}
