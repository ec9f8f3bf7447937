/**
 * What the hops of a simulation share: time, network, who is where, chance, and the booking of
 * exchanges. One world per run.
 */
import { hopNamed } from '../model/plan.ts';
import type { Instance, Link, RunPlan } from '../model/run.ts';
import type { Hop, Topology } from '../model/topology.ts';
import type { PolicyClass } from '../policy/contract.ts';
import type { PolicyTap } from '../policy/tap.ts';
import { type RandomStream, randomStream } from '../random/stream.ts';
import { Books } from './books.ts';
import type { Engine } from './engine/engine.ts';
import { EventOf } from './engine/event.ts';
import { Lanes } from './engine/lanes.ts';
import { Wakes } from './engine/wakes.ts';
import * as at from './exchanges.ts';
import { Exchanges, type NotGranted } from './exchanges.ts';
import { Foresight } from './foresight.ts';
import { Happenings } from './happenings.ts';
import type { App } from './hops/app.ts';
import type { Clients } from './hops/clients.ts';
import type { Database } from './hops/database.ts';
import * as of from './load/load-requests.ts';
import { LoadRequests } from './load/load-requests.ts';
import * as user from './load/users.ts';
import { Users } from './load/users.ts';
import type { Meters } from './meters.ts';
import { ConnectionPools } from './net/connection-pools.ts';
import { Connections } from './net/connections.ts';
import { Network } from './net/network.ts';
import { Listener, Place, type Role, type SimLink } from './net/place.ts';
import { QueueBook } from './queue-book.ts';
import type { Recorder } from './recorder.ts';
import { Flows } from './relay/flows.ts';
import type { Probe } from './relay/probe.ts';
import { Queues } from './relay/queues.ts';
import type { Relay } from './relay/relay.ts';
import { ServerConnections } from './relay/server-connections.ts';
import { isFar, type SlotBook, ToldSlots } from './slot-book.ts';
import { Stations } from './stations.ts';

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
  readonly recorder: Recorder | null;
  readonly seed: number = 0;
  readonly tap: PolicyTap;
  readonly places: readonly Place[];
  readonly links: readonly SimLink[];
  // What is kept in rows
  readonly connections: Connections;
  readonly exchanges = new Exchanges();
  readonly requests = new LoadRequests();
  readonly users = new Users();
  // Who works on them
  readonly network: Network;
  readonly books: Books;
  readonly pools: ConnectionPools;
  readonly served: ServerConnections;
  readonly flows: Flows;
  readonly queues: Queues;
  readonly stations: Stations;
  readonly wakes: Wakes;
  readonly exchangeLanes: Lanes;
  readonly requestLanes: Lanes;
  // By instance
  readonly relays: Relay[] = [];
  readonly apps: App[] = [];
  readonly databases: Database[] = [];
  readonly clients: Clients[] = [];
  /** By connection. */
  readonly probes = new Map<number, Probe>();
  /** Set before any hop is made, where the simulator measures by itself. */
  meters: Meters | null = null;
  /** By link. */
  readonly #listeners: Listener[][];

  constructor({ topology, plan, seed, engine, recorder, tap }: WorldOptions) {
    this.tap = tap;
    this.topology = topology;
    this.plan = plan;
    this.engine = engine;
    this.recorder = recorder;
    this.seed = seed;
    this.connections = new Connections(engine, (connection) => this.#forget(connection));
    this.places = plan.instances.map((instance) => {
      const hop = this.hopOf(instance);
      const ports = hop.kind === 'clients' ? null : hop.ephemeralPorts;
      const connectTimeout = 'connectTimeout' in hop ? hop.connectTimeout : 0;
      return new Place(instance.index, { ports, connectTimeout }, this.connections);
    });
    this.links = plan.links.map(({ index, downstream }) => ({
      index,
      delay: hopNamed(topology, downstream).upstreamDelay,
      exchanges: 0,
    }));
    this.#listeners = plan.links.map(() => []);
    const happenings = new Happenings(this);
    engine.serve(happenings);
    this.network = new Network(this, happenings);
    this.books = new Books(this);
    this.pools = new ConnectionPools(this);
    this.served = new ServerConnections(this.network, tap);
    this.flows = new Flows(this);
    this.queues = new Queues(this.network, this.flows, tap);
    engine.foretell(new Foresight(this));
    this.stations = new Stations(engine);
    this.wakes = new Wakes(engine);
    const { exchanges, requests } = this;
    this.exchangeLanes = new Lanes(
      engine,
      EventOf.exchangeLane,
      exchanges,
      at.LANE_COLUMN,
      (exchange) => this.relays[exchanges.get(exchange, at.READER)]?.expired(exchange),
    );
    this.requestLanes = new Lanes(
      engine,
      EventOf.requestLane,
      requests,
      of.LANE_COLUMN,
      (request) => this.clientsOf(request).tooLate(request),
    );
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

  listen(instance: Instance, link: Link, role: Role): Listener {
    const simLink = this.links[link.index];
    if (simLink === undefined) throw new Error(`no link ${link.index}`);
    const hop = this.hopOf(instance);
    const backlog = 'backlog' in hop ? hop.backlog : 0;
    const { listeners } = this.network;
    const place = this.place(instance);
    const listener = new Listener(listeners.length, role, place, simLink, backlog);
    listeners.push(listener);
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
    return randomStream(this.seed, `${instance.hop}/${instance.replica}/${purpose}`);
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
    const { meters, recorder, engine, topology, connections, exchanges } = this;
    const { index } = instance;
    const tally = meters?.queues[meters.shape.instances[index]?.queue ?? -1];
    const book =
      tally === undefined ? null : new QueueBook(tally, engine, connections, exchanges, index);
    if (recorder === null || !isFar(topology, this.hopOf(instance))) return book;
    return new ToldSlots(recorder, engine, connections, index, book);
  }

  clientsOf(request: number): Clients {
    const instance = this.users.get(this.requests.get(request, of.USER), user.GROUP);
    return this.clients[instance] as Clients;
  }

  /** Of the client whose request it is, in its group. */
  clientNumber(request: number): number {
    return this.users.get(this.requests.get(request, of.USER), user.NUMBER);
  }

  // What becomes of an exchange: for who sent it

  /** It has a connection, and the request is on its way. */
  handed(exchange: number): void {
    const number = this.exchanges.get(exchange, at.ASKER_NUMBER);
    const asker = this.exchanges.get(exchange, at.ASKER);
    if (asker === at.Asker.relay) this.relays[number]?.handed(exchange);
    else if (asker === at.Asker.client) this.clients[number]?.handed(exchange);
  }

  notGranted(exchange: number, why: NotGranted): void {
    const number = this.exchanges.get(exchange, at.ASKER_NUMBER);
    const asker = this.exchanges.get(exchange, at.ASKER);
    if (asker === at.Asker.relay) this.relays[number]?.notGranted(exchange, why);
    else if (asker === at.Asker.client) this.clients[number]?.notGranted(exchange, why);
    else if (asker === at.Asker.app) this.apps[number]?.notGranted(exchange);
  }

  /** The answer is there, with its status. */
  answered(exchange: number): void {
    const number = this.exchanges.get(exchange, at.ASKER_NUMBER);
    const asker = this.exchanges.get(exchange, at.ASKER);
    if (asker === at.Asker.relay) this.relays[number]?.answered(exchange);
    else if (asker === at.Asker.client) this.clients[number]?.answered(exchange);
    else if (asker === at.Asker.app) this.apps[number]?.answered(exchange);
  }

  /** There will be no answer: the connection broke. Stale: reused, and not a byte came back. */
  broken(exchange: number, isStale: boolean): void {
    const number = this.exchanges.get(exchange, at.ASKER_NUMBER);
    const asker = this.exchanges.get(exchange, at.ASKER);
    if (asker === at.Asker.relay) this.relays[number]?.broken(exchange, isStale);
    else if (asker === at.Asker.client) this.clients[number]?.broken(exchange, isStale);
    else if (asker === at.Asker.app) this.apps[number]?.broken(exchange);
  }

  /** Between two events: gives back what nobody can reach any more. */
  tidy(): void {
    if (!this.exchanges.isFull) return;
    this.exchanges.sweep((reach) => {
      this.network.reach(reach);
      for (const exchange of this.stations.pieces()) reach(exchange);
      for (const exchange of this.requests.attempts()) reach(exchange);
    });
  }

  #forget(connection: number): void {
    this.network.forget(connection);
    this.probes.delete(connection);
  }
}
