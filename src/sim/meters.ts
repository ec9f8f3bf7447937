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
import { SlotState } from '../model/event.ts';
import type { RunInfo } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { Engine } from './engine/engine.ts';
import type { Actor } from './engine/event-queue.ts';
import type { Exchange } from './exchange.ts';
import type { Connection } from './net/connection.ts';
import type { Listener, Place, SimLink } from './net/place.ts';
import { rootCause } from './root-cause.ts';
import type { SlotBook } from './slot-book.ts';
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
  readonly #table: SeriesTable;
  /** µs that a row of the series stands for. */
  readonly #step: Micros;
  /** By instance; null where requests are not counted for a host. */
  readonly #hosts: readonly (Series | null)[];
  readonly #listeners: Listener[] = [];
  readonly #counted: readonly SimLink[];
  readonly #onSecond: (row: SecondRow) => void;

  constructor(
    info: RunInfo,
    engine: Engine,
    links: readonly SimLink[],
    onSecond: (row: SecondRow) => void,
  ) {
    this.info = info;
    this.#counted = links;
    this.shape = shapeOf(info);
    this.books = new Books(this.shape);
    this.#engine = engine;
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

  opened(connection: Connection): void {
    const link = this.links[connection.link.index];
    if (link === undefined) return;
    link.connectionOpened(this.#engine.now);
    link.openChanged(1);
    connection.openedAt = this.#engine.now;
  }

  /** Both of its sockets are gone. */
  closed(connection: Connection): void {
    const link = this.links[connection.link.index];
    if (link === undefined) return;
    link.openChanged(-1);
    link.connectionClosed(connection.openedAt, this.#engine.now, rootCause(connection));
    if (connection.spread !== null) this.spread.over(connection);
  }

  connectFailed(connection: Connection): void {
    this.links[connection.link.index]?.connectFailed(this.#engine.now);
  }

  // Exchanges

  /** A hop hands a request to its connection: whose is it? */
  sent(connection: Connection, exchange: Exchange): void {
    exchange.sentAt = this.#engine.now;
    const { parent } = exchange;
    if (parent === null) {
      if (exchange.client > 0) this.#sentByClient(connection, exchange);
      return;
    }
    exchange.rootGroup = parent.rootGroup;
    exchange.rootClient = parent.rootClient;
    const { spread } = parent;
    // What is done after the client connection has gone is nobody's, as in the ledger.
    if (spread === null || spread.over) return;
    exchange.spread = spread;
    spread.inFlight += 1;
  }

  #sentByClient(connection: Connection, exchange: Exchange): void {
    const { client } = exchange;
    const group = this.groups[exchange.rootGroup];
    if (group === undefined) return;
    exchange.rootClient = client;
    exchange.spread = this.spread.sent(connection, client, group.shape.count);
    group.countAttempt(this.#engine.now, exchange.again);
    if (exchange.spread !== null) exchange.spread.inFlight += 1;
  }

  /** The hop that sent it is done with it. */
  sentOver(exchange: Exchange): void {
    if (!exchange.read) {
      exchange.doneAt = this.#engine.now;
      exchange.givenUp = true;
      this.#unread(exchange);
    }
    if (exchange.spread !== null) this.spread.exchangeOver(exchange.spread);
  }

  /** A request whose client connection is followed goes out on a connection. */
  carried(connection: Connection, exchange: Exchange): void {
    const { spread } = exchange;
    if (spread === null) return;
    this.spread.carried(spread, connection, exchange.last && connection.ordinal === 1);
  }

  /** A request was read by a hop that frames requests. */
  read(connection: Connection, exchange: Exchange): void {
    const { now } = this.#engine;
    connection.listener.reads += 1;
    if (now - exchange.sentAt > this.shape.starvedAfter) this.#unread(exchange);
    if (exchange.givenUp && exchange.doneAt < now) this.#zombie(connection);
  }

  /** Somebody listens whose requests may count for a host. */
  listens(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Its client had given it up before it was read: on every queue of its way that is told. */
  #zombie(connection: Connection): void {
    for (let one = connection.below; one !== null; one = one.below) {
      const queue = this.shape.instances[one.listener.place.instance]?.queue ?? -1;
      const tally = this.queues[queue];
      if (tally !== undefined) tally.zombieExchanges += 1;
    }
  }

  #unread({ sentAt, rootGroup, rootClient }: Exchange): void {
    if (rootGroup < 0 || this.#engine.now - sentAt <= this.shape.starvedAfter) return;
    this.groups[rootGroup]?.starve(rootClient);
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
    const live = new Set<Connection>();
    for (const place of places) {
      for (const connection of place.connecting.all()) if (connection.up) live.add(connection);
      for (const connection of place.accepted.all()) live.add(connection);
    }
    for (const connection of live) {
      const link = this.links[connection.link.index];
      if (link !== undefined) link.open += 1;
      const { exchange } = connection;
      if (exchange !== null && !exchange.read) this.#unread(exchange);
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

/** The slots of one replica of a queue. */
export class QueueBook implements SlotBook {
  readonly tally: SlotTally;
  readonly #meters: Meters;
  readonly #engine: Engine;
  readonly #account: ReturnType<SlotTally['account']>;

  constructor(meters: Meters, tally: SlotTally, engine: Engine, instance: number) {
    this.tally = tally;
    this.#meters = meters;
    this.#engine = engine;
    this.#account = tally.account(instance);
  }

  accepted(): void {}

  /** The slot state of a connection changes to this; `connection.slot` still has the former. */
  moved(connection: Connection, to: SlotState): void {
    const { now } = this.#engine;
    const from = connection.slot as SlotState;
    this.tally.moved(this.#account, from, to, now);
    const { asked } = connection;
    if (to === SlotState.active && asked !== null && !connection.passed) {
      connection.passed = true;
      this.#waited(connection, asked.sentAt);
    }
    if (to === SlotState.yielded && asked !== null) {
      if (asked.read) this.tally.overcommit += 1;
      else connection.passed = false;
    }
    this.#assess(connection, to);
  }

  /** The client's request has come as far as this queue. */
  asked(connection: Connection, exchange: Exchange): void {
    connection.asked = exchange;
    connection.passed = connection.slot === SlotState.active;
    this.#assess(connection, connection.slot);
  }

  /** The request is answered, or the client has gone. */
  over(connection: Connection, gaveUp: boolean): void {
    const { asked } = connection;
    if (asked === null) return;
    if (gaveUp && !connection.passed) this.#waited(connection, asked.sentAt);
    connection.asked = null;
    this.#assess(connection, connection.slot);
  }

  /** At the strike: requests that wait still are judged by their wait so far. */
  strike(connection: Connection): void {
    const { asked } = connection;
    if (asked !== null && !connection.passed) this.#waited(connection, asked.sentAt);
  }

  #waited(connection: Connection, since: Micros): void {
    if (connection.starved || this.#engine.now - since <= this.#meters.shape.starvedAfter) return;
    connection.starved = true;
    this.tally.starvedConnections += 1;
  }

  #assess(connection: Connection, slot: number): void {
    const asked = connection.asked !== null;
    const busy = asked && slot === SlotState.active;
    const queued = slot === SlotState.held || slot === SlotState.yielded;
    const waiting = asked && queued && !connection.passed;
    const busier = Number(busy) - Number(connection.busy);
    const more = Number(waiting) - Number(connection.waiting);
    connection.busy = busy;
    connection.waiting = waiting;
    this.tally.changed(this.#account, busier, more, this.#engine.now);
  }
}
