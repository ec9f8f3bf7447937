/**
 * How requests come to one replica of a station: Poisson, evenly, or each k-th of Poisson ones,
 * where a balancer deals them in turn. What takes a constant time on the way keeps all of these;
 * what takes a random time keeps Poisson arrivals alone.
 */
import type { AppHop, ClientsHop, Hop } from '../model/topology.ts';
import { moments } from '../theory/times.ts';
import type { Chain } from './chain.ts';
import { peakOf } from './steady.ts';
import { isSteady, opensEachTime, ownerOf } from './way.ts';

export interface Arrivals {
  /** Gaps are Erlang's of so many stages: 1 = Poisson, Infinity = all alike. */
  readonly stages: number;
  /** Where that is not exactly so, how it could be at the other extreme; null where it is. */
  readonly other: Extreme | null;
  /** Why it is not exactly so; null where it is. */
  readonly remark: string | null;
}

interface Extreme {
  readonly stages: number;
  /** Replicas that are as one, with all their servers. */
  readonly pooled: number;
}

const EVENLY = Number.POSITIVE_INFINITY;
export const POISSON: Arrivals = { stages: 1, other: null, remark: null };
const EVEN: Extreme = { stages: EVENLY, pooled: 1 };
const ROUGH: Arrivals = {
  ...{ stages: 1, other: EVEN },
  remark: 'arrivals at each replica are somewhere between even and Poisson',
};
const THINNED: Arrivals = { ...ROUGH, remark: 'what a throttle lets through is not Poisson' };
const SEVERAL: Arrivals = {
  ...{ stages: 1, other: EVEN },
  remark: 'several even streams together are neither even nor Poisson',
};
const CONNECTS = 'a connect now and then makes even arrivals uneven, which is left out';
const SHORTEST =
  'who joins the shortest queue waits longer than at one queue for all, and shorter than dealt ' +
  'in turn (Winston 1977)';
const TWO =
  'the better of two drawn waits longer than at one queue for all, and shorter than one drawn';
const LEAVES =
  'what leaves a queue whose arrivals or services are not exponential has gaps that depend on ' +
  'each other';

/** At each replica of a hop that all of these groups come to. */
export function arrivalsAt(
  chain: Chain,
  members: readonly ClientsHop[],
  hop: Hop,
  { thinned }: { readonly thinned: boolean } = { thinned: false },
): Arrivals {
  const stream = thinned ? THINNED : streamOf(chain, members);
  const replicas = chain.replicas(hop);
  if (replicas === 1) return stream;
  if (stream.other !== null) return ROUGH;
  const { stages } = stream;
  const together = { stages, pooled: replicas };
  switch (dealingAt(chain, members, hop)) {
    case 'turn': {
      const steady = members.every((one) => isSteady(chain, one));
      const dealt = { stages: stages * replicas, other: null };
      return { ...dealt, remark: steady ? null : CONNECTS };
    }
    case 'shortest':
      return { stages: stages * replicas, other: together, remark: SHORTEST };
    case 'better':
      return { stages: 1, other: together, remark: TWO };
    case 'chance':
      return stages === 1 ? POISSON : ROUGH;
    case 'unknown':
      return ROUGH;
  }
}

/** How a host is chosen for each request; unknown where it is chosen for longer. */
export type Dealing = 'turn' | 'shortest' | 'better' | 'chance' | 'unknown';

export function dealingAt(chain: Chain, members: readonly ClientsHop[], hop: Hop): Dealing {
  if (chain.replicas(hop) === 1) return 'turn';
  const dealers = new Set(members.map((one) => dealerOf(chain, one)));
  const [dealer] = dealers;
  if (dealers.size !== 1 || dealer === undefined || dealer === null) return 'unknown';
  switch (dealer.algorithm) {
    case 'round-robin':
      return 'turn';
    case 'least-connections':
    case 'least-outstanding':
      return 'shortest';
    case 'random-two':
      return 'better';
    case 'flow-hash':
      return 'chance';
  }
}

/** `waits`: some wait at the app. */
export function arrivalsAtDatabase(
  chain: Chain,
  members: readonly ClientsHop[],
  app: AppHop,
  { waits, thinned }: { readonly waits: boolean; readonly thinned: boolean },
): Arrivals {
  const stream = thinned ? THINNED : streamOf(chain, members);
  const { variation } = moments(app.serviceTime);
  const atApp = arrivalsAt(chain, members, app, { thinned });
  const displaced = variation > 0 || app.upstreamDelay > 0;
  if (!waits) {
    if (stream.other !== null || stream.stages === 1 || !displaced) return stream;
    return { stages: 1, other: { stages: stream.stages, pooled: 1 }, remark: ROUGH.remark };
  }
  // What leaves M/M/c is Poisson again (Burke 1956).
  if (atApp.stages === 1 && atApp.other === null && variation === 1) return POISSON;
  // Services that are not exponential, in short, are seldom very short: nor are gaps behind them.
  const own = variation === 1 ? [1] : [0, 1, variation];
  const gaps = [...own, 1 / stream.stages, 1 / (stream.other?.stages ?? 1)];
  return {
    stages: 1 / Math.max(...gaps),
    other: { stages: 1 / Math.min(...gaps), pooled: 1 },
    remark: LEAVES,
  };
}

/** All that comes to the app's hosts, before it is dealt to them. */
function streamOf(chain: Chain, members: readonly ClientsHop[]): Arrivals {
  const isPoisson = ({ workload }: ClientsHop): boolean =>
    workload.kind === 'open' && workload.arrivals === 'poisson';
  if (members.every(isPoisson)) return POISSON;
  const [only] = members;
  if (members.some(({ workload }) => workload.kind !== 'open')) return ROUGH;
  if (only === undefined || members.some(isPoisson))
    return mixed(members.filter(isPoisson), members);
  if (members.length > 1) return SEVERAL;
  return { stages: EVENLY, other: null, remark: isSteady(chain, only) ? null : CONNECTS };
}

/**
 * Even streams beside Poisson ones: over long times as variable as the share that is Poisson, over
 * short ones as all of it were (the asymptotic method and the stationary intervals of Whitt,
 * Operations Research 30, 1982).
 */
function mixed(random: readonly ClientsHop[], members: readonly ClientsHop[]): Arrivals {
  const rateOf = (all: readonly ClientsHop[]): number =>
    all.reduce(
      (sum, { workload }) => sum + (workload.kind === 'open' ? peakOf(workload.rate) : 0),
      0,
    );
  const stages = rateOf(members) / rateOf(random);
  return {
    ...{ stages: 1, other: { stages, pooled: 1 } },
    remark: 'Poisson and even streams together are somewhere between the two',
  };
}

/** The balancer that chooses a host for each request; null where it does so for longer. */
function dealerOf(chain: Chain, client: ClientsHop) {
  const way = chain.from(client);
  const dealer = way.find((hop) => {
    const next = chain.upstream(hop);
    return next !== null && chain.replicas(next) > 1;
  });
  if (dealer === undefined || chain.replicas(dealer) > 1) return null;
  if (dealer.kind === 'l7-balancer') return dealer;
  if (dealer.kind !== 'l4-balancer') return null;
  return opensEachTime(chain, ownerOf(way, dealer)) ? dealer : null;
}
