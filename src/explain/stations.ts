/**
 * Where requests are worked on: apps and the database, each a station of some servers per
 * replica, and the app's pool of database connections before it.
 */
import type { AppHop, ClientsHop, DatabaseHop } from '../model/topology.ts';
import { erlangC, meanWait } from '../theory/erlang.ts';
import { type FiniteQueue, finiteQueue } from '../theory/finite-queue.ts';
import { renewalQueue } from '../theory/renewal-queue.ts';
import { moments } from '../theory/times.ts';
import { type Arrivals, arrivalsAt, arrivalsAtDatabase } from './arrivals.ts';
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
  /** At each replica. */
  readonly arrivals: Arrivals;
}

/** Of `members`, the groups that end at the app. */
export function stationsOf(
  chain: Chain,
  members: readonly ClientsHop[],
  app: AppHop,
  most: number,
): readonly Station[] {
  const own = moments(app.serviceTime);
  const stations: Station[] = [
    {
      hop: app,
      replicas: chain.replicas(app),
      servers: app.concurrencyMax === 0 ? Number.POSITIVE_INFINITY : app.concurrencyMax,
      visits: 1,
      service: own.mean,
      variation: own.variation,
      ...{ room: app.waitingMax, most, arrivals: arrivalsAt(chain, members, app) },
    },
  ];
  const database = chain.database(app);
  if (database !== null && app.queriesPerRequest > 0) {
    const query = moments(database.serviceTime);
    const waits = stations.some((one) => canWait(one) && !isInStep(one));
    stations.push({
      hop: database,
      replicas: 1,
      servers: database.concurrencyMax,
      visits: app.queriesPerRequest,
      service: query.mean,
      variation: query.variation,
      ...{ room: database.waitingMax, most },
      arrivals: arrivalsAtDatabase(chain, members, app, { waits }),
    });
  }
  return stations;
}

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

const ROOM_MAX = 20_000;
const NEGLIGIBLE = 1e-9;

/** Mean wait of a piece of work, at so many requests per second over all replicas. */
export function waitAt(station: Station, rate: number): number {
  const { servers, replicas, visits, service, variation } = station;
  if (!canWait(station)) return 0;
  const finite = refusals(station, rate);
  if (finite !== null) return finite.waiting / ((rate * visits) / replicas);
  const { stages } = station.arrivals;
  return waitOf({ servers, service, variation, stages }, (rate * visits) / replicas);
}

interface Queue extends Pick<Station, 'servers' | 'service' | 'variation'> {
  readonly stages: number;
}

/**
 * Mean wait at `arriving` per second where all may wait. At services that are not exponential it
 * is of the wait at exponential ones the part that Kraemer and Langenbach-Belz (1976) give: exactly
 * nothing where gaps and services are all alike, and right where the servers are nearly full.
 */
export function waitOf({ servers, service, variation, stages }: Queue, arriving: number): number {
  if (stages === 1) return meanWait(servers, arriving, service, variation);
  const offered = arriving * service;
  if (offered >= servers) return Number.POSITIVE_INFINITY;
  if (offered === 0) return 0;
  const { waiting } = renewalQueue(servers, Number.POSITIVE_INFINITY, { offered, stages });
  const gaps = 1 / stages;
  const spare = (2 * (1 - offered / servers) * (1 - gaps) ** 2) / ((3 * offered) / servers);
  const part = (of: number): number =>
    gaps + of === 0 ? 0 : (gaps + of) * Math.exp(-spare / (gaps + of));
  return ((part(variation) / part(1)) * waiting) / arriving;
}

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
export function isInStep({ arrivals: { stages }, variation }: Station): boolean {
  return stages === Number.POSITIVE_INFINITY && variation === 0;
}

/** Mean seconds that one query takes from a connection to its result. */
export function queryTime(stations: readonly Station[], rate: number): number {
  const database = stations.find(({ hop }) => hop.kind === 'database');
  return database === undefined ? 0 : database.service + waitAt(database, rate);
}

/** Mean seconds that a request waits in the app for connections to the database. */
export function poolWait(stations: readonly Station[], rate: number): number {
  const [app] = stations;
  if (app === undefined || app.hop.kind !== 'app' || stations.length < 2) return 0;
  const queries = app.hop.queriesPerRequest;
  const perApp = (rate * queries) / app.replicas;
  return queries * meanWait(app.hop.pool.max, perApp, queryTime(stations, rate), 1);
}

/** Mean seconds from a request's arrival at the app to its answer; a refusal comes at once. */
export function timeToAnswer(stations: readonly Station[], rate: number): number {
  let sum = poolWait(stations, rate);
  for (const one of stations) {
    const { refused } = refusals(one, rate) ?? { refused: 0 };
    sum += one.visits * ((1 - refused) * one.service + waitAt(one, rate));
  }
  return sum;
}
