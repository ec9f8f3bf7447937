/**
 * What the hops of a simulation share: time, network, who is where, chance, and the booking of
 * exchanges. One world per run.
 */
import {
  EventKind,
  type ExchangeFailure,
  exchangeFailureCode,
  PARENT_CLIENT,
  PARENT_NONE,
  PARENT_SAME_HOP,
} from '../model/event.ts';
import { hopNamed } from '../model/plan.ts';
import type { Instance, Link, RunPlan } from '../model/run.ts';
import type { Hop, Topology } from '../model/topology.ts';
import type { PolicyClass } from '../policy/contract.ts';
import { keepAliveTable } from '../policy/keep-alive.ts';
import { PoolTables } from '../policy/pool-tables.ts';
import { noTap, type PolicyTap } from '../policy/tap.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import type { Engine } from './engine/engine.ts';
import { Numbered } from './engine/numbered.ts';
import { type Exchange, Exchanges } from './exchange.ts';
import { type Meters, QueueBook } from './meters.ts';
import type { Acceptor, Connection } from './net/connection.ts';
import { PoolDecision } from './net/connection-pool.ts';
import { Network } from './net/network.ts';
import { Listener, Place, type SimLink } from './net/place.ts';
import type { Recorder } from './recorder.ts';
import { isFar, type SlotBook, ToldSlots } from './slot-book.ts';

export interface WorldOptions {
  readonly topology: Topology;
  readonly plan: RunPlan;
  readonly seed: number;
  readonly engine: Engine;
  readonly recorder: Recorder | null;
  /** Through which every policy is made. */
  readonly tap: PolicyTap;
}

export class World {
  readonly topology: Topology;
  readonly plan: RunPlan;
  readonly engine: Engine;
  readonly network: Network;
  readonly recorder: Recorder | null;
  readonly places: readonly Place[];
  readonly links: readonly SimLink[];
  readonly exchanges = new Exchanges();
  /** Exchanges that wait for a connection, at whichever pool. */
  readonly waiters = new Numbered<Exchange>();
  readonly decision = new PoolDecision();
  /** Connections that servers keep, at whichever hop, and where their policies note them. */
  readonly served = new Numbered<Connection>();
  readonly servedRows = keepAliveTable();
  readonly #pools = emptyPools();
  /** Set before any hop is made, where the simulator measures by itself. */
  meters: Meters | null = null;
  readonly #seed: number;
  readonly tap: PolicyTap;
  /** By link. */
  readonly #listeners: Listener[][];

  constructor({ topology, plan, seed, engine, recorder, tap }: WorldOptions) {
    this.tap = tap;
    this.topology = topology;
    this.plan = plan;
    this.engine = engine;
    this.recorder = recorder;
    this.network = new Network(engine, recorder);
    this.places = plan.instances.map((instance) => {
      const hop = this.hopOf(instance);
      return new Place(instance.index, {
        ports: hop.kind === 'clients' ? null : hop.ephemeralPorts,
        connectTimeout: 'connectTimeout' in hop ? hop.connectTimeout : 0,
      });
    });
    this.links = plan.links.map(({ index, downstream }) => ({
      index,
      delay: hopNamed(topology, downstream).upstreamDelay,
      exchanges: 0,
    }));
    this.#listeners = plan.links.map(() => []);
    this.#seed = seed;
  }

  place(instance: Instance): Place {
    const place = this.places[instance.index];
    if (place === undefined) throw new Error(`no instance ${instance.index}`);
    return place;
  }

  /** Links that end at a hop, alive checks included. */
  incoming(hop: Hop): readonly Link[] {
    return this.plan.links.filter((link) => link.upstream === hop.name);
  }

  outgoing(hop: Hop): Link | null {
    return (
      this.plan.links.find((one) => one.downstream === hop.name && one.purpose === 'traffic') ??
      null
    );
  }

  alive(hop: Hop): Link | null {
    return (
      this.plan.links.find((one) => one.downstream === hop.name && one.purpose === 'alive') ?? null
    );
  }

  listen(instance: Instance, link: Link, acceptor: Acceptor): Listener {
    const simLink = this.links[link.index];
    if (simLink === undefined) throw new Error(`no link ${link.index}`);
    const hop = this.hopOf(instance);
    const backlog = 'backlog' in hop ? hop.backlog : 0;
    const listener = new Listener(this.place(instance), simLink, acceptor, backlog);
    this.#listeners[link.index]?.push(listener);
    this.meters?.listens(listener);
    return listener;
  }

  listenersOf(instance: Instance): readonly Listener[] {
    return this.#listeners.flat().filter((one) => one.place.instance === instance.index);
  }

  /** Everybody accepts what waits: at the end of a run, so that nothing is between two books. */
  acceptAll(): void {
    for (const listener of this.#listeners.flat()) this.network.resume(listener);
  }

  /** Listeners that an instance may connect to: those of its own host, if there are any. */
  targets(instance: Instance, link: Link): readonly Listener[] {
    const all = this.#listeners[link.index] ?? [];
    if (instance.host === null) return all;
    const own = all.filter((one) => this.instanceOf(one).host === instance.host);
    return own.length > 0 ? own : all;
  }

  instanceOf(listener: Listener): Instance {
    const instance = this.plan.instances[listener.place.instance];
    if (instance === undefined) throw new Error(`no instance ${listener.place.instance}`);
    return instance;
  }

  hopOf(instance: Instance): Hop {
    return hopNamed(this.topology, instance.hop);
  }

  /** Any of the replicas of the next hop that an instance may connect to, drawn at each call. */
  drawn(instance: Instance, purpose: string): () => Listener | null {
    const link = this.outgoing(this.hopOf(instance));
    if (link === null) return () => null;
    const draw = this.random(instance, purpose);
    let targets: readonly Listener[] | null = null;
    return () => {
      // Whoever listens upstream is known once all hops are made.
      targets ??= this.targets(instance, link);
      return targets[targets.length > 1 ? draw.below(targets.length) : 0] ?? null;
    };
  }

  /** The stream of one purpose of an instance: the one that the live engine draws from, too. */
  random(instance: Instance, purpose: string): RandomStream {
    return randomStream(this.#seed, `${instance.hop}/${instance.replica}/${purpose}`);
  }

  /**
   * Where a pool notes its connections and who waits: all share one place, unless they are
   * recorded, because numbers of a recorded policy's connections are its own.
   */
  pools(): { readonly tables: PoolTables; readonly connections: (Connection | null)[] } {
    return this.tap === noTap ? this.#pools : emptyPools();
  }

  /** A policy of an instance, made through the tap; `name` says whose it is. */
  policy<S, Port extends object, P extends object>(
    name: string,
    Policy: PolicyClass & (new (settings: S, port: Port) => P),
    settings: S,
    port: Port,
  ): P {
    return this.tap.create(name, Policy, settings, port, (given) => new Policy(settings, given));
  }

  /**
   * Counts the slots of a queue's replica, where the simulator measures by itself; tells the
   * ledger what only the queue knows, where a link before it delays.
   */
  queueBook(instance: Instance): SlotBook | null {
    const { meters, recorder, engine, topology } = this;
    const { index } = instance;
    const tally = meters?.queues[meters.shape.instances[index]?.queue ?? -1];
    const book = meters && tally !== undefined ? new QueueBook(meters, tally, engine, index) : null;
    if (recorder === null || !isFar(topology, this.hopOf(instance))) return book;
    return new ToldSlots(recorder, engine, index, book);
  }

  // Books of exchanges

  /** A request is handed to its connection. */
  sent(connection: Connection, exchange: Exchange): void {
    connection.ordinal += 1;
    connection.exchange = exchange;
    exchange.connection = connection;
    const { meters } = this;
    if (meters !== null) meters.sent(connection, exchange);
    if (this.recorder !== null) this.#tellSent(connection, exchange);
  }

  /** The sending hop is done with it. */
  sentOver(connection: Connection, status: number, failure: ExchangeFailure): void {
    const { exchange } = connection;
    const { meters } = this;
    connection.exchange = null;
    if (exchange !== null && meters !== null) meters.sentOver(exchange);
    if (this.recorder === null) return;
    const { connectorPlace, connectorEnd, ordinal } = connection;
    this.#tellEnded(connectorPlace, connectorEnd, ordinal, status, failure);
  }

  /** A request has been read. */
  read(connection: Connection, exchange: Exchange): void {
    connection.servedOrdinal += 1;
    connection.served = exchange;
    exchange.served = connection;
    exchange.read = true;
    const { meters } = this;
    if (meters !== null) meters.read(connection, exchange);
    if (this.recorder === null) return;
    const { listener, acceptorEnd, servedOrdinal } = connection;
    exchange.readEnd = acceptorEnd;
    exchange.readOrdinal = servedOrdinal;
    const { instance } = listener.place;
    const kind = EventKind.exchangeStarted;
    this.recorder.write(this.engine.now, kind, instance, acceptorEnd, servedOrdinal, 0, 0, 0);
  }

  /** The reading hop is done with it. */
  readOver(connection: Connection, status: number, failure: ExchangeFailure): void {
    connection.served = null;
    if (this.recorder === null) return;
    const { listener, acceptorEnd, servedOrdinal } = connection;
    this.#tellEnded(listener.place, acceptorEnd, servedOrdinal, status, failure);
  }

  #tellSent(connection: Connection, { parent, client, request }: Exchange): void {
    let c: number = PARENT_NONE;
    let a = 0;
    let b = 0;
    if (parent !== null) {
      c = PARENT_SAME_HOP;
      a = parent.readEnd;
      b = parent.readOrdinal;
    } else if (client > 0) {
      c = PARENT_CLIENT;
      a = client;
      b = request;
    }
    const { connectorPlace, connectorEnd, ordinal } = connection;
    const kind = EventKind.exchangeStarted;
    const { now } = this.engine;
    this.recorder?.write(now, kind, connectorPlace.instance, connectorEnd, ordinal, a, b, c);
  }

  #tellEnded(
    { instance }: Place,
    end: number,
    ordinal: number,
    status: number,
    failure: ExchangeFailure,
  ): void {
    const code = exchangeFailureCode(failure);
    const kind = EventKind.exchangeEnded;
    this.recorder?.write(this.engine.now, kind, instance, end, ordinal, status, code, 0);
  }
}

function emptyPools() {
  const connections: (Connection | null)[] = [];
  return { tables: new PoolTables(), connections };
}
