/**
 * The steady state that is explained: the document's load at its peak, held there, without
 * what its timeline and its random faults do. The simulator is asked about the very same topology.
 */
import type { Hop, Shape, TimelineEntry, Topology } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';

export function steadyTopology(
  topology: Topology,
  duration: Micros,
  timeline: readonly TimelineEntry[] = [],
): Topology {
  return { ...topology, duration, timeline, faults: [], hops: topology.hops.map(atPeak) };
}

function atPeak(hop: Hop): Hop {
  if (hop.kind !== 'clients') return hop;
  const { workload } = hop;
  if (workload.kind === 'open') {
    return { ...hop, workload: { ...workload, rate: constant(workload.rate) } };
  }
  return { ...hop, workload: { ...workload, awake: constant(workload.awake) } };
}

function constant(shape: Shape): Shape {
  return { shape: 'constant', value: peakOf(shape) };
}

export function peakOf(shape: Shape): number {
  switch (shape.shape) {
    case 'constant':
      return shape.value;
    case 'diurnal':
      return Math.max(shape.peak, shape.trough);
    case 'steps':
      return Math.max(...shape.steps.map(({ value }) => value));
  }
}
