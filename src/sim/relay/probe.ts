/** One health check: connect, ask, and the status within the timeout (200-399 is healthy). */
import type { ExchangeFailure } from '../../model/event.ts';
import type { Micros } from '../../model/units.ts';
import type { Actor } from '../engine/engine.ts';
import * as at from '../exchanges.ts';
import { REQUEST_BYTES } from '../message-size.ts';
import * as of from '../net/connections.ts';
import type { Listener, Place } from '../net/place.ts';
import type { World } from '../world.ts';
import { CAUSES } from './server-connections.ts';

export class Probe implements Actor {
  readonly #world: World;
  readonly #place: Place;
  readonly #timeout: Micros;
  readonly #done: (ok: boolean) => void;
  #connection = 0;
  #settled = false;

  constructor(world: World, place: Place, timeout: Micros, done: (ok: boolean) => void) {
    this.#world = world;
    this.#place = place;
    this.#timeout = timeout;
    this.#done = done;
  }

  begin(listener: Listener): void {
    const { network, engine, connections, probes } = this.#world;
    engine.at(engine.now + this.#timeout, this, 0);
    this.#connection = connections.take();
    probes.set(this.#connection, this);
    network.connect(this.#connection, of.PROBE, this.#place, listener);
    network.begin(this.#connection);
  }

  /** The timeout. */
  fire(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#giveUp('timeout', CAUSES.requestTimeout);
    this.#done(false);
  }

  connected(connection: number): void {
    const { exchanges } = this.#world;
    const exchange = exchanges.take(at.Asker.nobody, 0, 0, at.ALIVE | at.LAST);
    this.#world.books.sent(connection, exchange);
    this.#world.network.ask(connection, exchange, REQUEST_BYTES);
  }

  connectFailed(): void {
    this.#settle(false);
  }

  answered(connection: number, exchange: number): void {
    const status = this.#world.exchanges.get(exchange, at.STATUS);
    this.#world.books.sentOver(connection, status, 'none');
    this.#world.network.closeConnector(connection, CAUSES.peerFin);
    this.#settle(status >= 200 && status < 400);
  }

  acceptorFinished(): void {
    this.#broken(CAUSES.peerFin);
  }

  acceptorReset(): void {
    this.#broken(CAUSES.peerRst);
  }

  #broken(cause: number): void {
    this.#giveUp('reset', cause);
    this.#settle(false);
  }

  #giveUp(failure: ExchangeFailure, cause: number): void {
    const { connections, network } = this.#world;
    const connection = this.#connection;
    if (connections.get(connection, of.EXCHANGE) !== 0) {
      this.#world.books.sentOver(connection, 0, failure);
    }
    network.closeConnector(connection, cause);
  }

  #settle(ok: boolean): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(ok);
  }
}
