/**
 * Pools without a connection for everybody: requests of an open load wait there for one, before
 * they come to any station. Known is one such pool (or several alike) before stations at which
 * then nobody waits: each pool is a queue with connectionsMax servers.
 */
import type { ClientsHop, Hop } from '../model/topology.ts';
import { erlangC } from '../theory/erlang.ts';
import type { Chain } from './chain.ts';
import { type Station, waitOf, workOf } from './stations.ts';
import { isSteady } from './way.ts';

export interface Narrow {
  readonly hop: Hop;
  readonly pools: number;
  readonly connectionsMax: number;
  /** Of the gaps of what comes to one pool: 1 = Poisson, Infinity = all alike. */
  readonly stages: number;
}

/** The first hop on the way whose pools are limited, other than the app's to its database. */
export function narrowPool(chain: Chain, client: ClientsHop): Narrow | null {
  for (const hop of chain.from(client)) {
    if (!('pool' in hop) || hop.kind === 'app' || hop.pool.connectionsMax === 0) continue;
    const { workload } = client;
    const pools = poolsOf(chain, hop);
    const evenly = workload.kind === 'open' && workload.arrivals === 'constant' && pools === 1;
    const stages = evenly && isSteady(chain, client) ? Number.POSITIVE_INFINITY : 1;
    return { hop, pools, connectionsMax: hop.pool.connectionsMax, stages };
  }
  return null;
}

/** Requests that can be past it at once. */
export function widthOf({ pools, connectionsMax }: Narrow): number {
  return pools * connectionsMax;
}

function poolsOf(chain: Chain, hop: Hop): number {
  if (hop.kind === 'clients') return hop.count;
  if (hop.kind === 'edge') return hop.locations;
  if (hop.kind === 'gateway') return hop.nodes * hop.poolsPerNode;
  const next = chain.upstream(hop);
  return next === null ? 1 : chain.replicas(next);
}

/** Mean wait for a connection, each of which is taken for `busy` seconds. */
export function connectionWait(
  { pools, connectionsMax, stages }: Narrow,
  rate: number,
  { busy, variation }: { readonly busy: number; readonly variation: number },
): number {
  const queue = { servers: connectionsMax, service: busy, variation, stages };
  return waitOf(queue, rate / pools);
}

/** Does hardly anybody wait for a connection? */
export function isWide({ pools, connectionsMax }: Narrow, rate: number, busy: number): boolean {
  const load = (rate / pools) * busy;
  return load < connectionsMax && erlangC(connectionsMax, load) < SELDOM;
}

const SELDOM = 1e-6;

/** Mean and squared variation of the work of one request, where it waits nowhere. */
export function occupancyOf(stations: readonly Station[], transit: number) {
  const busy = workOf(stations, transit);
  const variance = stations.reduce(
    (sum, { visits, service, variation }) => sum + visits * variation * service * service,
    0,
  );
  return { busy, variation: busy === 0 ? 0 : variance / (busy * busy) };
}
