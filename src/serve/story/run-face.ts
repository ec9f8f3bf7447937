/** What the page is told of a run beside its rows: one JSON document. */
import type { Mark, RunInfo, RunPlan } from '../../model/run.ts';
import type { Summary } from '../../model/summary.ts';
import type { Topology } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { ChangeableSetting } from './changeable.ts';

export interface RunFace {
  /** What people call it: the folder's name, or the topology's. */
  readonly name: string;
  readonly engine: RunInfo['engine'];
  readonly version: string;
  readonly seed: number;
  readonly topology: Topology;
  readonly plan: RunPlan;
  /** `running`: more is to come over server-sent events. */
  readonly state: 'running' | 'over';
  /** Length of the load, µs: as planned while it runs. */
  readonly duration: Micros;
  /** Wall-clock time of the start of the load, µs since 1970; null where there is none. */
  readonly startedAt: Micros | null;
  readonly secondsPerRow: number;
  /** `at` in µs since the start of the load. */
  readonly marks: readonly Mark[];
  readonly summary: Summary | null;
  /** Folder to open it again, or null. */
  readonly recording: string | null;
  /** False where only series were recorded. */
  readonly hasConnections: boolean;
  /** Requests of one client in so many are told; 1 = of all. */
  readonly oneClientIn: number;
  /** Requests that ended before are not told: nobody looked. */
  readonly requestsFrom: Micros;
  /** A run that takes control requests. */
  readonly controllable: boolean;
  readonly changeable: readonly ChangeableSetting[];
}

export type FaceFacts = Pick<
  RunFace,
  | 'name'
  | 'state'
  | 'summary'
  | 'recording'
  | 'hasConnections'
  | 'oneClientIn'
  | 'requestsFrom'
  | 'controllable'
  | 'changeable'
>;

export function runFace(info: RunInfo, facts: FaceFacts): RunFace {
  const { topology, loadStart, loadEnd, epoch } = info;
  return {
    ...facts,
    engine: info.engine,
    version: info.version,
    seed: info.seed,
    topology: withoutSecrets(topology),
    plan: info.plan,
    duration: loadEnd === null ? topology.duration : loadEnd - loadStart,
    startedAt: info.engine === 'sim' ? null : epoch + loadStart,
    secondsPerRow: info.secondsPerRow ?? 1,
    marks: marksOf(info.marks, loadStart),
  };
}

/** Marks from before the load began stand at its start. */
export function marksOf(marks: readonly Mark[], loadStart: Micros): Mark[] {
  return marks.map((mark) => ({ ...mark, at: Math.max(mark.at - loadStart, 0) }));
}

/** A database's URL may hold a password, which nobody needs to see. */
function withoutSecrets(topology: Topology): Topology {
  const hops = topology.hops.map((hop) => (hop.kind === 'database' ? { ...hop, url: null } : hop));
  return { ...topology, hops };
}
