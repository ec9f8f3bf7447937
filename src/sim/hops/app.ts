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
import type { Exchanges } from '../exchanges.ts';
import * as at from '../exchanges.ts';
import { ANSWER_BYTES, QUERY_BYTES } from '../message-size.ts';
import type { Connections } from '../net/connections.ts';
import * as of from '../net/connections.ts';
import { Role } from '../net/place.ts';
import { CAUSES, keptFor } from '../relay/server-connections.ts';
import type { Station } from '../station.ts';
import { stationBook } from '../station-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { FIRST_SELECT, INSERT } from './prepared-statements.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

const NONE = -1;

export class App implements SimHop {
  readonly #world: World;
  readonly #number: number = 0;
  readonly #connections: Connections;
  readonly #exchanges: Exchanges;
  readonly #station: Station;
  /** Of its connections to the database; -1 = it has none. */
  readonly #pool: number = NONE;
  readonly #bursts: RandomStream;
  readonly #statements: RandomStream;
  readonly #faults: HostFaults;
  #settings: AppHop;

  constructor(world: World, instance: Instance, hop: AppHop) {
    this.#world = world;
    this.#settings = hop;
    this.#number = instance.index;
    this.#connections = world.connections;
    this.#exchanges = world.exchanges;
    world.served.serve(instance, keptFor(hop.keepAliveTimeout));
    world.apps[instance.index] = this;
    const stream = world.random(instance, 'service');
    this.#bursts = world.random(instance, 'slow-requests');
    this.#statements = world.random(instance, 'statements');
    const book = stationBook(world, instance);
    const done = (exchange: number): void => this.#worked(exchange);
    this.#station = world.stations.add(hop, stream, done, book);
    for (const link of world.incoming(hop)) world.listen(instance, link, Role.app);
    const database = world.outgoing(hop) !== null;
    this.#pool = database ? this.#makePool(instance) : NONE;
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => {
        world.network.resetAcceptor(connection, CAUSES.localRst);
        this.#gone(connection);
      },
      resetConnecting: () => {
        if (this.#pool !== NONE) world.pools.closeAll(this.#pool, CAUSES.localRst);
      },
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
    if (this.#pool !== NONE) this.#world.pools.configure(this.#pool, poolOptions(changed.pool));
    this.#world.served.configure(this.#number, keptFor(changed.keepAliveTimeout));
    return true;
  }

  // Acceptor

  accepted(connection: number): void {
    this.#world.served.add(this.#number, connection);
  }

  asked(connection: number, exchange: number): void {
    if (!this.#connections.has(connection, of.READING)) return;
    this.#world.served.begun(this.#number, connection);
    this.#world.books.read(connection, exchange);
    const exchanges = this.#exchanges;
    if (exchanges.has(exchange, at.LAST)) {
      this.#connections.put(connection, of.LAST_CAUSE, CAUSES.maxRequests);
    }
    if (exchanges.has(exchange, at.ALIVE)) this.#answer(exchange, 200);
    else if (!exchanges.has(exchange, at.ITEM)) this.#answer(exchange, 404);
    else {
      exchanges.put(exchange, at.NOTE, this.#settings.queriesPerRequest);
      if (exchanges.has(exchange, at.POST)) exchanges.set(exchange, at.INSERT);
      if (!this.#station.submit(exchange)) this.#answer(exchange, 503);
    }
  }

  connectorFinished(connection: number): void {
    // Our own framing answers a client that sends FIN behind its request still; node:http closes
    // at once (`httpAllowHalfOpen` is off), and the work for the request goes on for nobody.
    const isServed = this.#connections.get(connection, of.SERVED) !== 0;
    if (isServed && this.#settings.implementation === 'builtin') return;
    this.#world.network.closeAcceptor(connection, CAUSES.peerFin);
    this.#gone(connection);
  }

  connectorReset(connection: number): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerRst);
    this.#gone(connection);
  }

  // Asker: queries

  /** No connection for a query. */
  notGranted(query: number): void {
    this.#answer(this.#exchanges.get(query, at.PARENT), 503);
  }

  answered(query: number): void {
    const exchange = this.#exchanges.get(query, at.PARENT);
    if (this.#exchanges.get(query, at.STATUS) !== 200) this.#answer(exchange, 500);
    else this.#worked(exchange);
  }

  broken(query: number): void {
    this.#answer(this.#exchanges.get(query, at.PARENT), 503);
  }

  #worked(exchange: number): void {
    const left = this.#exchanges.get(exchange, at.NOTE);
    if (this.#pool !== NONE && left > 0) this.#query(exchange, left);
    else this.#answer(exchange, this.#exchanges.has(exchange, at.POST) ? 201 : 200);
  }

  #query(exchange: number, left: number): void {
    const exchanges = this.#exchanges;
    exchanges.put(exchange, at.NOTE, left - 1);
    const kind = exchanges.get(exchange, at.FLAGS) & at.KIND;
    const query = exchanges.take(at.Asker.app, this.#number, exchange, kind);
    // The first statement for a POST inserts, those after it select.
    const inserts = exchanges.has(exchange, at.INSERT);
    exchanges.put(query, at.NOTE, inserts ? INSERT : this.#select());
    exchanges.unset(exchange, at.INSERT);
    this.#world.pools.acquire(query, this.#pool);
  }

  #select(): number {
    const { statements } = this.#settings;
    return FIRST_SELECT + (statements === 1 ? 0 : this.#statements.below(statements));
  }

  #answer(exchange: number, status: number): void {
    const connection = this.#exchanges.get(exchange, at.SERVED);
    this.#exchanges.put(exchange, at.STATUS, status);
    if (connection === 0) return;
    this.#exchanges.put(exchange, at.SERVED, 0);
    this.#world.books.readOver(connection, status, 'none');
    this.#world.served.answer(this.#number, connection, exchange, ANSWER_BYTES);
  }

  #gone(connection: number): void {
    this.#world.served.forget(this.#number, connection);
    const served = this.#connections.get(connection, of.SERVED);
    if (served === 0) return;
    this.#exchanges.put(served, at.SERVED, 0);
    this.#world.books.readOver(connection, 0, 'aborted');
  }

  #makePool(instance: Instance): number {
    const world = this.#world;
    const name = `${instance.hop}/${instance.replica}/database-pool`;
    const rules = {
      place: world.place(instance),
      closesUpstream: false,
      awaitsGreeting: true,
      requestBytes: QUERY_BYTES,
      idleMax: 0,
      target: world.drawn(instance, 'database'),
      draw: () => 0,
    };
    return world.pools.add(name, poolOptions(this.#settings.pool), rules, 0);
  }
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
