/**
 * What the lab itself used, and how late it was, over the load: from its begin to its end,
 * without start-up and teardown. Measured by the processes of a live run, part of its `RunInfo`;
 * `measure/lab.ts` says from it whether the lab was the bottleneck.
 */
import type { Micros } from './units.ts';

export interface LabAccount {
  /** Our own workers, the foreign programs, and last the supervisor. */
  readonly processes: readonly ProcessAccount[];
  /** null where the kernel does not tell (`/proc/stat`). */
  readonly machine: MachineAccount | null;
  /** One per group of clients of ours. */
  readonly load: readonly LoadAccount[];
}

/** What a worker's sockets are: `live/io/transport.ts` has their differences. */
export type SocketKind = 'native' | 'handle' | 'net';

export interface ProcessAccount {
  readonly name: string;
  /** The hops that it runs. */
  readonly hops: readonly string[];
  /** Not ours: a real nginx, MariaDB, HAProxy, with all of its processes. */
  readonly foreign: boolean;
  /** null for foreign programs, the supervisor, and where it died. */
  readonly sockets: SocketKind | null;
  /** User and system time; null where nobody can tell: it died, or runs elsewhere. */
  readonly cpu: Micros | null;
  /** null for foreign programs, and where it died. */
  readonly eventLoop: EventLoopAccount | null;
}

export interface EventLoopAccount {
  /** How late a timer fired; 0 = in time. null when none was due. */
  readonly delayP50: Micros | null;
  readonly delayP99: Micros | null;
  readonly delayMax: Micros;
  /** Share of the time in which it did not wait for events, 0 to 1. */
  readonly utilisation: number;
  /** Time in seconds-long windows without a pause (`measure/lab.ts` says how much is too much). */
  readonly saturated: Micros;
}

export interface MachineAccount {
  readonly cores: number;
  /** Shares of the time of all cores: not idle, and wanted but not given by the hypervisor. */
  readonly busy: number;
  readonly stolen: number;
  readonly saturated: Micros;
}

/** From the intended start of each request to its being issued. */
export interface LoadAccount {
  readonly hop: string;
  readonly requests: number;
  readonly latenessP99: Micros | null;
  readonly latenessMax: Micros;
}

/** A window in which a core or a loop was busy for this share of it had no room left. */
export const SATURATED_SHARE = 0.95;
