/**
 * What a rule may look at: the topology, the run's facts, the summary and the per-second series.
 */

import type { SecondRow } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import type { Finding, QueueSummary, Summary } from '../model/summary.ts';
import type { Hop, HopKind, Topology } from '../model/topology.ts';

export interface FindingInput {
  readonly topology: Topology;
  readonly info: RunInfo;
  readonly summary: Omit<Summary, 'findings' | 'recording'>;
  readonly seconds: Iterable<SecondRow>;
}

/** A rule is a pure function; it returns nothing when what it needs is not known. */
export type Rule = (input: FindingInput) => readonly Finding[];

export function hopsOf<K extends HopKind>(
  topology: Topology,
  kind: K,
): readonly Extract<Hop, { kind: K }>[] {
  return topology.hops.filter((hop): hop is Extract<Hop, { kind: K }> => hop.kind === kind);
}

export function hop(topology: Topology, name: string | null): Hop | null {
  return topology.hops.find((one) => one.name === name) ?? null;
}

/** Hops that a hop's connections reach, from the next one to the last. */
export function upstreamOf(topology: Topology, from: Hop): Hop[] {
  const found: Hop[] = [];
  for (
    let next = hop(topology, from.upstream);
    next !== null;
    next = hop(topology, next.upstream)
  ) {
    found.push(next);
  }
  return found;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function seconds(micros: number): string {
  return micros >= 1e6
    ? `${Number((micros / 1e6).toFixed(2))} s`
    : `${Number((micros / 1e3).toFixed(2))} ms`;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** Slots of a queue on all its hosts, and the share of their time that was hoarded. */
export function hoardedShare(
  topology: Topology,
  summary: FindingInput['summary'],
  queue: QueueSummary,
): { readonly slots: number; readonly share: number } {
  const group = topology.hosts.find((one) => one.hops.includes(queue.name));
  const slots = queue.activeMax * (group?.count ?? 1);
  const slotSeconds = slots * summary.durationSeconds;
  return { slots, share: slotSeconds > 0 ? (queue.hoardedSlotSeconds ?? 0) / slotSeconds : 0 };
}
