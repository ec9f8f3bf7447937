/** What supervisor and worker processes say to each other (JSON over the IPC channel). */
import type { EventLoopAccount, LoadAccount, SocketKind } from '../../model/lab.ts';
import type { Endpoint, RunPlan } from '../../model/run.ts';
import type { Action, Topology } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';

export interface WorkerInit {
  readonly process: number;
  readonly topology: Topology;
  readonly plan: RunPlan;
  readonly seed: number;
  /** Where this process spools its events. */
  readonly spool: string;
  /** It books no events, and sends no ticks. */
  readonly bookless: boolean;
  /** Where it writes its policies' inputs and decisions; null = not recorded. */
  readonly policyLog: string | null;
}

export type ToWorker =
  | { readonly type: 'init'; readonly init: WorkerInit }
  | { readonly type: 'listen'; readonly hop: string }
  | { readonly type: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  | { readonly type: 'begin' }
  | { readonly type: 'apply'; readonly id: number; readonly action: Action }
  | { readonly type: 'endLoad' }
  | { readonly type: 'account' }
  | { readonly type: 'freeze' }
  | { readonly type: 'activity'; readonly id: number }
  | { readonly type: 'census' }
  /** A parked listening socket comes back, as the message's handle. */
  | { readonly type: 'returned'; readonly ticket: number }
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'listening'; readonly hop: string; readonly endpoints: readonly Endpoint[] }
  | { readonly type: 'failed'; readonly hop: string; readonly code: string; readonly error: string }
  | { readonly type: 'tick'; readonly hops: readonly HopTick[]; readonly loopDelay: Micros }
  | { readonly type: 'applied'; readonly id: number; readonly accepted: boolean }
  | { readonly type: 'activity'; readonly id: number; readonly events: number }
  | { readonly type: 'census' }
  | { readonly type: 'log'; readonly text: string }
  /** The disk does not take this process's events any more. */
  | { readonly type: 'unrecorded'; readonly text: string }
  /** Worth a mark of the run. */
  | { readonly type: 'note'; readonly text: string }
  /** Listening sockets (the message's handle) that nobody accepts from for a while. */
  | { readonly type: 'park' | 'fetch' | 'drop'; readonly ticket: number }
  | WorkerAccount
  | { readonly type: 'stopped'; readonly events: number };

/** What this process used since the load began. */
export interface WorkerAccount {
  readonly type: 'account';
  readonly hops: readonly string[];
  readonly sockets: SocketKind;
  readonly cpu: Micros;
  readonly eventLoop: EventLoopAccount;
  readonly load: readonly LoadAccount[];
}

/** One second of one hop in one process, all its replicas together; totals count from the start. */
export interface HopTick {
  readonly hop: string;
  readonly open: number;
  readonly opened: number;
  readonly held: number;
  readonly active: number;
  readonly requests: number;
  readonly answered: number;
  readonly ok: number;
  readonly throttled429: number;
  readonly serverErrors5xx: number;
  readonly failed: number;
  /** µs, over the last second; null when nothing was answered. */
  readonly p99: Micros | null;
}
