/**
 * What the plan of a run means for measuring: which ends can be expected on a link, which hops
 * frame requests (L7) and which only relay bytes (L4), where queues and hosts are. Worked out
 * once, so that the fold asks arrays instead of searching names.
 */
import { hopNamed, isL4 } from '../model/plan.ts';
import type { RunInfo } from '../model/run.ts';
import type { AppHop, DatabaseHop, Hop } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';

export interface LinkShape {
  readonly index: number;
  readonly name: string;
  readonly downstream: string;
  readonly upstream: string;
  readonly alive: boolean;
  /** Our own processes carry that side, so that an end must be there. */
  readonly connectorOwn: boolean;
  readonly acceptorOwn: boolean;
  /** At least one side is ours: else nobody tells of the connections between them. */
  readonly seen: boolean;
  /** That side frames requests; on alive links the connector does: a health check is a request. */
  readonly connectorL7: boolean;
  readonly acceptorL7: boolean;
  readonly acceptorIsQueue: boolean;
  /** The nearest L7 hop in either direction is ours, so that exchanges can be counted. */
  readonly exchangesKnown: boolean;
  /** The clients' own link. */
  readonly fromClients: boolean;
}

export interface InstanceShape {
  readonly index: number;
  readonly hop: string;
  /** `ec2#3`, or null; requests are counted at the first own L7 hop of a host only. */
  readonly host: string | null;
  readonly countsForHost: boolean;
  readonly process: number;
  /** Position of its hop in `RunShape.queues`, `.groups`, `.stations`; -1 = it is none. */
  readonly queue: number;
  readonly group: number;
  readonly station: number;
  readonly name: string;
}

export interface QueueShape {
  readonly hop: string;
  readonly activeMax: number;
  readonly instances: number;
  /** The nearest L7 hop toward the clients (all of them, if several) is ours. */
  readonly requestsSeenDownstream: boolean;
  readonly requestsSeenUpstream: boolean;
}

export interface GroupShape {
  readonly hop: string;
  readonly count: number;
  readonly own: boolean;
}

/** A hop whose work takes time: an app, or a database. */
export interface StationShape {
  readonly hop: string;
  readonly isDatabase: boolean;
  /** 0 = without limit. */
  readonly concurrencyMax: number;
  readonly instances: number;
  readonly own: boolean;
}

export interface RunShape {
  readonly links: readonly LinkShape[];
  readonly instances: readonly InstanceShape[];
  readonly queues: readonly QueueShape[];
  readonly groups: readonly GroupShape[];
  readonly stations: readonly StationShape[];
  readonly hosts: readonly string[];
  /** The load window: measures of slots and requests are struck inside it. */
  readonly from: Micros;
  /** Moves only when a load that was planned to last longer is ended (`Fold.endEarly`). */
  to: Micros;
  readonly starvedAfter: Micros;
}

export function shapeOf(info: RunInfo): RunShape {
  const { topology, plan } = info;
  const own = (hop: string): boolean =>
    plan.instances.some((instance) => instance.hop === hop && instance.process >= 0);
  const l7 = (hop: string): boolean => !isL4(hopNamed(topology, hop));
  const queueHops = topology.hops
    .filter((hop) => hop.kind === 'connection-queue')
    .filter((hop) => own(hop.name));
  const groupHops = topology.hops.filter((hop) => hop.kind === 'clients');
  const stationHops = topology.hops.filter(isStation);
  const counting = new Set(
    topology.hosts.map((host) => host.hops.find((hop) => l7(hop) && own(hop))),
  );
  return {
    links: plan.links.map((link) => {
      const alive = link.purpose === 'alive';
      return {
        index: link.index,
        name: link.name,
        downstream: link.downstream,
        upstream: link.upstream,
        alive,
        connectorOwn: own(link.downstream),
        acceptorOwn: own(link.upstream),
        seen: own(link.downstream) || own(link.upstream),
        connectorL7: alive || l7(link.downstream),
        acceptorL7: l7(link.upstream),
        exchangesKnown:
          (alive || l7(link.downstream)
            ? own(link.downstream)
            : nearestL7(info, link.downstream, 'downstream').every(own)) ||
          (l7(link.upstream)
            ? own(link.upstream)
            : nearestL7(info, link.upstream, 'upstream').every(own)),
        acceptorIsQueue: hopNamed(topology, link.upstream).kind === 'connection-queue',
        fromClients: groupHops.some((hop) => hop.name === link.downstream),
      };
    }),
    instances: plan.instances.map((instance) => ({
      index: instance.index,
      hop: instance.hop,
      host: instance.host,
      countsForHost: instance.host !== null && counting.has(instance.hop),
      process: instance.process,
      queue: queueHops.findIndex((hop) => hop.name === instance.hop),
      group: groupHops.findIndex((hop) => hop.name === instance.hop),
      station: stationHops.findIndex((hop) => hop.name === instance.hop),
      name: `${instance.hop}#${instance.replica}`,
    })),
    queues: queueHops.map((hop) => ({
      hop: hop.name,
      activeMax: hop.activeMax,
      instances: plan.instances.filter((instance) => instance.hop === hop.name).length,
      requestsSeenDownstream: nearestL7(info, hop.name, 'downstream').every(own),
      requestsSeenUpstream: nearestL7(info, hop.name, 'upstream').every(own),
    })),
    groups: groupHops.map((hop) => ({ hop: hop.name, count: hop.count, own: own(hop.name) })),
    stations: stationHops.map((hop) => ({
      hop: hop.name,
      isDatabase: hop.kind === 'database',
      concurrencyMax: hop.concurrencyMax,
      instances: plan.instances.filter((instance) => instance.hop === hop.name).length,
      own: own(hop.name),
    })),
    hosts: [...new Set(plan.instances.flatMap((one) => (one.host === null ? [] : [one.host])))],
    from: info.loadStart,
    to: info.loadEnd ?? Number.POSITIVE_INFINITY,
    starvedAfter: topology.starvedAfter,
  };
}

function isStation(hop: Hop): hop is AppHop | DatabaseHop {
  return hop.kind === 'app' || hop.kind === 'database';
}

/** The nearest hops in one direction that frame requests; several where branches meet. */
function nearestL7(info: RunInfo, from: string, direction: 'downstream' | 'upstream'): string[] {
  const { topology } = info;
  const hop = hopNamed(topology, from);
  const next =
    direction === 'downstream'
      ? topology.hops.filter((one) => one.upstream === from)
      : topology.hops.filter((one) => one.name === hop.upstream);
  return next.flatMap((one) => (isL4(one) ? nearestL7(info, one.name, direction) : [one.name]));
}

/** Names of the clients hops whose requests can reach a hop. */
export function groupsBefore(info: RunInfo, hop: string): string[] {
  return info.topology.hops
    .filter((one) => one.kind === 'clients')
    .map((one) => one.name)
    .filter((name) => leadsTo(info, name, hop));
}

function leadsTo(info: RunInfo, from: string, hop: string): boolean {
  // Bounded by the number of hops: a chain has no cycles, but a document might.
  let name: string | null = from;
  for (let i = 0; i <= info.topology.hops.length && name !== null; i++) {
    if (name === hop) return true;
    name = hopNamed(info.topology, name).upstream;
  }
  return false;
}
