/** The books of exchanges: sent and read, answered or not, for whoever measures or is told. */
import {
  EventKind,
  type ExchangeFailure,
  exchangeFailureCode,
  PARENT_CLIENT,
  PARENT_NONE,
  PARENT_SAME_HOP,
} from '../model/event.ts';
import { Rows } from '../policy/rows.ts';
import type { Exchanges } from './exchanges.ts';
import * as at from './exchanges.ts';
import * as request from './load/load-requests.ts';
import type { Connections } from './net/connections.ts';
import * as of from './net/connections.ts';
import type { Recorder } from './recorder.ts';
import type { World } from './world.ts';

export class Books {
  readonly #world: World;
  readonly #connections: Connections;
  readonly #exchanges: Exchanges;
  readonly #recorder: Recorder | null;
  /** By exchange: end and ordinal by which the events know it where it was read. */
  readonly #marks = new Rows(2);

  constructor(world: World) {
    this.#world = world;
    this.#connections = world.connections;
    this.#exchanges = world.exchanges;
    this.#recorder = world.recorder;
  }

  /** A request is handed to its connection. */
  sent(connection: number, exchange: number): void {
    const { ints } = this.#connections;
    const row = connection << of.ROW;
    ints[row | of.ORDINAL] = (ints[row | of.ORDINAL] ?? 0) + 1;
    ints[row | of.EXCHANGE] = exchange;
    this.#exchanges.put(exchange, at.CONNECTION, connection);
    const { meters } = this.#world;
    if (meters !== null) {
      meters.sent(exchange);
      const number = this.#exchanges.get(exchange, at.REQUEST) - 1;
      if (number >= 0) meters.sentByClient(connection, exchange, this.#world.clientNumber(number));
    }
    if (this.#recorder !== null) this.#tellSent(connection, exchange);
  }

  /** The sending hop is done with it. */
  sentOver(connection: number, status: number, failure: ExchangeFailure): void {
    const exchange = this.#connections.get(connection, of.EXCHANGE);
    this.#connections.put(connection, of.EXCHANGE, 0);
    if (exchange !== 0) this.#world.meters?.sentOver(exchange);
    if (this.#recorder === null) return;
    const place = this.#connections.get(connection, of.PLACE);
    const end = this.#connections.get(connection, of.CONNECTOR_END);
    const ordinal = this.#connections.get(connection, of.ORDINAL);
    this.#tellEnded(place, end, ordinal, status, failure);
  }

  /** A request has been read. */
  read(connection: number, exchange: number): void {
    const { ints } = this.#connections;
    const row = connection << of.ROW;
    ints[row | of.SERVED_ORDINAL] = (ints[row | of.SERVED_ORDINAL] ?? 0) + 1;
    ints[row | of.SERVED] = exchange;
    this.#exchanges.put(exchange, at.SERVED, connection);
    this.#exchanges.set(exchange, at.READ);
    this.#world.meters?.read(connection, exchange);
    if (this.#recorder === null) return;
    const end = ints[row | of.ACCEPTOR_END] ?? 0;
    const ordinal = ints[row | of.SERVED_ORDINAL] ?? 0;
    this.#marks.room(exchange);
    this.#marks.ints[exchange << 1] = end;
    this.#marks.ints[(exchange << 1) | 1] = ordinal;
    const { instance } = this.#world.network.listenerOf(connection);
    const kind = EventKind.exchangeStarted;
    this.#recorder.write(this.#world.engine.now, kind, instance, end, ordinal, 0, 0, 0);
  }

  /** The reading hop is done with it. */
  readOver(connection: number, status: number, failure: ExchangeFailure): void {
    this.#connections.put(connection, of.SERVED, 0);
    if (this.#recorder === null) return;
    const { instance } = this.#world.network.listenerOf(connection);
    const end = this.#connections.get(connection, of.ACCEPTOR_END);
    const ordinal = this.#connections.get(connection, of.SERVED_ORDINAL);
    this.#tellEnded(instance, end, ordinal, status, failure);
  }

  #tellSent(connection: number, exchange: number): void {
    const parent = this.#exchanges.get(exchange, at.PARENT);
    const number = this.#exchanges.get(exchange, at.REQUEST) - 1;
    let a = 0;
    let b = 0;
    let c: number = PARENT_NONE;
    if (parent !== 0) {
      c = PARENT_SAME_HOP;
      a = this.#marks.ints[parent << 1] ?? 0;
      b = this.#marks.ints[(parent << 1) | 1] ?? 0;
    } else if (number >= 0) {
      c = PARENT_CLIENT;
      a = this.#world.clientNumber(number);
      b = this.#world.requests.get(number, request.NUMBER);
    }
    const place = this.#connections.get(connection, of.PLACE);
    const end = this.#connections.get(connection, of.CONNECTOR_END);
    const ordinal = this.#connections.get(connection, of.ORDINAL);
    const { now } = this.#world.engine;
    this.#recorder?.write(now, EventKind.exchangeStarted, place, end, ordinal, a, b, c);
  }

  #tellEnded(
    instance: number,
    end: number,
    ordinal: number,
    status: number,
    failure: ExchangeFailure,
  ): void {
    const code = exchangeFailureCode(failure);
    const kind = EventKind.exchangeEnded;
    const { now } = this.#world.engine;
    this.#recorder?.write(now, kind, instance, end, ordinal, status, code, 0);
  }
}
