/**
 * What a live hop is given, and what it must offer. One `HopContext` per instance (a replica
 * of a hop); the instances of one process share its clock, event writer and end numbers.
 *
 *   worker process ── ProcessContext (clock, events, seed, plan)
 *      └── per instance: HopContext ── LiveHop (the driver: sockets around shared policies)
 */

import { Histogram } from '../../measure/histogram.ts';
import type { Endpoint, Instance, Link, RunPlan } from '../../model/run.ts';
import type { Action, Hop, Topology } from '../../model/topology.ts';
import type { PolicyTap } from '../../policy/tap.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { EventWriter } from '../../stream/columns.ts';
import type { EndRegistry } from '../io/connection-end.ts';
import type { Lateness } from '../load/lateness.ts';
import type { Clock } from './clock.ts';

export interface ProcessContext {
  readonly process: number;
  readonly clock: Clock;
  readonly events: EventWriter;
  readonly seed: number;
  readonly plan: RunPlan;
  readonly topology: Topology;
  /** Wraps policies so that their inputs and decisions are recorded; the identity when off. */
  readonly tap: PolicyTap;
  /** A line for the run's log (stderr with --verbose, always in the recording). */
  readonly log: (text: string) => void;
}

export interface HopContext<H extends Hop = Hop> extends ProcessContext {
  readonly hop: H;
  readonly instance: Instance;
  /** Links that end at this hop from downstream (listen once for each), alive checks included. */
  readonly incoming: readonly Link[];
  /** The traffic link toward the next hop; null for the last hop. */
  readonly outgoing: Link | null;
  /** The alive-check link, for balancers whose health checks are on. */
  readonly alive: Link | null;
  /**
   * Listeners of a link's upstream side that this replica may use (its own host's, if on hosts).
   */
  readonly targets: (link: Link) => readonly Endpoint[];
  readonly ends: EndRegistry;
  readonly counters: HopCounters;
  /** An independent seeded stream for one purpose of this instance. */
  readonly random: (purpose: string) => RandomStream;
  /**
   * True when the next L7 hop upstream is foreign (real nginx): this hop then adds a
   * `traceparent` header, by which the hop behind it learns whose request it carries.
   */
  readonly tracesUpstream: boolean;
  /** True when the nearest L7 hop downstream is foreign: read `traceparent` from requests. */
  readonly tracedDownstream: boolean;
}

/** Counts since the start, read once a second for the live table. Live sockets are in `ends`. */
export class HopCounters {
  requests = 0;
  answered = 0;
  ok = 0;
  throttled429 = 0;
  serverErrors5xx = 0;
  failed = 0;
  /** Latencies (µs) since the last reading, of all replicas that share the process. */
  readonly latencies: Histogram;
  held = 0;
  active = 0;
  /** Clients only: how late this process issued its requests. */
  lateness: Lateness | null = null;

  constructor(latencies = new Histogram()) {
    this.latencies = latencies;
  }

  answer(status: number, latency: number): void {
    this.answered += 1;
    if (status === 429) this.throttled429 += 1;
    else if (status >= 500) this.serverErrors5xx += 1;
    else if (status < 400) this.ok += 1;
    this.latencies.add(latency);
  }
}

export interface LiveHop {
  /** Opens listeners (a port in use rejects) and returns where they are. Connects nowhere yet. */
  listen(): Promise<readonly Endpoint[]>;
  /** Load, health checks and everything else that acts by itself begins. */
  begin(): void;
  /** A runtime change or fault. Returns false where this hop has no such setting or fault. */
  apply(action: Action): boolean;
  /** No new work: clients stop asking; everything else goes on. */
  endLoad(): void;
  /** Closes everything (cause `shutdown`), resolves when all sockets and listeners are gone. */
  stop(): Promise<void>;
}
