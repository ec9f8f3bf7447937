/**
 * Which links bring connections into a process from outside, so that they may wait when it runs
 * short of descriptors (io/descriptor-budget.ts): those that no hop of the process is downstream
 * of. A connection that a hop of ours waits for, however far upstream, is none: if the database
 * beside the edge stopped accepting, the edge's clients would keep the descriptors that it needs.
 *
 *   process front: edge ─► gateway ─┐         ┌─► database      entries: clients ─► edge, where
 *   process back:                   └─► queue ─► app            the clients are foreign, and
 *                                                                gateway ─► queue
 */
import type { RunPlan } from '../../model/run.ts';

/** The indexes of those links. */
export function entryLinks(plan: RunPlan, process: number): ReadonlySet<number> {
  const ours = new Set(
    plan.instances.filter((one) => one.process === process).map((one) => one.hop),
  );
  const entries = plan.links.filter(({ upstream, downstream }) => {
    if (!ours.has(upstream)) return false;
    const waiting = new Set([downstream]);
    // A set that grows while it is walked: every hop from which the link can be reached.
    for (const hop of waiting) {
      if (ours.has(hop)) return false;
      for (const link of plan.links) if (link.upstream === hop) waiting.add(link.downstream);
    }
    return true;
  });
  return new Set(entries.map((link) => link.index));
}
