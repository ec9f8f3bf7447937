/**
 * Which participants a diagram has, from left to right: the hops from a clients hop to the web
 * server (or further when asked), in the incident's names. Hops on hosts appear once per host
 * that the client's requests reached, after the host itself:
 *
 *   JMETER  APIGW  NLB | EC2 #1  ConnCtrl #1  NGINX #1 | EC2 #3  ConnCtrl #3  NGINX #3
 *
 * With one host in use only the host carries its number, and with one host in all none does.
 */
import type { ClientsHop, Hop, HopKind, HostGroup, Topology } from '../../model/topology.ts';
import type { Participant } from './sequence.ts';

/** The last hop that is drawn. */
export type UpTo = 'web-server' | 'app' | 'database';

const KIND_NAMES: Readonly<Record<HopKind, string>> = {
  clients: 'JMETER',
  edge: 'CloudFront',
  gateway: 'APIGW',
  'l4-balancer': 'NLB',
  'l7-balancer': 'ALB',
  'connection-queue': 'ConnCtrl',
  'web-server': 'NGINX',
  app: 'App',
  database: 'Database',
};

/** The hops on the way from a clients hop, itself included. */
export function chainOf(topology: Topology, clients: string, upTo: UpTo): Hop[] {
  const chain: Hop[] = [];
  let name: string | null = clients;
  while (name !== null && chain.length <= topology.hops.length) {
    const hop: Hop | undefined = topology.hops.find((one) => one.name === name);
    if (hop === undefined) break;
    chain.push(hop);
    name = hop.upstream;
  }
  return chain.slice(0, endOfChain(chain, upTo));
}

function endOfChain(chain: readonly Hop[], upTo: UpTo): number {
  const order: readonly HopKind[] = ['web-server', 'app', 'database'];
  const beyond = order.slice(order.indexOf(upTo) + 1);
  const end = chain.findIndex((hop) => beyond.includes(hop.kind));
  // A chain without a web server still shows what it has in its place.
  const hasEnd = chain.some((hop) => hop.kind === upTo);
  if (end < 0) return chain.length;
  return hasEnd ? end : end + 1;
}

/** Participants and how to find the one of a hop on a host. */
export class Lifelines {
  readonly participants: Participant[] = [];
  readonly #ids = new Map<string, string>();
  readonly #hops: readonly Hop[];
  readonly #groups: readonly HostGroup[];
  readonly #replicas: readonly number[];

  /** `replicas`: the host numbers in use, ascending; empty = one host without a number. */
  constructor(topology: Topology, hops: readonly Hop[], replicas: readonly number[]) {
    this.#hops = hops;
    this.#groups = topology.hosts;
    this.#replicas = replicas;
    for (let i = 0; i < hops.length; ) {
      const group = this.groupOf(hops[i]?.name);
      const end = group === null ? i + 1 : this.#endOfGroup(i, group);
      this.#add(hops.slice(i, end), group);
      i = end;
    }
  }

  /** The host group that carries a hop, or null. */
  groupOf(hop: string | undefined): HostGroup | null {
    return this.#groups.find((group) => hop !== undefined && group.hops.includes(hop)) ?? null;
  }

  /** Hops beyond the last one drawn have none: null. */
  hop(name: string, replica: number | null): string | null {
    return this.#ids.get(key(name, replica)) ?? this.#ids.get(key(name, this.#first)) ?? null;
  }

  /** The host in front of a hop, if the hop is the first one drawn on it. */
  hostBefore(name: string, replica: number | null): string | null {
    const group = this.groupOf(name);
    if (group === null) return null;
    const before = this.#hops[this.#hops.findIndex((hop) => hop.name === name) - 1];
    if (this.groupOf(before?.name) === group) return null;
    return this.hop(hostKey(group), replica);
  }

  get #first(): number | null {
    return this.#replicas[0] ?? null;
  }

  #endOfGroup(start: number, group: HostGroup): number {
    let end = start;
    while (end < this.#hops.length && this.groupOf(this.#hops[end]?.name) === group) end += 1;
    return end;
  }

  #add(hops: readonly Hop[], group: HostGroup | null): void {
    const replicas = group === null || this.#replicas.length === 0 ? [null] : this.#replicas;
    for (const replica of replicas) {
      let host: string | null = null;
      if (group !== null) {
        const number = replica === null || group.count === 1 ? '' : ` #${replica}`;
        host = this.#nextId();
        this.#put(hostKey(group), replica, { name: `${hostName(group)}${number}`, host });
      }
      for (const hop of hops) {
        const number = group === null || replicas.length === 1 ? '' : ` #${replica}`;
        const name = `${this.#hopName(hop)}${number}`;
        this.#put(hop.name, group === null ? null : replica, { name, host });
      }
    }
  }

  #nextId(): string {
    return `p${this.participants.length + 1}`;
  }

  #put(name: string, replica: number | null, shown: Omit<Participant, 'id'>): void {
    const id = this.#nextId();
    this.participants.push({ id, ...shown });
    this.#ids.set(key(name, replica), id);
    if (!this.#ids.has(key(name, null))) this.#ids.set(key(name, null), id);
  }

  #hopName(hop: Hop): string {
    // Whoever they are; the incident's diagrams are of its test client.
    if (hop.kind === 'clients') return isJmeter(hop) ? KIND_NAMES.clients : hop.name;
    const same = this.#hops.filter((one) => one.kind === hop.kind).length;
    return same > 1 ? `${KIND_NAMES[hop.kind]} ${hop.name}` : KIND_NAMES[hop.kind];
  }
}

function isJmeter({ name, requestsPerIteration }: ClientsHop): boolean {
  return requestsPerIteration > 0 || /jmeter/i.test(name);
}

function hostName(group: HostGroup): string {
  return /ec2|host/i.test(group.name) ? 'EC2' : group.name;
}

/** Hop names cannot contain a space at the start, so a host's key is never a hop's. */
function hostKey(group: HostGroup): string {
  return ` ${group.name}`;
}

function key(name: string, replica: number | null): string {
  return `${replica ?? ''} ${name}`;
}
