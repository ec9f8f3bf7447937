/**
 * Pools without a connection for everybody: requests of an open load wait there for one, before
 * they come to any station. Known is one such pool (or several alike) before stations at which
 * then nobody waits: each pool is a queue with connectionsMax servers.
 */
import type { ClientsHop, Hop } from '../model/topology.ts';
import { erlangC } from '../theory/erlang.ts';
import { type Estimate, generalWait } from '../theory/general-queue.ts';
import { type Arrivals, arrivalsAt } from './arrivals.ts';
import type { Chain } from './chain.ts';
import { between, type Station, workOf } from './stations.ts';
import { opensEachTime, ownerOf } from './way.ts';

export interface Narrow {
  readonly hop: Hop;
  readonly pools: number;
  /** Of one pool; slots, of a queue. */
  readonly connectionsMax: number;
  /** At one pool. */
  readonly arrivals: Arrivals;
}

/**
 * The first hop on the way whose pools are limited, other than the app's to its database; or a
 * connection queue where each request has a connection to itself, and so a slot.
 */
export function narrowPool(chain: Chain, client: ClientsHop): Narrow | null {
  const way = chain.from(client);
  for (const hop of way) {
    if (hop.kind === 'connection-queue' && opensEachTime(chain, ownerOf(way, hop))) {
      const arrivals = arrivalsAt(chain, [client], hop);
      return { hop, pools: chain.replicas(hop), connectionsMax: hop.activeMax, arrivals };
    }
    if (!('pool' in hop) || hop.kind === 'app' || hop.pool.connectionsMax === 0) continue;
    const pools = poolsOf(chain, hop);
    const arrivals = arrivalsAtPools(chain, client, hop, pools);
    return { hop, pools, connectionsMax: hop.pool.connectionsMax, arrivals };
  }
  return null;
}

/** An open group's arrivals fall on its clients by chance, so that each has Poisson ones. */
function arrivalsAtPools(chain: Chain, client: ClientsHop, hop: Hop, pools: number): Arrivals {
  const stream = arrivalsAt(chain, [client], client);
  const known = stream.stages === 1 ? hop.kind === 'clients' : pools === 1;
  if (known) return stream;
  return { stages: 1, other: { stages: stream.stages, pooled: pools }, remark: LANDS };
}

const LANDS = 'requests land on pools somehow: between one pool for all and one drawn for each';

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
  { pools, connectionsMax, arrivals }: Narrow,
  rate: number,
  { busy, variation }: { readonly busy: number; readonly variation: number },
): Estimate {
  const queue = { servers: connectionsMax, service: busy, variation, stages: arrivals.stages };
  const told = generalWait(queue, rate / pools);
  const { other } = arrivals;
  if (other === null) return told;
  const servers = connectionsMax * other.pooled;
  const extreme = { ...queue, stages: other.stages, servers };
  return between(told, generalWait(extreme, (rate / pools) * other.pooled));
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
