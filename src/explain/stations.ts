/**
 * Where requests are worked on: apps and the database, each a station of some servers per
 * replica, and the app's pool of database connections before it.
 */
import type { AppHop, DatabaseHop } from '../model/topology.ts';
import { meanWait } from '../theory/erlang.ts';
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
}

export function stationsOf(chain: Chain, app: AppHop): readonly Station[] {
  const own = moments(app.serviceTime);
  const stations: Station[] = [
    {
      hop: app,
      replicas: chain.replicas(app),
      servers: app.concurrencyMax === 0 ? Number.POSITIVE_INFINITY : app.concurrencyMax,
      visits: 1,
      service: own.mean,
      variation: own.variation,
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
    });
  }
  return stations;
}

/** Requests per second that the slowest station can bear; Infinity where nothing limits. */
export function capacity(stations: readonly Station[]): number {
  return Math.min(...stations.map(capacityOf));
}

export function capacityOf({ replicas, servers, visits, service }: Station): number {
  return service === 0 ? Number.POSITIVE_INFINITY : (replicas * servers) / (visits * service);
}

/** Mean wait of a piece of work, at so many requests per second over all replicas. */
export function waitAt(station: Station, rate: number): number {
  const { servers, replicas, visits, service, variation } = station;
  if (servers === Number.POSITIVE_INFINITY) return 0;
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

/** Mean seconds from a request's arrival at the app to its answer. */
export function timeToAnswer(stations: readonly Station[], rate: number): number {
  let sum = poolWait(stations, rate);
  for (const one of stations) sum += one.visits * (one.service + waitAt(one, rate));
  return sum;
}
