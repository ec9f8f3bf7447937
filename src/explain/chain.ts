/** Who follows whom: the way of a group's requests, and which replicas share it. */
import { isL4 } from '../model/plan.ts';
import type { AppHop, DatabaseHop, Hop, HopKind, Topology } from '../model/topology.ts';

export class Chain {
  readonly topology: Topology;
  readonly #byName: ReadonlyMap<string, Hop>;

  constructor(topology: Topology) {
    this.topology = topology;
    this.#byName = new Map(topology.hops.map((hop) => [hop.name, hop]));
  }

  /** The hop itself, then all that are upstream of it, in order. */
  from(hop: Hop): readonly Hop[] {
    const way = [hop];
    for (let next = this.upstream(hop); next !== null; next = this.upstream(next)) way.push(next);
    return way;
  }

  upstream(hop: Hop): Hop | null {
    return hop.upstream === null ? null : (this.#byName.get(hop.upstream) ?? null);
  }

  /** The nearest hop upstream that ends its connections. */
  acceptor(hop: Hop): Hop | null {
    return this.from(hop).find((one) => one !== hop && !isL4(one)) ?? null;
  }

  /** L4 hops between it and its acceptor. */
  relays(hop: Hop): readonly Hop[] {
    const [, ...way] = this.from(hop);
    const end = way.findIndex((one) => !isL4(one));
    return way.slice(0, end === -1 ? way.length : end);
  }

  /** Names of the links that a hop's own connections pass over, first to last. */
  links(hop: Hop): readonly string[] {
    const acceptor = this.acceptor(hop);
    if (acceptor === null) return [];
    const hops = [hop, ...this.relays(hop), acceptor];
    return hops.slice(1).map((next, index) => `${hops[index]?.name}->${next.name}`);
  }

  app(hop: Hop): AppHop | null {
    return this.from(hop).find((one) => one.kind === 'app') ?? null;
  }

  database(hop: Hop): DatabaseHop | null {
    return this.from(hop).find((one) => one.kind === 'database') ?? null;
  }

  replicas(hop: Hop): number {
    return this.topology.hosts.find((group) => group.hops.includes(hop.name))?.count ?? 1;
  }

  hasKind(hop: Hop, kind: HopKind): boolean {
    return this.from(hop).some((one) => one.kind === kind);
  }
}
