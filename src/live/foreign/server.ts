/** A program that is not ours, started and stopped by us, as a hop of a live run. */
import type { Endpoint, RunPlan } from '../../model/run.ts';
import type { Topology } from '../../model/topology.ts';

export interface ForeignServer {
  /** Leader of the session of all its processes; null where it runs elsewhere. */
  readonly session: number | null;
  readonly endpoints: readonly Endpoint[];
  /** Resolves with the reason when it ends without having been asked to. */
  readonly died: Promise<string>;
  /** Kills it and starts it again after so many ms (see Kept); null where it runs elsewhere. */
  readonly restart: ((away: number) => Promise<string | null>) | null;
  /** Resolves when its processes are gone and its private folder is removed. */
  stop(): Promise<void>;
}

/** What a foreign server is told of the run. */
export interface ForeignContext {
  readonly topology: Topology;
  readonly plan: RunPlan;
  /** Listeners of the hops upstream of it. */
  readonly endpoints: readonly Endpoint[];
  /** Where logs worth keeping go; without it they vanish with the private folder. */
  readonly logFolder?: string;
}

/** Something that the user can mend; the code is stable. */
export class ForeignError extends Error {
  readonly code: 'program-missing' | 'program-failed';

  constructor(code: ForeignError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
