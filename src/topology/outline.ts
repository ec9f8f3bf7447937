/**
 * The outline of a document: names, kinds and who is next to whom, read from plain values that
 * have not been validated. Thanks to it the checks across hops run even when some setting is
 * wrong, so that one run reports everything. What is not what it should be is null here; the
 * schema has reported it.
 */
import type { HopKind } from '../model/topology.ts';
import { HOP_KINDS } from './catalog/catalog.ts';
import type { Path } from './document.ts';
import { entry, isRawMap, list, text } from './raw.ts';

export interface OutlineHop {
  readonly index: number;
  readonly name: string | null;
  readonly kind: HopKind | null;
  /** As given or by default; null = there is none, or it is not a text. */
  readonly upstream: string | null;
  readonly raw: unknown;
}

export interface OutlineHosts {
  readonly index: number;
  readonly name: string | null;
  readonly count: number;
  readonly hops: readonly (string | null)[];
}

export interface Outline {
  readonly hops: readonly OutlineHop[];
  /** The first hop of each name. */
  readonly byName: ReadonlyMap<string, OutlineHop>;
  readonly hosts: readonly OutlineHosts[];
  /** Some hop has no usable kind or name, so the chain is not known for sure. */
  readonly uncertain: boolean;
  /** Some hop has no usable name: a name that seems unknown may be that hop's. */
  readonly unnamed: boolean;
}

/** Reports a problem at a path of the document. */
export type Report = (
  path: Path,
  message: string,
  suggestion: string | null,
  place?: 'key' | 'value',
) => void;

export function makeOutline(raw: unknown): Outline {
  const rawHops = list(entry(raw, 'hops'));
  const kinds = rawHops.map((one) => kindOf(entry(one, 'kind')));
  const hops = rawHops.map((one, index): OutlineHop => {
    const given = isRawMap(one) && Object.hasOwn(one, 'upstream');
    return {
      index,
      name: text(entry(one, 'name')),
      kind: kinds[index] ?? null,
      upstream: given ? text(entry(one, 'upstream')) : nextUpstream(rawHops, kinds, index),
      raw: one,
    };
  });
  const byName = new Map<string, OutlineHop>();
  for (const hop of hops) {
    if (hop.name !== null && !byName.has(hop.name)) byName.set(hop.name, hop);
  }
  const hosts = list(entry(raw, 'hosts')).map((one, index) => {
    const count = entry(one, 'count');
    return {
      index,
      name: text(entry(one, 'name')),
      count: typeof count === 'number' ? count : 1,
      hops: list(entry(one, 'hops')).map(text),
    };
  });
  const uncertain = hops.some((hop) => hop.name === null || hop.kind === null);
  const unnamed = hops.some((hop) => hop.name === null);
  return { hops, byName, hosts, uncertain, unnamed };
}

function kindOf(raw: unknown): HopKind | null {
  return HOP_KINDS.find((kind) => kind === raw) ?? null;
}

/** The default of `upstream`: the next hop in the list that is not clients. */
function nextUpstream(
  hops: readonly unknown[],
  kinds: readonly (HopKind | null)[],
  index: number,
): string | null {
  for (let next = index + 1; next < hops.length; next++) {
    if (kinds[next] !== 'clients') return text(entry(hops[next], 'name'));
  }
  return null;
}

/** The hops upstream of one, nearest first; ends at a cycle or an unknown name. */
export function upstreamOf(outline: Outline, from: OutlineHop): OutlineHop[] {
  const chain: OutlineHop[] = [];
  const seen = new Set<OutlineHop>([from]);
  let here: OutlineHop | undefined = from;
  while (here !== undefined && here.upstream !== null) {
    here = outline.byName.get(here.upstream);
    if (here === undefined || seen.has(here)) break;
    seen.add(here);
    chain.push(here);
  }
  return chain;
}

/** The group of hosts that carries a hop. */
export function hostsOf(outline: Outline, hop: string): OutlineHosts | null {
  return outline.hosts.find((group) => group.hops.includes(hop)) ?? null;
}

/** The default of `healthCheck.hop`. */
export function defaultHealthCheckHop(outline: Outline, balancer: OutlineHop): string | null {
  const chain = upstreamOf(outline, balancer);
  return chain.find((hop) => hop.kind !== 'connection-queue')?.name ?? null;
}

export function isBalancer(kind: HopKind | null): boolean {
  return kind === 'l4-balancer' || kind === 'l7-balancer';
}
