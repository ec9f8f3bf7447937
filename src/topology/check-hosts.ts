/**
 * Hosts and processes: a group of hosts carries a run of adjacent hops, a hop lives in one
 * group, and whoever sends to several hosts must be a balancer, because nothing else chooses.
 */
import type { HopKind } from '../model/topology.ts';
import { hostsOf, isBalancer, type Outline, type OutlineHosts, type Report } from './outline.ts';
import { entry, list, text } from './raw.ts';
import { didYouMeanOr } from './suggest.ts';

/** These hops multiply in their own way. */
const OWN_REPLICAS: Partial<Record<HopKind, string>> = {
  clients: 'set its count instead',
  edge: 'set its locations instead',
  gateway: 'set its nodes instead',
};

export function checkHosts(outline: Outline, report: Report): void {
  let broken = outline.uncertain;
  const reportBroken: Report = (...problem) => {
    broken = true;
    report(...problem);
  };
  const homes = new Map<string, string>();
  for (const group of outline.hosts) {
    checkCarried(outline, group, homes, reportBroken);
    if (!broken) checkAdjacent(outline, group, reportBroken);
  }
  // Who sends to which hosts is known only once the groups are right.
  if (!broken) checkBalanced(outline, report);
}

/** `homes` holds where each hop lives, for hops of the groups before. */
function checkCarried(
  outline: Outline,
  group: OutlineHosts,
  homes: Map<string, string>,
  report: Report,
): void {
  for (const [position, name] of group.hops.entries()) {
    if (name === null) continue;
    const path = ['hosts', group.index, 'hops', position];
    const hop = outline.byName.get(name);
    if (hop === undefined) {
      const names = [...outline.byName.keys()];
      const hint = didYouMeanOr(name, names, 'hops');
      if (!outline.unnamed) report(path, `there is no hop named "${name}"`, hint);
      continue;
    }
    const home = homes.get(name);
    if (home !== undefined) {
      report(path, `"${name}" is already carried by ${home}`, 'a hop lives in one place');
    }
    homes.set(name, `the hosts "${group.name}"`);
    const instead = hop.kind === null ? undefined : OWN_REPLICAS[hop.kind];
    if (instead !== undefined) report(path, `${hop.kind} cannot live on hosts`, instead);
  }
}

function checkAdjacent(outline: Outline, group: OutlineHosts, report: Report): void {
  for (const [position, name] of group.hops.entries()) {
    const next = group.hops[position + 1];
    const hop = name === null ? undefined : outline.byName.get(name);
    if (hop === undefined || next === undefined || next === null) continue;
    if (!outline.byName.has(next) || hop.upstream === next || next === name) continue;
    const actual = hop.upstream === null ? 'nothing' : `"${hop.upstream}"`;
    report(
      ['hosts', group.index, 'hops', position + 1],
      `"${next}" is not the next hop after "${name}" (that is ${actual})`,
      'list adjacent hops, from the clients toward the database',
    );
  }
}

function checkBalanced(outline: Outline, report: Report): void {
  for (const hop of outline.hops) {
    if (hop.upstream === null || hop.name === null || hop.kind === null) continue;
    if (hop.kind === 'database') continue;
    const group = hostsOf(outline, hop.upstream);
    if (group === null || group.count <= 1 || group.hops.includes(hop.name)) continue;
    if (isBalancer(hop.kind)) continue;
    report(
      ['hops', hop.index, 'upstream'],
      `"${hop.name}" cannot choose among the ${group.count} hosts of "${group.name}"`,
      'put an l4-balancer or l7-balancer in front of them',
    );
  }
}

export function checkProcesses(raw: unknown, outline: Outline, report: Report): void {
  const names = new Set<string>();
  const placed = new Set<string>();
  for (const [index, group] of list(entry(raw, 'processes')).entries()) {
    const name = text(entry(group, 'name'));
    if (name !== null && names.has(name)) {
      report(['processes', index, 'name'], `the process "${name}" is given twice`, null);
    }
    if (name !== null) names.add(name);
    for (const [position, hop] of list(entry(group, 'hops')).entries()) {
      if (typeof hop !== 'string') continue;
      const path = ['processes', index, 'hops', position];
      const known = [...outline.byName.keys()];
      if (!outline.byName.has(hop)) {
        report(path, `there is no hop named "${hop}"`, didYouMeanOr(hop, known, 'hops'));
      } else if (placed.has(hop)) {
        report(path, `"${hop}" is already in a process`, 'a hop lives in one process');
      }
      placed.add(hop);
    }
  }
}
