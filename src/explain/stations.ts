/**
 * Where requests are worked on: apps and the database, each a station of some servers per
 * replica, and the app's pool of database connections before it.
 */
import type { AppHop, ClientsHop, DatabaseHop } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { erlangC, meanWait } from '../theory/erlang.ts';
import { feedbackWait } from '../theory/feedback.ts';
import { type FiniteQueue, finiteQueue } from '../theory/finite-queue.ts';
import { type Estimate, generalWait, NOTHING } from '../theory/general-queue.ts';
import { renewalQueue } from '../theory/renewal-queue.ts';
import { moments } from '../theory/times.ts';
import {
  type Arrivals,
  arrivalsAt,
  arrivalsAtDatabase,
  type Dealing,
  dealingAt,
} from './arrivals.ts';
import type { Chain } from './chain.ts';

export interface Station {
  readonly hop: AppHop | DatabaseHop;
  readonly replicas: number;
  /** Of one replica; Infinity = without limit. */
  readonly servers: number;
  /** Pieces of work per request. */
  readonly visits: number;
  /** Mean seconds of one piece. */
  readonly service: number;
  readonly variation: number;
  /** Pieces that may wait in one replica. */
  readonly room: number;
  /** Pieces that can be here at once, over all replicas; Infinity = no limit before it. */
  readonly most: number;
  /** One piece of a request comes as soon as the one before it is done. */
  readonly tight: boolean;
  /** How the replica is chosen. */
  readonly dealt: Dealing;
  /** At each replica. */
  readonly arrivals: Arrivals;
}

/** What is known before the stations are: of the groups that end at them. */
interface Coming {
  /** Pieces that can be there at once; Infinity = no limit. */
  readonly most: number;
  /** Requests per second, roughly. */
  readonly rate: number;
  /** A throttle turns some away. */
  readonly thinned: boolean;
}

/** Of `members`, the groups that end at the app. */
export function stationsOf(
  chain: Chain,
  members: readonly ClientsHop[],
  app: AppHop,
  { most, rate, thinned }: Coming,
): readonly Station[] {
  const own = moments(app.serviceTime);
  const first: Station = {
    hop: app,
    replicas: chain.replicas(app),
    servers: app.concurrencyMax === 0 ? Number.POSITIVE_INFINITY : app.concurrencyMax,
    visits: 1,
    service: own.mean,
    variation: own.variation,
    ...{ room: app.waitingMax, most, tight: true, dealt: dealingAt(chain, members, app) },
    arrivals: arrivalsAt(chain, members, app, { thinned }),
  };
  const database = chain.database(app);
  if (database === null || app.queriesPerRequest === 0) return [first];
  const query = moments(database.serviceTime);
  const waits = waitProbabilityAt(first, rate) > FEW;
  const station: Station = {
    hop: database,
    replicas: 1,
    servers: database.concurrencyMax,
    visits: app.queriesPerRequest,
    service: query.mean,
    variation: query.variation,
    ...{ room: database.waitingMax, most: Math.min(most, first.replicas * app.pool.max) },
    ...{ tight: app.upstreamDelay === 0, dealt: 'turn' },
    arrivals: arrivalsAtDatabase(chain, members, app, { waits, thinned }),
  };
  return [first, station];
}

/** So few wait that what leaves is what came. */
const FEW = 0.01;

/** Seconds of work that a request is to them, with what it takes besides. */
export function workOf(stations: readonly Station[], besides = 0): number {
  return stations.reduce((sum, { visits, service }) => sum + visits * service, besides);
}

/** Requests per second that the slowest station can bear; Infinity where nothing limits. */
export function capacity(stations: readonly Station[]): number {
  return Math.min(...stations.map(capacityOf));
}

export function capacityOf({ replicas, servers, visits, service }: Station): number {
  return service === 0 ? Number.POSITIVE_INFINITY : (replicas * servers) / (visits * service);
}

/** Can a piece ever find all servers busy? */
export function canWait({ servers, most }: Station): boolean {
  return servers < most;
}

/**
 * What a station does that refuses whom it has no room for; null where it has room for all that
 * come, or practically all.
 */
export function refusals(station: Station, rate: number): FiniteQueue | null {
  const { servers, room, replicas, visits, service, most } = station;
  if (servers + room >= most || room > ROOM_MAX) return null;
  const offered = ((rate * visits) / replicas) * service;
  const { stages } = station.arrivals;
  const queue =
    stages === 1
      ? finiteQueue(servers, room, offered)
      : renewalQueue(servers, room, { offered, stages });
  return queue.refused < NEGLIGIBLE ? null : queue;
}

/** M/M/c/K and GI/M/c/K; without room M/G/c/c. What leaves it is no such stream. */
export function refusesKnown(one: Station, stations: readonly Station[]): boolean {
  const { arrivals, room, variation } = one;
  if (stations.length > 1 || arrivals.other !== null || arrivals.remark !== null) return false;
  return variation === 1 || (room === 0 && arrivals.stages === 1);
}

const ROOM_MAX = 20_000;
const NEGLIGIBLE = 1e-9;

/** Mean wait of a piece of work, at so many requests per second over all replicas. */
export function waitAt(station: Station, rate: number): Estimate {
  const { replicas, visits } = station;
  if (!canWait(station)) return NOTHING;
  const pieces = (rate * visits) / replicas;
  const finite = refusals(station, rate);
  if (finite !== null) return { value: pieces === 0 ? 0 : finite.waiting / pieces, off: 0 };
  const { other } = station.arrivals;
  const told = waitWith(station, rate, { stages: station.arrivals.stages, pooled: 1 });
  if (other !== null) return between(told, waitWith(station, rate, other));
  if (station.arrivals.remark === null) return told;
  return { value: told.value, off: told.off + OFF_SOME * told.value };
}

/** What is somewhere between two estimates. */
export function between(one: Estimate, other: Estimate): Estimate {
  const low = Math.max(0, Math.min(one.value - one.off, other.value - other.off));
  const high = Math.max(one.value + one.off, other.value + other.off);
  if (high === Number.POSITIVE_INFINITY) return { value: high, off: 0 };
  return { value: (low + high) / 2, off: (high - low) / 2 };
}

/** Several visits are behind each other: as at one server, so in proportion at several. */
function waitWith(
  station: Station,
  rate: number,
  { stages, pooled }: { readonly stages: number; readonly pooled: number },
): Estimate {
  const { service, variation, visits, replicas, tight } = station;
  const servers = station.servers * pooled;
  const pieces = ((rate * visits) / replicas) * pooled;
  const plain = generalWait({ servers, service, variation, stages }, pieces);
  if (visits === 1 || (stages === 1 && variation === 1)) return plain;
  if (!Number.isFinite(plain.value) || pieces === 0) return plain;
  const each = service / servers;
  const wait = feedbackWait({ visits, service: each, variation, stages }, pieces / visits);
  const markov = meanWait(servers, pieces, service, 1);
  const scale = markov / meanWait(1, pieces, each, 1);
  const off = servers === 1 ? wait.off : scale * wait.off + OFF_SCALED * scale * wait.value;
  const behind = { value: scale * wait.value, off };
  return tight ? behind : between(plain, behind);
}

const OFF_SCALED = 0.1;
/** What is left out happens now and then. */
const OFF_SOME = 0.05;

/** All service times are exponential, or vary as much. */
export function isMarkov(stations: readonly Station[]): boolean {
  return stations.every(({ variation }) => Math.abs(variation - 1) < 1e-9);
}

/** Probability that a piece finds all servers busy; service times are taken for exponential. */
export function waitProbabilityAt(station: Station, rate: number): number {
  const { servers, replicas, visits, service } = station;
  const { stages } = station.arrivals;
  const offered = ((rate * visits) / replicas) * service;
  if (!canWait(station)) return 0;
  const finite = refusals(station, rate);
  if (finite !== null) return finite.waits;
  if (stages === 1 || offered >= servers) return erlangC(servers, offered);
  if (isInStep(station)) return 0;
  return renewalQueue(servers, Number.POSITIVE_INFINITY, { offered, stages }).waits;
}

/** Constant gaps and constant services: nobody waits, below capacity. */
export function isInStep({ arrivals: { stages, other }, variation }: Station): boolean {
  return other === null && stages === Number.POSITIVE_INFINITY && variation === 0;
}

/** Mean seconds that one query takes from a connection to its result. */
export function queryTime(stations: readonly Station[], rate: number): number {
  const database = stations.find(({ hop }) => hop.kind === 'database');
  return database === undefined ? 0 : database.service + waitAtDatabase(stations, rate).value;
}

/** What a query waits at the database itself, and not before it for a connection. */
export function waitAtDatabase(stations: readonly Station[], rate: number): Estimate {
  const [app, database] = stations;
  if (database === undefined || app?.hop.kind !== 'app') return NOTHING;
  const all = waitAt(database, rate);
  if (!queuesTwice(stations, rate) || all.value === 0) return all;
  const { max } = app.hop.pool;
  const load = (rate * database.visits * database.service) / database.servers;
  const share = 1 - load ** Math.max(0, app.replicas * max - database.servers);
  const known = app.replicas === 1 && isMarkov([database]) && all.off === 0;
  return known ? { value: share * all.value, off: 0 } : between(NOTHING, all);
}

/** Do queries wait for a connection as well as for the database? */
export function queuesTwice(stations: readonly Station[], rate: number): boolean {
  const [app, database] = stations;
  if (database === undefined || app?.hop.kind !== 'app' || !canWait(database)) return false;
  const { value } = waitAt(database, rate);
  const seconds = database.service + value + delayOf(app.hop);
  const perApp = ((rate * database.visits) / app.replicas) * seconds;
  return erlangC(app.hop.pool.max, perApp) > SELDOM;
}

const SELDOM = 1e-6;

/** More than that wait for a connection longer than the app lets them. */
export function waitsTooLong(stations: readonly Station[], rate: number): boolean {
  const [app, database] = stations;
  if (app?.hop.kind !== 'app' || database === undefined || app.hop.pool.acquire === 0) return false;
  const { max, acquire } = app.hop.pool;
  const held = queryTime(stations, rate) + delayOf(app.hop);
  const queries = (rate * database.visits) / app.replicas;
  const spare = max / held - queries;
  if (!(spare > 0)) return true;
  const waits = erlangC(max, queries * held);
  return waits * Math.exp((-spare * acquire) / MICROS_PER_SECOND) > LATE_MAX;
}

const LATE_MAX = 1e-4;

/** There and back. */
function delayOf(hop: AppHop): number {
  return (2 * hop.upstreamDelay) / MICROS_PER_SECOND;
}

/**
 * Mean seconds that a request waits in the app for connections to the database, besides what
 * `waitAt` says of the database: who waits for a connection of the only app waits for the database
 * just as long in all, first come, first served, as if all had a connection.
 */
export function poolWait(stations: readonly Station[], rate: number): Estimate {
  const [app, database] = stations;
  if (app === undefined || app.hop.kind !== 'app' || database === undefined) return NOTHING;
  const { max } = app.hop.pool;
  const delay = delayOf(app.hop);
  const { visits, service, variation } = database;
  if (canWait(database)) {
    if (!queuesTwice(stations, rate) || (app.replicas === 1 && delay === 0)) return NOTHING;
    const seconds = service + waitAt(database, rate).value + delay;
    const most = visits * meanWait(max, (rate * visits) / app.replicas, seconds, 1);
    return between(NOTHING, { value: most, off: 0 });
  }
  const held = service + delay;
  const load = ((rate * visits) / app.replicas) * held;
  if (held === 0 || (load < max && erlangC(max, load) < SELDOM)) return NOTHING;
  const pool = {
    ...{ ...database, replicas: app.replicas, servers: max, room: Number.POSITIVE_INFINITY },
    ...{ service: held, variation: variation * (service / held) ** 2 },
    most: Number.POSITIVE_INFINITY,
  };
  const { value, off } = waitAt(pool, rate);
  return { value: visits * value, off: visits * off };
}

/** Mean seconds from a request's arrival at the app to its answer; a refusal comes at once. */
export function timeToAnswer(stations: readonly Station[], rate: number): Estimate {
  let { value, off } = poolWait(stations, rate);
  for (const one of stations) {
    const { refused } = refusals(one, rate) ?? { refused: 0 };
    const wait = waitAt(one, rate);
    value += one.visits * ((1 - refused) * one.service + wait.value);
    off += one.visits * wait.off;
  }
  return { value, off };
}
