/**
 * A simulated run: the topology's hops in one world, from the start of the load to the strike.
 *
 *   hops of all replicas ► listen ► begin ► events, timeline ► end of the load ► census
 *
 * Nothing here reads a clock or a file: a driver calls `step` as often as it likes (a command
 * line shows progress in between, a page draws), and asks for `info` when the run has ended.
 */

import type { SecondRow } from '../measure/rows.ts';
import type { SeriesTable } from '../measure/series.ts';
import type { Measured } from '../measure/strike.ts';
import { describe } from '../model/action-words.ts';
import { EventKind } from '../model/event.ts';
import { makePlan } from '../model/plan.ts';
import type { Instance, Mark, RunInfo, RunPlan } from '../model/run.ts';
import type { Action, Hop, TimelineEntry, Topology } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { noTap, type PolicyTap } from '../policy/tap.ts';
import { timelineOf } from '../random/fault-timeline.ts';
import type { Actor } from './engine/engine.ts';
import { Engine } from './engine/engine.ts';
import { EventOf } from './engine/event.ts';
import type { EventQueue } from './engine/event-queue.ts';
import { WheelQueue } from './engine/wheel-queue.ts';
import { App } from './hops/app.ts';
import { Clients } from './hops/clients.ts';
import { QueueHop } from './hops/connection-queue.ts';
import { Database } from './hops/database.ts';
import { createEdge } from './hops/edge.ts';
import { Gateway } from './hops/gateway.ts';
import { L4Balancer } from './hops/l4-balancer.ts';
import { L7Balancer } from './hops/l7-balancer.ts';
import type { SimHop } from './hops/sim-hop.ts';
import { WebServer } from './hops/web-server.ts';
import { Meters } from './meters.ts';
import * as of from './net/connections.ts';
import type { Recorder } from './recorder.ts';
import { World } from './world.ts';

/** Events after which somebody may look what is over. */
const TIDY_EVERY = 16_384;

export interface SimulationOptions {
  readonly topology: Topology;
  readonly topologyHash: string;
  readonly version: string;
  readonly seed: number;
  /** Hears every event; null = nobody does. */
  readonly recorder: Recorder | null;
  /** Measures by itself, and gives out its series at the end; null = the recorder's ledger does. */
  readonly onSecond?: (row: SecondRow) => void;
  /** Seconds that such a row stands for: 1 (as absent), or a divisor of 60. */
  readonly secondsPerRow?: number;
  /** Records what policies hear and decide; by default nobody does. */
  readonly tap?: PolicyTap;
  /** By default a wheel. */
  readonly queue?: EventQueue;
}

export class Simulation implements Actor {
  readonly plan: RunPlan;
  readonly engine: Engine;
  readonly marks: Mark[] = [];
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #hops: SimHop[] = [];
  readonly #timeline: readonly TimelineEntry[];
  #end: Micros;
  #ended = false;

  constructor(options: SimulationOptions) {
    const topology = ownTopology(options.topology);
    this.#options = { ...options, topology };
    this.#end = topology.duration;
    this.plan = makePlan(topology, { externalClients: false });
    this.engine = new Engine(options.queue ?? new WheelQueue());
    const { seed, recorder } = options;
    const { plan, engine } = this;
    this.#world = new World({ topology, plan, seed, engine, recorder, tap: options.tap ?? noTap });
    if (options.onSecond !== undefined) {
      const { connections, exchanges, links } = this.#world;
      const info = this.info([0]);
      const meters = new Meters(info, engine, connections, exchanges, links, options.onSecond);
      this.#world.meters = meters;
    }
    // From the database down to the clients, so that everybody finds who listens.
    for (const instance of [...this.plan.instances].reverse())
      this.#hops.push(this.#make(instance));
    this.#hops.reverse();
    this.#mark('phase', 'load begins');
    this.#timeline = timelineOf(topology, seed);
    this.#timeline.forEach(({ at }, index) => {
      if (at < this.#end) this.engine.at(at, this, index);
    });
    for (const hop of [...this.#hops].reverse()) hop.begin?.();
  }

  /** µs simulated so far. */
  get now(): Micros {
    return this.engine.now;
  }

  get end(): Micros {
    return this.#end;
  }

  /** Goes on for at most so many events; true when the load has ended. */
  step(eventsMax: number): boolean {
    if (this.#ended) return true;
    for (let left = eventsMax; left > 0; left -= TIDY_EVERY) {
      if (this.engine.run(this.#end, Math.min(left, TIDY_EVERY))) return true;
      this.#world.tidy();
    }
    return false;
  }

  /** A change or fault now; false when no hop takes it. */
  apply(action: Action, text: string | null): boolean {
    const words = text ?? describe(action);
    if (action.action === 'mark') {
      this.#mark('note', words);
      return true;
    }
    let taken = false;
    for (const hop of this.#hops) taken = hop.apply(action) || taken;
    if (taken) this.#mark(action.action === 'set' ? 'set' : 'fault', words);
    else this.#mark('note', `${words}: no hop takes this`);
    return taken;
  }

  /** The load ends now: what is on its way arrives, and live sockets are counted. */
  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end = Math.min(
      this.#end,
      this.engine.now === this.#end - 1 ? this.#end : this.engine.now,
    );
    this.engine.now = this.#end;
    this.#mark('phase', 'load ends');
    this.#world.acceptAll();
    this.engine.drain(EventOf.transit);
    this.#census();
  }

  /** What the simulator has measured by itself; call once, after `finish`. */
  measured(): Measured {
    const { meters, places } = this.#world;
    if (meters === null) throw new Error('this simulation measures nothing by itself');
    for (const hop of this.#hops) hop.strike?.();
    const pending: number[] = [];
    this.plan.instances.forEach(({ index }, at) => {
      const group = meters.shape.instances[index]?.group ?? -1;
      if (group >= 0) pending[group] = this.#hops[at]?.pending ?? 0;
    });
    return meters.finish(places, pending);
  }

  /** The series that it measures by itself, while they grow; null where its recorder does. */
  get series(): SeriesTable | null {
    return this.#world.meters?.table ?? null;
  }

  /** The series that it has measured by itself. */
  rows(): Iterable<SecondRow> {
    return this.#world.meters?.rows() ?? [];
  }

  /**
   * What describes the run. Asked for before the end it names the end that is planned; the ledger
   * is told when it came earlier. `eventCounts` is the caller's, who may still count.
   */
  info(eventCounts: readonly number[]): RunInfo {
    const { topology, topologyHash, version, seed, secondsPerRow } = this.#options;
    return {
      engine: 'sim',
      version,
      seed,
      topology,
      topologyHash,
      plan: this.plan,
      endpoints: [],
      epoch: 0,
      loadStart: 0,
      loadEnd: this.#end,
      censusAt: this.#end,
      marks: this.marks,
      eventCounts,
      kernel: null,
      deaths: [],
      lab: null,
      ...(secondsPerRow === undefined ? {} : { secondsPerRow }),
    };
  }

  /** An entry of the timeline is due. */
  fire(index: number): void {
    const entry = this.#timeline[index];
    if (entry !== undefined) this.apply(entry, entry.text);
  }

  #make(instance: Instance): SimHop {
    const world = this.#world;
    const hop = world.hopOf(instance);
    switch (hop.kind) {
      case 'clients':
        return new Clients(world, instance, hop, alivePathsOf(world.topology.hops));
      case 'edge':
        return createEdge(world, instance, hop);
      case 'gateway':
        return new Gateway(world, instance, hop);
      case 'l4-balancer':
        return new L4Balancer(world, instance, hop);
      case 'l7-balancer':
        return new L7Balancer(world, instance, hop);
      case 'connection-queue':
        return new QueueHop(world, instance, hop);
      case 'web-server':
        return new WebServer(world, instance, hop);
      case 'app':
        return new App(world, instance, hop);
      case 'database':
        return new Database(world, instance, hop);
    }
  }

  #census(): void {
    const { recorder, places, connections } = this.#world;
    if (recorder === null) return;
    const at = this.#end;
    for (const place of places) {
      let count = 0;
      for (const connection of place.connecting.all()) {
        if (!connections.has(connection, of.UP)) continue;
        count += 1;
        const end = connections.get(connection, of.CONNECTOR_END);
        const inFlight = connections.get(connection, of.EXCHANGE) === 0 ? 0 : 1;
        recorder.write(at, EventKind.census, place.instance, end, 0, inFlight, 0, 0);
      }
      for (const connection of place.accepted.all()) {
        count += 1;
        const end = connections.get(connection, of.ACCEPTOR_END);
        const inFlight = connections.get(connection, of.SERVED) === 0 ? 0 : 1;
        const slot = connections.get(connection, of.SLOT);
        recorder.write(at, EventKind.census, place.instance, end, 0, inFlight, slot, 0);
      }
      recorder.write(at, EventKind.censusDone, place.instance, 0, 0, count, 0, 0);
    }
  }

  #mark(kind: Mark['kind'], text: string): void {
    this.marks.push({ at: this.engine.now, kind, text });
  }
}

/** Everything in one process, and nothing foreign: that is what is simulated. */
function ownTopology(topology: Topology): Topology {
  const hops = topology.hops.map((hop): Hop => {
    switch (hop.kind) {
      case 'edge':
      case 'gateway':
      case 'l4-balancer':
      case 'connection-queue':
      case 'web-server':
        return { ...hop, implementation: 'builtin' };
      case 'database':
        return { ...hop, implementation: 'embedded', url: null };
      default:
        return hop;
    }
  });
  const processes = [{ name: 'sim', hops: hops.map((hop) => hop.name) }];
  return { ...topology, hops, processes };
}

function alivePathsOf(hops: readonly Hop[]): ReadonlySet<string> {
  const checks = hops.flatMap((hop) => ('healthCheck' in hop ? [hop.healthCheck.path] : []));
  return new Set(['/alive', ...checks]);
}
