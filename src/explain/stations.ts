/**
 * Where requests are worked on: apps and the database, each a station of some servers per
 * replica, and the app's pool of database connections before it.
 */
import type { AppHop, DatabaseHop } from '../model/topology.ts';
import { meanWait } from '../theory/erlang.ts';
import { type FiniteQueue, finiteQueue } from '../theory/finite-queue.ts';
import { moments } from '../theory/times.ts';
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
}

export function stationsOf(chain: Chain, app: AppHop, most: number): readonly Station[] {
  const own = moments(app.serviceTime);
  const stations: Station[] = [
    {
      hop: app,
      replicas: chain.replicas(app),
      servers: app.concurrencyMax === 0 ? Number.POSITIVE_INFINITY : app.concurrencyMax,
      visits: 1,
      service: own.mean,
      variation: own.variation,
      ...{ room: app.waitingMax, most },
    },
  ];
  const database = chain.database(app);
  if (database !== null && app.queriesPerRequest > 0) {
    const query = moments(database.serviceTime);
    stations.push({
      hop: database,
      replicas: 1,
      servers: database.concurrencyMax,
      visits: app.queriesPerRequest,
      service: query.mean,
      variation: query.variation,
      ...{ room: database.waitingMax, most },
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
  const queue = finiteQueue(servers, room, ((rate * visits) / replicas) * service);
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
  return meanWait(servers, (rate * visits) / replicas, service, variation);
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
