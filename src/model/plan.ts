/**
 * The plan of a run: which replicas of which hops exist, which links join them, and which
 * process runs each. Both engines number instances and links the same way, so that their
 * events mean the same.
 *
 * Edge locations and gateway nodes live inside one instance; only hosts multiply instances.
 * The default layout has two processes, for two cores: `front` carries the load, edge and
 * gateway, and the embedded database (the cheapest way to even out the two); `back` the rest.
 */
import type { Instance, Link, RunPlan } from './run.ts';
import type { Hop, HopKind, Topology } from './topology.ts';

const FRONT_KINDS: readonly HopKind[] = ['clients', 'edge', 'gateway', 'database'];

export interface PlanOptions {
  /** The clients are somebody else's program (`--no-load`). */
  readonly externalClients: boolean;
}

const FOREIGN: ReadonlySet<string> = new Set(['nginx', 'haproxy', 'mariadb', 'url']);

/** True for hops that a foreign program implements: it emits no events. */
export function isForeign(hop: Hop): boolean {
  return 'implementation' in hop && FOREIGN.has(hop.implementation);
}

export function isL4(hop: Hop): boolean {
  return hop.kind === 'l4-balancer' || hop.kind === 'connection-queue';
}

export function hopNamed(topology: Topology, name: string): Hop {
  const hop = topology.hops.find((candidate) => candidate.name === name);
  if (hop === undefined) throw new Error(`no hop named ${name}`);
  return hop;
}

export function makePlan(topology: Topology, options: PlanOptions): RunPlan {
  const layout = processLayout(topology);
  const processes = layout.map((group) => group.name);
  const instances: Instance[] = [];
  for (const hop of topology.hops) {
    const foreign = isForeign(hop) || (hop.kind === 'clients' && options.externalClients);
    const process = foreign ? -1 : layout.findIndex((group) => group.hops.includes(hop.name));
    const group = topology.hosts.find((candidate) => candidate.hops.includes(hop.name));
    for (let replica = 0; replica < (group?.count ?? 1); replica++) {
      instances.push({
        index: instances.length,
        hop: hop.name,
        replica,
        host: group === undefined ? null : `${group.name}#${replica}`,
        process,
      });
    }
  }
  return { instances, links: makeLinks(topology), processes };
}

function makeLinks(topology: Topology): Link[] {
  const links: Link[] = [];
  const add = (downstream: string, upstream: string, purpose: Link['purpose']): void => {
    const suffix = purpose === 'alive' ? '#alive' : '';
    const name = `${downstream}->${upstream}${suffix}`;
    links.push({ index: links.length, name, downstream, upstream, purpose });
  };
  for (const hop of topology.hops) {
    if (hop.upstream !== null) add(hop.name, hop.upstream, 'traffic');
  }
  for (const hop of topology.hops) {
    if (hop.kind !== 'l4-balancer' && hop.kind !== 'l7-balancer') continue;
    if (hop.healthCheck.enabled) add(hop.name, hop.healthCheck.hop, 'alive');
  }
  return links;
}

function processLayout(topology: Topology): { name: string; hops: string[] }[] {
  const groups = topology.processes.map((group) => ({ name: group.name, hops: [...group.hops] }));
  const placed = new Set(groups.flatMap((group) => group.hops));
  const rest = topology.hops.filter((hop) => !placed.has(hop.name) && !isForeign(hop));
  const named = (name: string): { name: string; hops: string[] } => {
    const found = groups.find((group) => group.name === name);
    if (found !== undefined) return found;
    const group = { name, hops: [] };
    groups.push(group);
    return group;
  };
  for (const hop of rest) {
    named(FRONT_KINDS.includes(hop.kind) ? 'front' : 'back').hops.push(hop.name);
  }
  return groups;
}

/**
 * Is the nearest L7 hop in that direction foreign? Then a request must carry its identity in a
 * `traceparent` header for the ledger to follow it through.
 */
export function nearestL7IsForeign(
  topology: Topology,
  plan: RunPlan,
  from: Hop,
  direction: 'upstream' | 'downstream',
): boolean {
  let hops = neighbours(topology, from, direction);
  while (hops.length > 0) {
    const hop = hops[0] as Hop;
    if (!isL4(hop)) return plan.instances.some((one) => one.hop === hop.name && one.process < 0);
    hops = neighbours(topology, hop, direction);
  }
  return false;
}

function neighbours(topology: Topology, hop: Hop, direction: 'upstream' | 'downstream'): Hop[] {
  if (direction === 'downstream') return topology.hops.filter((one) => one.upstream === hop.name);
  return topology.hops.filter((one) => one.name === hop.upstream);
}
