/**
 * The connections of one hop to the next, as the pool formulas need them: how many pools, how
 * busy each is, and who closes a connection when.
 */
import type { AppHop, Distribution, Hop, Reuse } from '../model/topology.ts';
import { whyOff } from './group-answers.ts';
import { type Group, type Load, stationsBehind } from './load.ts';
import { obscureOf, obscureToDatabase, waitedShare } from './obscure.ts';
import { canWait, queryTime } from './stations.ts';
import { oneWay, transit, transitBefore } from './way.ts';

const NEVER = Number.POSITIVE_INFINITY;
const HARDLY = 1e-6;
const SECOND = 1e6;

export interface PoolCase {
  readonly hop: Hop;
  readonly links: readonly string[];
  /** A balancer on the way forgets idle flows before either side closes them. */
  readonly isForgotten?: boolean;
  readonly pools: number;
  /** Requests per second of one pool. */
  readonly rate: number;
  /** Seconds that a request is on its connection. */
  readonly busy: number;
  /** Those who may ask one pool at once; Infinity = an open load. */
  readonly sources: number;
  /** Set where each pool has one user, who thinks between requests. */
  readonly think: Distribution | null;
  /** Seconds of silence after which either side closes; Infinity = never. */
  readonly idleTimeout: number;
  /** Requests after which either side closes; Infinity = never. */
  readonly cap: number;
  /** Seconds after which the server ends a connection; Infinity = never. */
  readonly age: number;
  readonly connectionsMax: number;
  readonly reuse: Reuse;
  /** Idle connections that are kept; Infinity = all. */
  readonly idleMax: number;
  /** Connections that are not closed for being idle. */
  readonly minimum: number;
  /** The one station that its requests are all at, and may wait at; null = none, or not one. */
  readonly station: { readonly servers: number; readonly service: number } | null;
  /** Why how many are open is not known: arrivals, or times on a connection; null where it is. */
  readonly obscure: string | null;
  /** In short parts the times on a connection are waits. */
  readonly waitsABit: boolean;
  /** By how much `busy` may be off, and why. */
  readonly off: number;
  readonly whyOff: string;
  /** Some are refused at once, and are on a connection for no time. */
  readonly refuses: boolean;
  /** Seconds from the last answer until both ends have closed. */
  readonly closing: number;
  /** Of the seconds on a connection, those that it waits for a slot of a queue. */
  readonly slotWait: number;
  /** What of this is not exactly so. */
  readonly remark: string | null;
}

/** What the server side of a connection does. */
interface Server {
  readonly idleTimeout: number;
  readonly cap: number;
  readonly age: number;
}

export function poolCaseOf(load: Load, hop: Hop): PoolCase | null {
  const { chain } = load;
  const acceptor = chain.acceptor(hop);
  if (acceptor === null) return null;
  const server = serverOf(acceptor);
  const relays = chain.relays(hop);
  const forgets = relays.map((one) =>
    one.kind === 'l4-balancer' ? limit(one.idleTimeout) : NEVER,
  );
  const own = ownSide(load, hop);
  if (own === null) return null;
  return {
    hop,
    links: chain.links(hop),
    isForgotten: Math.min(...forgets) < Math.min(own.idleTimeout, server.idleTimeout),
    pools: own.pools,
    rate: ((load.rates.get(hop.name) ?? 0) * own.requests * passShare(load, hop)) / own.pools,
    busy: own.busy,
    sources: own.sources,
    think: own.think,
    idleTimeout: Math.min(own.idleTimeout, server.idleTimeout, ...forgets),
    cap: Math.min(own.cap, server.cap),
    age: server.age,
    connectionsMax: own.connectionsMax,
    reuse: own.reuse,
    idleMax: own.idleMax,
    minimum: own.minimum,
    ...own.behind,
    slotWait: slotWaitOf(load, relays),
    // A server that closes does so with its answer, a web server asks it to.
    closing: server.cap === 1 || hop.kind === 'web-server' ? 0 : oneWay(chain, hop),
    remark: own.remark,
  };
}

function slotWaitOf({ groups }: Load, relays: readonly Hop[]): number {
  const one = groups.find(({ narrow }) => narrow !== null && relays.includes(narrow.pool.hop));
  return one?.narrow?.seconds ?? 0;
}

type Behind = Pick<PoolCase, 'station' | 'obscure' | 'waitsABit' | 'refuses' | 'off' | 'whyOff'>;

/** What is behind the pool of a group of clients, or of a hop that passes their requests on. */
function behind(load: Load, group: Group, hop: Hop): Behind {
  const stations = stationsBehind(load, group.hop);
  const [one] = stations;
  const waits = stations.some(canWait);
  const alone =
    hop.kind === 'clients' && hop.count === 1 && stations.length === 1 && load.groups.length === 1;
  const known = alone && one !== undefined && one.replicas === 1 && one.variation === 1;
  const near = transit(load.chain, group.hop) === 0;
  const station = waits && known && near ? { servers: one.servers, service: one.service } : null;
  const way = load.chain.from(group.hop);
  const throttled = group.turnedAway > 1e-9;
  const gateway = way.findIndex(({ kind }) => kind === 'gateway');
  const before = way.indexOf(hop) < gateway;
  return {
    station,
    obscure: station === null ? obscureOf(load, group, hop) : null,
    waitsABit: station === null && waitedShare(load, group) > HARDLY,
    refuses: group.refused > 0 || (throttled && before),
    off: hop.kind === 'app' ? 0 : group.off,
    whyOff: whyOff(load, group),
  };
}

/** A gateway sends on what its throttle lets through. */
function passShare(load: Load, hop: Hop): number {
  if (hop.kind !== 'gateway') return 1;
  const into = load.rates.get(hop.name) ?? 0;
  const next = hop.upstream === null ? into : (load.rates.get(hop.upstream) ?? into);
  return into === 0 ? 1 : Math.min(1, next / into);
}

function serverOf(hop: Hop): Server {
  switch (hop.kind) {
    case 'edge':
    case 'gateway':
    case 'l7-balancer':
      return { idleTimeout: limit(hop.clientIdleTimeout), cap: NEVER, age: NEVER };
    case 'web-server':
      if (hop.keepAliveTimeout === 0) return { idleTimeout: NEVER, cap: 1, age: NEVER };
      return {
        idleTimeout: limit(hop.keepAliveTimeout),
        cap: count(hop.keepAliveRequests),
        age: limit(hop.keepAliveTime),
      };
    case 'app':
      return { idleTimeout: limit(hop.keepAliveTimeout), cap: NEVER, age: NEVER };
    default:
      return { idleTimeout: NEVER, cap: NEVER, age: NEVER };
  }
}

interface OwnSide
  extends Omit<PoolCase, 'hop' | 'links' | 'rate' | 'age' | 'slotWait' | 'closing' | keyof Behind> {
  readonly behind: Behind;
  /** Requests of this side per request that reaches the hop. */
  readonly requests: number;
}

function ownSide(load: Load, hop: Hop): OwnSide | null {
  const { chain } = load;
  const group = load.groups.find((one) => chain.from(one.hop).includes(hop));
  const sources = load.sources.get(hop.name) ?? NEVER;
  if (group === undefined) return null;
  const plain = {
    ...{
      requests: 1,
      busy: busyAt(load, group, hop),
      sources,
      think: null,
      minimum: 0,
      remark: null,
    },
    ...{ idleMax: NEVER, idleTimeout: NEVER, cap: NEVER },
    behind: behind(load, group, hop),
  };
  switch (hop.kind) {
    case 'clients': {
      const { pool, requestsPerIteration } = hop;
      const closed = group.users !== NEVER;
      const pools = closed ? group.users : hop.count;
      const cap = Math.min(count(pool.requestsPerConnectionMax), count(requestsPerIteration));
      return {
        ...plain,
        ...kept(pool),
        cap,
        pools,
        ...(closed ? { sources: 1, think: group.think } : {}),
      };
    }
    case 'edge':
      return { ...plain, ...kept(hop.pool), pools: hop.locations, remark: LANDS };
    case 'gateway': {
      const remark = hop.spread === 'request' ? null : LANDS;
      return { ...plain, ...kept(hop.pool), pools: hop.nodes * hop.poolsPerNode, remark };
    }
    case 'l7-balancer': {
      const next = chain.upstream(hop);
      const pools = next === null ? 1 : chain.replicas(next);
      return { ...plain, ...kept(hop.pool), pools, remark: pools > 1 ? BALANCED : null };
    }
    case 'web-server': {
      const pools = chain.replicas(hop);
      const shared = { ...plain, pools, remark: pools > 1 ? EVEN : null };
      const lifo = { reuse: 'lifo', connectionsMax: NEVER } as const;
      if (hop.upstreamIdleMax === 0) return { ...shared, ...lifo, cap: 1 };
      const idleTimeout = limit(hop.upstreamIdleTimeout);
      return { ...shared, ...lifo, idleTimeout, idleMax: hop.upstreamIdleMax };
    }
    case 'app': {
      const stations = load.stations.get(hop.name) ?? [];
      const pools = chain.replicas(hop);
      const { min, max, idle, evict } = hop.pool;
      const rate = load.rates.get(hop.name) ?? 0;
      return {
        ...{ ...plain, pools, requests: hop.queriesPerRequest },
        behind: behindApp(load, group, hop, plain.behind),
        busy: queryTime(stations, rate) + (2 * hop.upstreamDelay) / SECOND,
        ...{ reuse: 'lifo', connectionsMax: max, minimum: min },
        // Idle connections are looked at now and then: on average half a round late.
        idleTimeout: idle === 0 ? NEVER : (idle + evict / 2) / SECOND,
        remark: pools > 1 ? EVEN : null,
      };
    }
    default:
      return null;
  }
}

/** What is busy of a single app's connections is then what is at the database. */
function behindApp(load: Load, group: Group, hop: AppHop, plain: Behind): Behind {
  const stations = load.stations.get(hop.name) ?? [];
  const database = stations.find((one) => one.hop.kind === 'database');
  const obscure = obscureToDatabase(load, group, hop);
  if (database === undefined || load.chain.replicas(hop) > 1)
    return { ...plain, station: null, obscure };
  const { servers, service, visits, variation, arrivals } = database;
  const known = variation === 1 && arrivals.stages === 1 && arrivals.other === null && visits === 1;
  if (!known || !canWait(database)) return { ...plain, station: null, obscure };
  return { ...plain, station: { servers, service }, obscure: null };
}

/** Of the seconds until the answer, those that a request is on its connection of this hop. */
function busyAt({ chain }: Load, { hop: client, seconds, narrow }: Group, hop: Hop): number {
  const way = chain.from(client);
  const waited =
    narrow !== null && way.indexOf(hop) >= way.indexOf(narrow.pool.hop) ? narrow.seconds : 0;
  return Math.max(0, seconds - waited - transitBefore(chain, client, hop));
}

const LANDS = 'client connections land on one of them by chance: taken for even';
const BALANCED = 'the requests of one target are taken for Poisson';
const EVEN = 'hosts are taken for even';

function kept(pool: {
  readonly idleTimeout: number;
  readonly requestsPerConnectionMax: number;
  readonly connectionsMax: number;
  readonly reuse: Reuse;
}) {
  return {
    idleTimeout: limit(pool.idleTimeout),
    cap: count(pool.requestsPerConnectionMax),
    connectionsMax: count(pool.connectionsMax),
    reuse: pool.reuse,
  };
}

/** 0 = never. */
function limit(micros: number): number {
  return micros === 0 ? NEVER : micros / SECOND;
}

function count(most: number): number {
  return most === 0 ? NEVER : most;
}
