/**
 * The database: a limited number of connections ("Too many connections", then the socket
 * closes), a limited number of queries at a time, and a limited number of prepared statements
 * over all connections (`max_prepared_stmt_count`). As the embedded one of the live engine.
 */
import type { Instance } from '../../model/run.ts';
import type { Action, DatabaseHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import * as at from '../exchanges.ts';
import { ROW_BYTES } from '../message-size.ts';
import * as of from '../net/connections.ts';
import { Role } from '../net/place.ts';
import { CAUSES } from '../relay/server-connections.ts';
import type { Station } from '../station.ts';
import { stationBook } from '../station-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { PreparedStatements } from './prepared-statements.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class Database implements SimHop {
  readonly #world: World;
  readonly #station: Station;
  readonly #prepared: PreparedStatements;
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
    this.#prepared = new PreparedStatements(world.connections);
    world.databases[instance.index] = this;
    const done = (exchange: number): void => this.#answer(exchange, 200);
    this.#station = world.stations.add(hop, stream, done, book);
    for (const link of world.incoming(hop)) world.listen(instance, link, Role.database);
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

  accepted(connection: number): void {
    if (this.#connected >= this.#settings.connectionsMax) {
      this.#world.network.closeAcceptor(connection, CAUSES.overflow);
      return;
    }
    this.#connected += 1;
    this.#world.connections.set(connection, of.LET_IN);
    this.#world.network.greet(connection);
  }

  asked(connection: number, exchange: number): void {
    this.#world.books.read(connection, exchange);
    const statement = this.#world.exchanges.get(exchange, at.NOTE);
    if (!this.#prepared.has(connection, statement)) {
      if (this.#statements >= this.#settings.preparedStatementsMax) {
        this.#answer(exchange, 500);
        return;
      }
      this.#statements += 1;
      this.#prepared.note(connection, statement);
    }
    if (!this.#station.submit(exchange)) this.#answer(exchange, 500);
  }

  connectorFinished(connection: number): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerFin);
    this.#gone(connection);
  }

  connectorReset(connection: number): void {
    this.#world.network.closeAcceptor(connection, CAUSES.peerRst);
    this.#gone(connection);
  }

  #answer(exchange: number, status: number): void {
    const { exchanges } = this.#world;
    const connection = exchanges.get(exchange, at.SERVED);
    exchanges.put(exchange, at.STATUS, status);
    if (connection === 0) return;
    exchanges.put(exchange, at.SERVED, 0);
    this.#world.books.readOver(connection, status, 'none');
    this.#world.network.answer(connection, exchange, ROW_BYTES, false);
  }

  /** Its socket is gone: what it was let in for, what it had prepared, what it had asked. */
  #gone(connection: number): void {
    const { connections, exchanges } = this.#world;
    if (!connections.has(connection, of.LET_IN)) return;
    connections.unset(connection, of.LET_IN);
    this.#connected -= 1;
    this.#statements -= this.#prepared.forget(connection);
    const served = connections.get(connection, of.SERVED);
    if (served === 0) return;
    exchanges.put(served, at.SERVED, 0);
    this.#world.books.readOver(connection, 0, 'aborted');
  }
}
