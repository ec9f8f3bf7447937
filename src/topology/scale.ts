/**
 * `--scale f`: the same system in a smaller (or larger) size. Hosts, gateway nodes and edge
 * locations are rounded up, and stay at least 2 where there was more than 1, because one alone
 * does not show what several do to each other. Load, database capacity and throttle follow the
 * ratio of hosts that comes out, not f, so that each host sees the load it saw before.
 *
 * What cannot be kept is said: rounding shifts the number of connections that arrive at each
 * host, and that number is what decides whether slots run short.
 */
import type { FaultProcess, Hop, HostGroup, TimelineEntry, Topology } from '../model/topology.ts';
import { eachSetting, mapSettings, settingsOf } from './catalog/catalog.ts';
import { type ChangeValue, rowOf } from './change.ts';
import { mapDistribution } from './distribution.ts';
import type { Setting } from './setting.ts';

/** A setting that scaling changed, printed with its unit. */
export interface Effective {
  readonly path: string;
  readonly from: string;
  readonly to: string;
}

export interface Scaled {
  readonly topology: Topology;
  readonly effective: readonly Effective[];
  readonly warnings: readonly string[];
}

/** How far connections (or capacity) per host may shift without a warning. */
const SHIFT_MAX = 0.1;

export function scaleTopology(topology: Topology, factor: number): Scaled {
  if (factor === 1) return { topology, effective: [], warnings: [] };
  const hosts = topology.hosts.map((group) => ({
    ...group,
    count: scaleReplicas(group.count, factor),
  }));
  const ratio = totalHosts(hosts) / totalHosts(topology.hosts);
  const hops = topology.hops.map((hop) => scaleHop(hop, factor, ratio));
  const scaled: Topology = {
    ...topology,
    hops,
    hosts,
    applied: { ...topology.applied, scale: topology.applied.scale * factor },
  };
  const timeline = topology.timeline.map((one) => scaleEntry(one, topology, scaled, ratio));
  return {
    topology: {
      ...scaled,
      timeline,
      faults: topology.faults.map((one) => scaleFault(one, topology, scaled)),
    },
    effective: changes(topology, scaled),
    warnings: shifts(topology, scaled, ratio),
  };
}

/** Rounded up; at least 2 where there was more than 1. */
export function scaleReplicas(count: number, factor: number): number {
  // 0.1 x 30 is a little more than 3 in floating point; that is not a fourth host.
  const exact = Math.ceil(count * factor - 1e-9);
  return Math.max(count > 1 ? 2 : 1, exact);
}

/** A system without groups of hosts has one host, which is never scaled. */
function totalHosts(hosts: readonly HostGroup[]): number {
  return hosts.reduce((sum, group) => sum + group.count, 0) || 1;
}

function scaleHop(hop: Hop, factor: number, ratio: number): Hop {
  return mapSettings(settingsOf(hop), hop, (setting, value) => {
    if (setting.follows === 'load') return setting.resize(value, ratio);
    if (setting.follows !== 'replicas' || typeof value !== 'number') return value;
    return scaleReplicas(value, factor);
  });
}

function scaleEntry(
  one: TimelineEntry,
  before: Topology,
  after: Topology,
  ratio: number,
): TimelineEntry {
  switch (one.action) {
    case 'set': {
      const row = rowOf(before, one.path);
      return row?.follows === 'load' ? { ...one, to: resized(row, one.to, ratio) } : one;
    }
    case 'replace-nodes': {
      const from = nodesOf(before, one.hop);
      const to = nodesOf(after, one.hop);
      return { ...one, count: Math.min(to, Math.max(1, Math.round((one.count * to) / from))) };
    }
    case 'host-down':
    case 'deregister': {
      const group = after.hosts.find((candidate) => candidate.name === one.hosts);
      return { ...one, replica: Math.min(one.replica, (group?.count ?? 1) - 1) };
    }
    default:
      return one;
  }
}

/** A node of few is more than one of many, but less than one cannot be replaced. */
function scaleFault(one: FaultProcess, before: Topology, after: Topology): FaultProcess {
  const { action, count, hop } = one;
  if (action !== 'replace-nodes' || count === null) return one;
  const ratio = nodesOf(after, hop) / nodesOf(before, hop);
  return { ...one, count: mapDistribution(count, (value) => Math.round(value * ratio)) };
}

function resized(row: Setting<unknown>, value: ChangeValue, ratio: number): ChangeValue {
  const changed = row.resize(value, ratio);
  return typeof changed === 'number' ? changed : value;
}

function nodesOf(topology: Topology, name: string): number {
  const hop = topology.hops.find((one) => one.name === name);
  return hop?.kind === 'gateway' ? hop.nodes : 1;
}

function changes(before: Topology, after: Topology): Effective[] {
  const list: Effective[] = [];
  const add = (path: string, from: string, to: string): void => {
    if (from !== to) list.push({ path, from, to });
  };
  for (const [index, group] of before.hosts.entries()) {
    add(`${group.name}.count`, String(group.count), String(after.hosts[index]?.count));
  }
  for (const [index, hop] of before.hops.entries()) {
    const other = after.hops[index];
    if (other === undefined) continue;
    const values = new Map<string, string>();
    eachSetting(settingsOf(other), other, (path, setting, value) => {
      values.set(path.join('.'), setting.format(value));
    });
    eachSetting(settingsOf(hop), hop, (path, setting, value) => {
      const key = path.join('.');
      add(`${hop.name}.${key}`, setting.format(value), values.get(key) ?? '');
    });
  }
  return list;
}

/** Counts whose relation to the number of hosts decides how many connections a host sees. */
function perHostCounts(hop: Hop): [string, number][] {
  switch (hop.kind) {
    case 'clients':
      return [[`clients of ${hop.name}`, hop.count]];
    case 'edge':
      return [[`locations of ${hop.name}`, hop.locations]];
    case 'gateway':
      return [[`nodes of ${hop.name}`, hop.nodes]];
    case 'database':
      return [
        [`connectionsMax of ${hop.name}`, hop.connectionsMax],
        [`concurrencyMax of ${hop.name}`, hop.concurrencyMax],
      ];
    default:
      return [];
  }
}

function shifts(before: Topology, after: Topology, ratio: number): string[] {
  const warnings: string[] = [];
  for (const [index, hop] of before.hops.entries()) {
    const other = after.hops[index];
    const counts = other === undefined ? [] : perHostCounts(other);
    for (const [position, [what, from]] of perHostCounts(hop).entries()) {
      const to = counts[position]?.[1] ?? from;
      const shift = to / from / ratio - 1;
      if (Math.abs(shift) <= SHIFT_MAX + 1e-9) continue;
      const percent = `${shift > 0 ? '+' : ''}${Math.round(shift * 100)} %`;
      warnings.push(
        `--scale shifts the ${what} per host by ${percent} (${from} -> ${to}, ` +
          `hosts ${totalHosts(before.hosts)} -> ${totalHosts(after.hosts)})`,
      );
    }
  }
  return warnings;
}
