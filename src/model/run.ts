/**
 * What describes one run beside its events: the plan (who is who in the event columns) and the
 * facts struck at its end. `run.json` of a recording is a `RunInfo`.
 */
import type { LabAccount } from './lab.ts';
import type { Topology } from './topology.ts';
import type { Micros } from './units.ts';

/** One replica of a hop. */
export interface Instance {
  readonly index: number;
  readonly hop: string;
  /** Replica number within the hop, from 0. For hops on hosts it is the host's number. */
  readonly replica: number;
  /** Host group name and replica, if the hop lives on hosts. */
  readonly host: string | null;
  /** Process that runs it (its number in event columns); -1 = foreign: emits no events. */
  readonly process: number;
}

/** The place between two adjacent hops where TCP connections live. */
export interface Link {
  readonly index: number;
  /** `apigw->nlb`; a health check's link is `nlb->nginx#alive`. */
  readonly name: string;
  readonly downstream: string;
  readonly upstream: string;
  readonly purpose: 'traffic' | 'alive';
}

export interface RunPlan {
  readonly instances: readonly Instance[];
  readonly links: readonly Link[];
  /** Process names; the index is the process number. */
  readonly processes: readonly string[];
}

/** Where a listener of an instance can be reached, by link. */
export interface Endpoint {
  readonly instance: number;
  readonly link: number;
  readonly address: string;
  readonly port: number;
}

export interface Mark {
  /** µs on the events' clock. */
  readonly at: Micros;
  readonly text: string;
  /** `fault`, `set`, `phase`, `note`, `crash`. */
  readonly kind: 'fault' | 'set' | 'phase' | 'note' | 'crash';
}

/**
 * What the kernel's own table said at the strike, per link: rows at each side, TIME_WAIT left out.
 */
export interface KernelCount {
  readonly link: string;
  /** Rows whose local port is a listener of this link. */
  readonly acceptorRows: number;
  /** Rows whose remote port is a listener of this link. */
  readonly connectorRows: number;
  /** Connections in a listener's backlog: up for their connector, and not accepted yet. */
  readonly waitingRows: number;
  /**
   * Rows of either side that came or went while the sockets were counted: none in a run that had
   * become quiet.
   */
  readonly movedRows: number;
}

export interface RunInfo {
  readonly engine: 'live' | 'sim' | 'capture';
  readonly version: string;
  readonly seed: number;
  readonly topology: Topology;
  readonly topologyHash: string;
  readonly plan: RunPlan;
  readonly endpoints: readonly Endpoint[];
  /** Wall-clock time (µs since 1970) at monotonic 0 of the events' clock. */
  readonly epoch: Micros;
  readonly loadStart: Micros;
  /** Requests are struck here; null while the run goes on. */
  readonly loadEnd: Micros | null;
  /** Connections are struck here (a quiet moment after loadEnd); null while the run goes on. */
  readonly censusAt: Micros | null;
  readonly marks: readonly Mark[];
  /** Events per process that were written: the books need every one of them. */
  readonly eventCounts: readonly number[];
  /** null where the kernel's table cannot be read. */
  readonly kernel: readonly KernelCount[] | null;
  /** Processes that died, with the time at which the supervisor noticed. */
  readonly deaths: readonly {
    readonly process: number;
    readonly at: Micros;
    readonly reason: string;
  }[];
  /** Seconds that a row of the series stands for; absent = 1. More in simulations of a day. */
  readonly secondsPerRow?: number;
  /** null while the run goes on, after one that was killed, and for what no lab ran. */
  readonly lab: LabAccount | null;
}
