/**
 * The database: a limited number of connections ("Too many connections", then the socket
 * closes), a limited number of queries at a time, and a limited number of prepared statements
 * over all connections (`max_prepared_stmt_count`). As the embedded one of the live engine.
 */
import type { Instance } from '../../model/run.ts';
import type { Action, DatabaseHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Exchange } from '../exchange.ts';
import { ROW_BYTES } from '../message-size.ts';
import type { Acceptor, Connection } from '../net/connection.ts';
import { CAUSES } from '../relay/keep-alive.ts';
import { Station } from '../station.ts';
import { stationBook } from '../station-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { forgetPrepared, isPrepared, notePrepared } from './prepared-statements.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class Database implements SimHop, Acceptor {
  readonly #world: World;
  readonly #station: Station<Exchange>;
  readonly #bursts: RandomStream;
  readonly #faults: HostFaults;
  #settings: DatabaseHop;
  /** Connections that were let in and are open. */
  #connected = 0;
  #statements = 0;

  constructor(world: World, instance: Instance, hop: DatabaseHop) {
    this.#world = world;
    this.#settings = hop;
    const stream = world.random(instance, 'service');
    this.#bursts = world.random(instance, 'slow-requests');
    const book = stationBook(world, instance);
    const done = (exchange: Exchange): void => this.#served(exchange);
    this.#station = new Station(world.engine, hop, stream, done, book);
    for (const link of world.incoming(hop)) world.listen(instance, link, this);
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => {
        world.network.resetAcceptor(connection, CAUSES.localRst);
        this.#gone(connection);
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
    return true;
  }

  // Acceptor

  accepted(connection: Connection): void {
    if (this.#connected >= this.#settings.connectionsMax) {
      this.#world.network.closeAcceptor(connection, CAUSES.overflow);
      return;
    }
    this.#connected += 1;
    connection.serverNumber = 0;
    this.#world.network.greet(connection);
  }

  asked(connection: Connection, exchange: Exchange): void {
    this.#world.read(connection, exchange);
    if (!isPrepared(connection, exchange.statement)) {
      if (this.#statements >= this.#settings.preparedStatementsMax) {
        this.#answer(exchange, 500);
        return;
      }
      this.#statements += 1;
      notePrepared(connection, exchange.statement);
    }
    if (!this.#station.submit(exchange)) this.#answer(exchange, 500);
  }

  connectorFinished(connection: Connection): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerFin);
    this.#gone(connection);
  }

  connectorReset(connection: Connection): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerRst);
    this.#gone(connection);
  }

  #served(exchange: Exchange): void {
    this.#answer(exchange, 200);
  }

  #answer(exchange: Exchange, status: number): void {
    const connection = exchange.served;
    exchange.status = status;
    if (connection === null) return;
    exchange.served = null;
    this.#world.readOver(connection, status, 'none');
    this.#world.network.answer(connection, exchange, ROW_BYTES, false);
  }

  /** Its socket is gone: what it was let in for, what it had prepared, what it had asked. */
  #gone(connection: Connection): void {
    if (connection.serverNumber < 0) return;
    connection.serverNumber = -1;
    this.#connected -= 1;
    this.#statements -= forgetPrepared(connection);
    const { served } = connection;
    if (served === null) return;
    served.served = null;
    this.#world.readOver(connection, 0, 'aborted');
  }
}
