/**
 * The timeline of a run: what the document says happens when, and what its random faults come
 * to with this seed. Both engines ask here, so that the same seed hits both at the same times.
 *
 * Each process draws from a stream of its own name: times from one, sizes from another, so that
 * another process, or another size, does not shift its times.
 */
import type { FaultProcess, TimelineEntry, Topology } from '../model/topology.ts';
import { sampler } from './distribution.ts';
import type { RandomStream } from './stream.ts';
import { randomStream } from './stream.ts';

/** Events of one process in a run; further ones are left out. */
export const EVENTS_MAX = 10_000;

export function timelineOf(topology: Topology, seed: number): TimelineEntry[] {
  const entries = [...topology.timeline];
  for (const process of topology.faults) entries.push(...eventsOf(process, topology, seed));
  // Stable: at the same time the document's own come first, then processes in their order.
  return entries.sort((one, other) => one.at - other.at);
}

function eventsOf(process: FaultProcess, topology: Topology, seed: number): TimelineEntry[] {
  const times = randomStream(seed, `faults/${process.name}/times`);
  const sizes = randomStream(seed, `faults/${process.name}/sizes`);
  const gap = sampler(process.every, times);
  const entries: TimelineEntry[] = [];
  let at = Math.max(gap(), 1);
  while (at < topology.duration && entries.length < EVENTS_MAX) {
    entries.push({ at, text: process.text, ...actionOf(process, topology, sizes) });
    at += Math.max(gap(), 1);
  }
  return entries;
}

/** `Omit` of a union, member by member. */
type ActionOnly<T> = T extends unknown ? Omit<T, 'at' | 'text'> : never;

function actionOf(
  { action, hop, hosts, ...drawn }: FaultProcess,
  topology: Topology,
  stream: RandomStream,
): ActionOnly<TimelineEntry> {
  const replicas = topology.hosts.find((group) => group.name === hosts)?.count ?? 1;
  const time = (of: FaultProcess['lasts']): number =>
    of === null ? 1 : Math.max(sampler(of, stream)(), 1);
  const amount = (of: FaultProcess['share'], min: number, max: number): number => {
    const value = of === null ? min : Math.round(sampler(of, stream)() / 1_000) / 1_000;
    return Math.min(Math.max(value, min), max);
  };
  switch (action) {
    case 'slow':
      return { action, hop, factor: amount(drawn.factor, 0.001, 1e6), lasts: time(drawn.lasts) };
    case 'stall':
    case 'kill':
    case 'stop-accepting':
      return { action, hop, lasts: time(drawn.lasts) };
    case 'slow-requests': {
      const share = amount(drawn.share, 0, 1);
      return { action, hop, share, extra: time(drawn.extra), lasts: time(drawn.lasts) };
    }
    case 'replace-nodes': {
      const count = Math.round(amount(drawn.count, 1, nodesOf(topology, hop)));
      return { action, hop, count };
    }
    case 'host-down':
    case 'deregister': {
      const replica = stream.below(replicas);
      return { action, hosts, replica, lasts: time(drawn.lasts) };
    }
    case 'reset-connections':
      return { action, hop, share: amount(drawn.share, 0, 1) };
    case 'stop-reading':
      return { action, hop, share: amount(drawn.share, 0, 1), lasts: time(drawn.lasts) };
  }
}

function nodesOf(topology: Topology, name: string): number {
  const hop = topology.hops.find((one) => one.name === name);
  return hop?.kind === 'gateway' ? hop.nodes : 1;
}
