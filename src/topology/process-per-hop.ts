/**
 * Each hop in a process of its own, in place of what the document says: then the CPU time of a
 * process is that of its hop. Replicas of a hop share its process, as always. Foreign hops have
 * processes of their own anyway.
 *
 * What it costs: on fewer cores than hops the processes take turns, so that requests wait for
 * a core at every hop and latencies grow; a request's CPU time grows a little too, because each
 * process wakes up for fewer events at a time. For accounting, not for pressure.
 */
import { isForeign } from '../model/plan.ts';
import type { Topology } from '../model/topology.ts';

export function processPerHop(topology: Topology): Topology {
  const own = topology.hops.filter((hop) => !isForeign(hop));
  return { ...topology, processes: own.map(({ name }) => ({ name, hops: [name] })) };
}
