/** One health check: connect, ask, and the status within the timeout (200-399 is healthy). */
import type { Micros } from '../../model/units.ts';
import type { Actor } from '../engine/event-queue.ts';
import { ALIVE_CHECK, type Asker, type Exchange } from '../exchange.ts';
import { REQUEST_BYTES } from '../message-size.ts';
import type { Connection, Connector } from '../net/connection.ts';
import type { Listener, Place } from '../net/place.ts';
import type { World } from '../world.ts';
import { CAUSES } from './keep-alive.ts';

const NOBODY: Asker = { sent() {}, notGranted() {}, answered() {}, broken() {} };

export class Probe implements Connector, Actor {
  readonly #world: World;
  readonly #place: Place;
  readonly #timeout: Micros;
  readonly #done: (ok: boolean) => void;
  #connection: Connection | null = null;
  #settled = false;

  constructor(world: World, place: Place, timeout: Micros, done: (ok: boolean) => void) {
    this.#world = world;
    this.#place = place;
    this.#timeout = timeout;
    this.#done = done;
  }

  begin(listener: Listener): void {
    const { network, engine } = this.#world;
    engine.at(engine.now + this.#timeout, this, 0);
    this.#connection = network.connect(this, this.#place, listener, 0);
    network.begin(this.#connection);
  }

  /** The timeout. */
  fire(): void {
    const connection = this.#connection;
    if (this.#settled || connection === null) return;
    this.#settled = true;
    if (connection.exchange !== null) this.#world.sentOver(connection, 0, 'timeout');
    this.#world.network.closeConnector(connection, CAUSES.requestTimeout);
    this.#done(false);
  }

  connected(connection: Connection): void {
    const exchange = this.#world.exchanges.take(NOBODY, null, ALIVE_CHECK);
    exchange.last = true;
    this.#world.sent(connection, exchange);
    const there = this.#world.network.ask(connection, exchange, REQUEST_BYTES);
    if (there) connection.acceptor.asked(connection, exchange);
  }

  connectFailed(): void {
    this.#settle(false);
  }

  answered(connection: Connection, exchange: Exchange): void {
    const { status } = exchange;
    this.#world.sentOver(connection, status, 'none');
    this.#world.network.closeConnector(connection, CAUSES.peerFin);
    this.#settle(status >= 200 && status < 400);
  }

  acceptorFinished(connection: Connection): void {
    this.#broken(connection, CAUSES.peerFin);
  }

  acceptorReset(connection: Connection): void {
    this.#broken(connection, CAUSES.peerRst);
  }

  #broken(connection: Connection, cause: number): void {
    if (connection.exchange !== null) this.#world.sentOver(connection, 0, 'reset');
    this.#world.network.closeConnector(connection, cause);
    this.#settle(false);
  }

  #settle(ok: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(ok);
  }
}
