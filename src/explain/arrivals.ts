/**
 * How requests come to one replica of a station: Poisson, evenly, or each k-th of Poisson ones,
 * where a balancer deals them in turn. What takes a constant time on the way keeps all of these;
 * what takes a random time keeps Poisson arrivals alone.
 */
import type { AppHop, ClientsHop, Hop } from '../model/topology.ts';
import { moments } from '../theory/times.ts';
import type { Chain } from './chain.ts';
import { isSteady, opensEachTime, ownerOf } from './way.ts';

export interface Arrivals {
  /** Gaps are Erlang's of so many stages: 1 = Poisson, Infinity = all alike. */
  readonly stages: number;
  /** Why that is not exactly so; null where it is. */
  readonly remark: string | null;
}

const EVENLY = Number.POSITIVE_INFINITY;
const POISSON: Arrivals = { stages: 1, remark: null };
const ROUGH: Arrivals = {
  stages: 1,
  remark: 'arrivals at each station are taken for Poisson, hosts for even',
};
const MIXED: Arrivals = {
  stages: 1,
  remark: 'streams of which not all are Poisson are taken for Poisson together',
};
const SEVERAL: Arrivals = {
  stages: EVENLY,
  remark: 'several even streams are taken for one (those of equal rates come at once)',
};
const CONNECTS = 'a connect now and then makes even arrivals uneven, which is left out';
const SHORTEST =
  'who joins the shortest queue has no closed form: told is dealing in turn, which waits longer ' +
  '(Winston 1977)';
const TWO =
  'the better of two drawn has no closed form: told is one drawn (Poisson), which waits longer';

/** At each replica of a hop that all of these groups come to. */
export function arrivalsAt(chain: Chain, members: readonly ClientsHop[], hop: Hop): Arrivals {
  const stream = streamOf(chain, members);
  const replicas = chain.replicas(hop);
  if (replicas === 1 || stream.remark !== null) return stream;
  const dealers = new Set(members.map((one) => dealerOf(chain, one)));
  const [dealer] = dealers;
  if (dealers.size !== 1 || dealer === undefined || dealer === null) return ROUGH;
  switch (dealer.algorithm) {
    case 'round-robin': {
      const steady = members.every((one) => isSteady(chain, one));
      return { stages: stream.stages * replicas, remark: steady ? null : CONNECTS };
    }
    case 'least-connections':
    case 'least-outstanding':
      return { stages: stream.stages * replicas, remark: SHORTEST };
    case 'random-two':
      return { stages: 1, remark: TWO };
    case 'flow-hash':
      return stream.stages === 1 ? POISSON : ROUGH;
  }
}

/** `waits`: some wait at the app. */
export function arrivalsAtDatabase(
  chain: Chain,
  members: readonly ClientsHop[],
  app: AppHop,
  { waits }: { readonly waits: boolean },
): Arrivals {
  const stream = streamOf(chain, members);
  const { variation } = moments(app.serviceTime);
  const atApp = arrivalsAt(chain, members, app);
  if (stream.remark !== null) return stream;
  if (stream.stages !== 1) {
    return waits || variation > 0 || app.queriesPerRequest > 1 || app.upstreamDelay > 0
      ? ROUGH
      : stream;
  }
  // What leaves M/M/c is Poisson again (Burke 1956).
  const burke = atApp.stages === 1 && atApp.remark === null && variation === 1;
  return waits && !burke ? ROUGH : POISSON;
}

/** All that comes to the app's hosts, before it is dealt to them. */
function streamOf(chain: Chain, members: readonly ClientsHop[]): Arrivals {
  const isPoisson = ({ workload }: ClientsHop): boolean =>
    workload.kind === 'open' && workload.arrivals === 'poisson';
  if (members.every(isPoisson)) return POISSON;
  const [only] = members;
  if (members.some(({ workload }) => workload.kind !== 'open')) return MIXED;
  if (only === undefined || members.some(isPoisson)) return MIXED;
  if (members.length > 1) return SEVERAL;
  return { stages: EVENLY, remark: isSteady(chain, only) ? null : CONNECTS };
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
