/** The summary that every engine prints with --json. One shape for run, simulate and diagnose. */
import type { CloseCause } from './close-cause.ts';
import type { SocketKind } from './lab.ts';

export interface Summary {
  readonly engine: 'live' | 'sim' | 'capture';
  readonly version: string;
  readonly seed: number;
  readonly topology: { readonly name: string; readonly hash: string };
  readonly durationSeconds: number;
  /** true, false, or null where it cannot be known. */
  readonly balanced: boolean | null;
  readonly recording: string | null;
  readonly clients: readonly ClientsSummary[];
  readonly links: readonly LinkSummary[];
  readonly queues: readonly QueueSummary[];
  readonly stations: readonly StationSummary[];
  readonly findings: readonly Finding[];
  /** What each process used during the load; empty where none was measured. */
  readonly processes: readonly ProcessSummary[];
  /** null where no lab ran (a simulation, a capture) or it was not measured. */
  readonly lab: LabSummary | null;
  /** What does not balance, and which connections; empty when balanced. */
  readonly imbalances: readonly Imbalance[];
}

export interface ClientsSummary {
  readonly name: string;
  readonly count: number;
  readonly served: number;
  readonly starved: number | null;
  /** The mean is exact, percentiles are within 0.4 %. */
  readonly latencyMs: (Percentiles & { readonly mean: number }) | null;
  readonly requests: {
    readonly sent: number;
    readonly answered: number;
    readonly failed: number;
    readonly pending: number;
    readonly ok: number;
    readonly throttled429: number;
    readonly serverErrors5xx: number;
    readonly timeouts: number;
    readonly resets: number;
    readonly retries: number;
  };
  readonly goodputPerSecond: number;
  readonly attemptsPerSuccess: number | null;
}

/** Milliseconds; null when there was nothing to measure. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p99_9: number | null;
}

export interface LinkSummary {
  readonly name: string;
  /** null, with `closed` and `open`, between two foreign hops: nobody tells of connections. */
  readonly opened: number | null;
  readonly closed: number | null;
  readonly open: number | null;
  readonly closedBy: Readonly<Partial<Record<CloseCause, number>>>;
  readonly exchanges: number | null;
  readonly requestsPerNewConnection: number | null;
  readonly multiplication: number | null;
  readonly connectionRatio: number | null;
}

export interface QueueSummary {
  readonly name: string;
  readonly activeMax: number;
  /** The largest number of connections held at once. */
  readonly heldMax: number;
  readonly slotUtilisation: number | null;
  readonly slotOccupancy: number | null;
  readonly hoardedSlotSeconds: number | null;
  readonly starvedConnections: number | null;
  /** Slots granted, yielded, and responses that went on after their connection yielded. */
  readonly granted: number;
  readonly yielded: number;
  readonly overcommit: number | null;
  /**
   * Requests that the server began although their client had given them up before; null where
   * either side is not ours. A queue that does not see its held clients leave has them.
   */
  readonly zombieExchanges: number | null;
}

/** How busy an app or a database was, all replicas together (`measure/station-tally.ts`). */
export interface StationSummary {
  readonly name: string;
  /** Of each replica; 0 = without limit. */
  readonly concurrencyMax: number;
  /** CPUUtilization, 0 to 1; null without limit, and where the program is not ours. */
  readonly cpuUtilisation: number | null;
  /** DBLoad: pieces of work served or waiting for a server, averaged over the load. */
  readonly load: number | null;
  /** Of those, the ones that waited. */
  readonly waiting: number | null;
  /** DatabaseConnections: the most that were open at once; null for apps. */
  readonly connectionsMax: number | null;
}

/** One process of the lab, over the load: without start-up and teardown. */
export interface ProcessSummary {
  readonly name: string;
  readonly hops: readonly string[];
  /** What our workers' sockets are; else null. */
  readonly sockets: SocketKind | null;
  /** A real program (nginx, MariaDB, HAProxy), all of its processes together. */
  readonly foreign: boolean;
  /** User and system time; null where nobody can tell. */
  readonly cpuSeconds: number | null;
  /** CPU time / requests answered to clients; null when none was. */
  readonly cpuMicrosPerRequest: number | null;
  /** How late its event loop was; about one millisecond is the grain of timers. */
  readonly eventLoopDelayMs: (Pick<Percentiles, 'p50' | 'p99'> & { readonly max: number }) | null;
  /** Share of the time in which the loop had work, 0 to 1. */
  readonly eventLoopUtilisation: number | null;
}

/** Was the lab itself, and not what it models, what the latencies show? */
export interface LabSummary {
  readonly bottleneck: boolean;
  /** Sentences with the figures in them; empty when it was not. */
  readonly because: readonly string[];
  /** Shares of all cores, 0 to 1; null where the kernel does not tell. */
  readonly machine: {
    readonly cores: number;
    readonly busy: number;
    readonly stolen: number;
  } | null;
  /** How late the load generators issued their requests, by group of clients. */
  readonly load: readonly {
    readonly name: string;
    /** Issued in all. */
    readonly requests: number;
    readonly latenessMs: { readonly p99: number | null; readonly max: number };
  }[];
}

export interface Imbalance {
  readonly kind: string;
  readonly link: string | null;
  readonly text: string;
  /** Up to 20 connections or requests concerned, readable. */
  readonly examples: readonly string[];
  readonly count: number;
  /** Some disagreements are explained and listed only (unseen-close, process_died). */
  readonly explained: boolean;
}

export interface Finding {
  readonly kind: string;
  readonly hop: string | null;
  readonly severity: 'critical' | 'warning' | 'info';
  /** One sentence with the figures in it. */
  readonly title: string;
  readonly evidence: Readonly<Record<string, Evidence>>;
  readonly remedy: string;
}

export type Evidence = number | string | boolean | null | readonly (number | string)[];
