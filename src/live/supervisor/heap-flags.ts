/**
 * How much memory V8 gives the young objects of a worker process. Its default (1 MiB at first, at
 * most 16) is collected so often under load that requests are still under way each time, are moved
 * twice, and become old: the full collections that follow cost a tenth of a process's CPU time.
 *
 * Relays at L4 keep nothing of what passes, and are to hold thousands of connections in little
 * memory: they have the default.
 */
import { hopNamed, isL4 } from '../../model/plan.ts';
import type { RunPlan } from '../../model/run.ts';
import type { Topology } from '../../model/topology.ts';

/** MiB; V8 takes up to three times as much. */
const YOUNG_MIN = 16;
const YOUNG_MAX = 64;

/** Flags for node. */
export function heapFlags(topology: Topology, plan: RunPlan, process: number): string[] {
  const own = plan.instances.filter((one) => one.process === process);
  if (own.every(({ hop }) => isL4(hopNamed(topology, hop)))) return [];
  return [`--min-semi-space-size=${YOUNG_MIN}`, `--max-semi-space-size=${YOUNG_MAX}`];
}
