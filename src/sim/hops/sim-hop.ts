/** What a simulated hop offers to the run: one for each replica. */
import type { Action } from '../../model/topology.ts';

export interface SimHop {
  /** Load and health checks begin; everybody listens by now. */
  begin?(): void;
  /** The load is over: what waits is counted. */
  strike?(): void;
  /** A change or fault; false where this hop has no such setting or fault. */
  apply(action: Action): boolean;
  /** Requests of clients without an outcome. */
  readonly pending?: number;
}
