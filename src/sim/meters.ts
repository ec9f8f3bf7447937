/**
 * Measures taken by the simulator itself, without events: for a day of hundreds of millions of
 * requests, of which no ledger could be kept. The counts are those of `measure/` (`LinkMeter`,
 * `SlotTally`, `RequestTally`), and a test holds that a run measured both ways gives the same
 * summary, to the last number.
 *
 * What is left to the ledger: rows of single connections and exchanges. How far client
 * connections spread (`multiplication`) is followed for a sample of clients (spread.ts).
 */

import { Books } from '../measure/books.ts';
import { HealthMeter } from '../measure/health-meter.ts';
import { LinkMeter } from '../measure/link-meter.ts';
import { RequestTally } from '../measure/request-tally.ts';
import type { SecondRow } from '../measure/rows.ts';
import { type Series, SeriesTable } from '../measure/series.ts';
import { type RunShape, shapeOf } from '../measure/shape.ts';
import { SlotTally } from '../measure/slot-tally.ts';
import { StationTally } from '../measure/station-tally.ts';
import { type Measured, type MeasuredRun, summaryOfRun } from '../measure/strike.ts';
import type { RunInfo } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { Actor, Engine } from './engine/engine.ts';
import type { Exchanges } from './exchanges.ts';
import * as at from './exchanges.ts';
import type { Connections } from './net/connections.ts';
import * as of from './net/connections.ts';
import type { Listener, Place, SimLink } from './net/place.ts';
import { rootCause } from './root-cause.ts';
import { Spread } from './spread.ts';

/** Steps are closed before anything of the next one, and everything else is at whole µs. */
const BEFORE = 0.5;

export class Meters implements MeasuredRun, Actor {
  readonly info: RunInfo;
  readonly shape: RunShape;
  readonly books: Books;
  readonly links: readonly LinkMeter[];
  readonly queues: readonly SlotTally[];
  readonly groups: readonly RequestTally[];
  readonly stations: readonly StationTally[];
  readonly health: HealthMeter;
  readonly spread: Spread;
  readonly #engine: Engine;
  readonly #connections: Connections;
  readonly #exchanges: Exchanges;
  readonly #table: SeriesTable;
  /** µs that a row of the series stands for. */
  readonly #step: Micros;
  /** By instance; null where requests are not counted for a host. */
  readonly #hosts: readonly (Series | null)[];
  /** By number. */
  readonly #listeners: Listener[] = [];
  readonly #counted: readonly SimLink[];
  readonly #onSecond: (row: SecondRow) => void;

  constructor(
    info: RunInfo,
    engine: Engine,
    connections: Connections,
    exchanges: Exchanges,
    links: readonly SimLink[],
    onSecond: (row: SecondRow) => void,
  ) {
    this.info = info;
    this.#counted = links;
    this.shape = shapeOf(info);
    this.books = new Books(this.shape);
    this.#engine = engine;
    this.#connections = connections;
    this.#exchanges = exchanges;
    this.#onSecond = onSecond;
    this.#table = new SeriesTable(info.loadStart, info.secondsPerRow ?? 1);
    this.#step = this.#table.step * MICROS_PER_SECOND;
    this.#table.indexOf(info.loadStart);
    this.links = this.shape.links.map((link) => new LinkMeter(link, this.#table));
    this.queues = this.shape.queues.map((queue) => new SlotTally(queue, this.shape, this.#table));
    this.groups = this.shape.groups.map((group) => new RequestTally(group, this.#table));
    this.stations = this.shape.stations.map(
      (station) => new StationTally(station, this.shape, this.#table, this.links),
    );
    this.health = new HealthMeter(info, this.#table);
    const hosts = new Map(
      this.shape.hosts.map((host) => [
        host,
        this.#table.column(`host:${host}`, 'requests', 'count'),
      ]),
    );
    this.#hosts = this.shape.instances.map(({ host, countsForHost }) =>
      host !== null && countsForHost ? (hosts.get(host) ?? null) : null,
    );
    this.spread = new Spread(this.links, info.topology.duration);
    engine.at(this.#step - BEFORE, this, 1);
  }

  /** Seconds, or other steps of the series, are over. */
  fire(steps: number): void {
    this.#closeStep(steps - 1, steps * this.#step);
    this.#engine.at((steps + 1) * this.#step - BEFORE, this, steps + 1);
  }

  /** The series as they grow. */
  get table(): SeriesTable {
    return this.#table;
  }

  /** The series so far. */
  rows(): Iterable<SecondRow> {
    return this.#table.rows();
  }

  // Connections

  opened(connection: number): void {
    const link = this.#linkOf(connection);
    link.connectionOpened(this.#engine.now);
    link.openChanged(1);
    this.#connections.putTime(connection, of.OPENED_AT, this.#engine.now);
  }

  /** Both of its sockets are gone. */
  closed(connection: number): void {
    const connections = this.#connections;
    const link = this.#linkOf(connection);
    link.openChanged(-1);
    const openedAt = connections.getTime(connection, of.OPENED_AT);
    link.connectionClosed(openedAt, this.#engine.now, rootCause(connections, connection));
    if (connections.has(connection, of.FOLLOWED)) this.spread.over(connection);
  }

  connectFailed(connection: number): void {
    this.#linkOf(connection).connectFailed(this.#engine.now);
  }

  // Exchanges

  /** A hop hands a request to its connection: whose is it? */
  sent(exchange: number): void {
    const exchanges = this.#exchanges;
    exchanges.putTime(exchange, at.SENT_AT, this.#engine.now);
    const parent = exchanges.get(exchange, at.PARENT);
    if (parent === 0) return;
    exchanges.put(exchange, at.ROOT_GROUP, exchanges.get(parent, at.ROOT_GROUP));
    exchanges.put(exchange, at.ROOT_CLIENT, exchanges.get(parent, at.ROOT_CLIENT));
    const carriers = exchanges.get(parent, at.CARRIERS);
    // What is done after the client connection has gone is nobody's, as in the ledger.
    if (carriers !== 0) exchanges.put(exchange, at.CARRIERS, this.spread.exchangeBegins(carriers));
  }

  /** A client does. */
  sentByClient(connection: number, exchange: number, client: number): void {
    const exchanges = this.#exchanges;
    const tally = this.groups[exchanges.get(exchange, at.ROOT_GROUP) - 1];
    if (tally === undefined) return;
    exchanges.put(exchange, at.ROOT_CLIENT, client);
    tally.countAttempt(this.#engine.now, exchanges.has(exchange, at.AGAIN));
    const carriers = this.spread.sent(connection, client, tally.shape.count);
    if (carriers === 0) return;
    this.#connections.set(connection, of.FOLLOWED);
    exchanges.put(exchange, at.CARRIERS, this.spread.exchangeBegins(carriers));
  }

  /** The hop that sent it is done with it. */
  sentOver(exchange: number): void {
    const exchanges = this.#exchanges;
    if (!exchanges.has(exchange, at.READ)) {
      exchanges.putTime(exchange, at.DONE_AT, this.#engine.now);
      exchanges.set(exchange, at.GIVEN_UP);
      this.#unread(exchange);
    }
    const carriers = exchanges.get(exchange, at.CARRIERS);
    if (carriers !== 0) this.spread.exchangeOver(carriers);
  }

  /** A request whose client connection is followed goes out on a connection. */
  carried(connection: number, exchange: number): void {
    const connections = this.#connections;
    connections.set(connection, of.FOLLOWED);
    const isFirst = connections.get(connection, of.ORDINAL) === 1;
    this.spread.carried(
      this.#exchanges.get(exchange, at.CARRIERS),
      connection,
      connections.get(connection, of.CONNECTOR_END),
      this.#listenerOf(connection).link.index,
      isFirst && this.#exchanges.has(exchange, at.LAST),
    );
  }

  /** A request was read by a hop that frames requests. */
  read(connection: number, exchange: number): void {
    const { now } = this.#engine;
    const exchanges = this.#exchanges;
    this.#listenerOf(connection).reads += 1;
    const waited = now - exchanges.getTime(exchange, at.SENT_AT);
    if (waited > this.shape.starvedAfter) this.#unread(exchange);
    if (!exchanges.has(exchange, at.GIVEN_UP)) return;
    if (exchanges.getTime(exchange, at.DONE_AT) < now) this.#zombie(connection);
  }

  /** Somebody listens whose requests may count for a host. */
  listens(listener: Listener): void {
    this.#listeners[listener.number] = listener;
  }

  #listenerOf(connection: number): Listener {
    return this.#listeners[this.#connections.get(connection, of.LISTENER)] as Listener;
  }

  #linkOf(connection: number): LinkMeter {
    return this.links[this.#listenerOf(connection).link.index] as LinkMeter;
  }

  /** Its client had given it up before it was read: on every queue of its way that is told. */
  #zombie(connection: number): void {
    const connections = this.#connections;
    let one = connections.get(connection, of.BELOW);
    for (; one !== 0; one = connections.get(one, of.BELOW)) {
      const queue = this.shape.instances[this.#listenerOf(one).instance]?.queue ?? -1;
      const tally = this.queues[queue];
      if (tally !== undefined) tally.zombieExchanges += 1;
    }
  }

  #unread(exchange: number): void {
    const exchanges = this.#exchanges;
    const group = exchanges.get(exchange, at.ROOT_GROUP) - 1;
    const waited = this.#engine.now - exchanges.getTime(exchange, at.SENT_AT);
    if (group < 0 || waited <= this.shape.starvedAfter) return;
    this.groups[group]?.starve(exchanges.get(exchange, at.ROOT_CLIENT));
  }

  // The end

  /** Strikes the books from the sockets that are there; gives out the seconds. */
  finish(places: readonly Place[], pendingByGroup: readonly number[]): Measured {
    const { now } = this.#engine;
    this.shape.to = now;
    this.#closeStep(Math.floor(now / this.#step), now);
    this.#strikeConnections(places);
    this.groups.forEach((group, index) => {
      const pending = pendingByGroup[index] ?? 0;
      if (group.pending === pending) return;
      const text = 'Requests sent are not those answered, failed and pending';
      const example = `${group.shape.hop}: ${group.pending} by counting, ${pending} there`;
      this.books.report('requests-do-not-balance', 'wrong', null, text, example);
    });
    this.spread.finish();
    for (const row of this.#table.rows()) this.#onSecond(row);
    return summaryOfRun(this, now);
  }

  #strikeConnections(places: readonly Place[]): void {
    const connections = this.#connections;
    const live = new Set<number>();
    for (const place of places) {
      for (const connection of place.connecting.all()) {
        if (connections.has(connection, of.UP)) live.add(connection);
      }
      for (const connection of place.accepted.all()) live.add(connection);
    }
    for (const connection of live) {
      this.#linkOf(connection).open += 1;
      const exchange = connections.get(connection, of.EXCHANGE);
      if (exchange !== 0 && !this.#exchanges.has(exchange, at.READ)) this.#unread(exchange);
    }
    for (const link of this.links) {
      if (link.opened === link.closed + link.open) continue;
      const text = 'Connections opened are not those closed and open';
      const { name } = link.shape;
      const example = `${link.opened} opened, ${link.closed} closed, ${link.open} open`;
      this.books.report('connections-do-not-balance', 'wrong', name, text, example);
    }
  }

  #closeStep(step: number, until: Micros): void {
    const index = this.#table.indexOf(step * this.#step);
    this.#closeCounts(index);
    for (const link of this.links) link.endOfSecond(index);
    for (const queue of this.queues) queue.endOfSecond(index, until);
    for (const group of this.groups) group.endOfSecond(index);
    for (const station of this.stations) station.endOfSecond(index, until);
    this.health.read(index);
  }

  /** What was counted where it happened goes into the series. */
  #closeCounts(index: number): void {
    for (const link of this.#counted) {
      this.links[link.index]?.exchangesIn(index, link.exchanges);
      link.exchanges = 0;
    }
    for (const listener of this.#listeners) {
      const { place, link, reads } = listener;
      listener.reads = 0;
      if (reads === 0 || this.shape.links[link.index]?.alive !== false) continue;
      this.#hosts[place.instance]?.add(index, reads);
    }
  }
}
