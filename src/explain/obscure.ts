/** Why it is not known how many connections of a pool are open; null where it is. */
import type { AppHop, Hop } from '../model/topology.ts';
import { dealingAt } from './arrivals.ts';
import { type Group, type Load, stationsBehind } from './load.ts';
import { queryTime, workOf } from './stations.ts';
import { transit } from './way.ts';

/** A part of the time on a connection that is spent waiting changes nothing yet. */
const WAITS_FEW = 0.05;

export function obscureOf(load: Load, group: Group, hop: Hop): string | null {
  const { chain } = load;
  const { narrow } = group;
  const { workload } = group.hop;
  if (waitedShare(load, group) > WAITS_FEW) return IN_PART;
  if (narrow !== null && narrow.pool.hop !== hop) return 'requests wait for connections elsewhere';
  if (workload.kind === 'open' && workload.arrivals !== 'poisson') return 'arrivals are even';
  if (group.turnedAway > 1e-9) return 'what a throttle lets through is not Poisson';
  const next = hop.kind === 'l7-balancer' ? chain.upstream(hop) : null;
  return isDealt(load, group, next ?? hop) ? DEALT : null;
}

/** Which part of the time to answer is waited at stations. */
export function waitedShare(load: Load, { hop, seconds, narrow }: Group): number {
  const work = workOf(stationsBehind(load, hop)) + transit(load.chain, hop);
  return seconds === 0 ? 0 : (seconds - work - (narrow?.seconds ?? 0)) / seconds;
}

/** The same of the app's connections to its database. */
export function obscureToDatabase(load: Load, group: Group, app: AppHop): string | null {
  const stations = load.stations.get(app.name) ?? [];
  const database = stations.find(({ hop }) => hop.kind === 'database');
  if (database === undefined) return null;
  const { arrivals, visits, service } = database;
  if (visits > 1) return 'the queries of a request follow each other';
  const open = group.users === Number.POSITIVE_INFINITY;
  if (open && (arrivals.other !== null || arrivals.stages !== 1)) {
    return arrivals.remark ?? 'arrivals are even';
  }
  const seconds = queryTime(stations, load.rates.get(app.name) ?? 0);
  if (seconds - service > WAITS_FEW * seconds) return IN_PART;
  return isDealt(load, group, app) ? DEALT : null;
}

function isDealt({ chain }: Load, { hop: client, users }: Group, hop: Hop): boolean {
  if (chain.replicas(hop) === 1 || users < Number.POSITIVE_INFINITY) return false;
  return dealingAt(chain, [client], hop) !== 'chance';
}

const IN_PART = 'times on a connection that are in part waits';

const DEALT = 'what one of several hosts gets is not Poisson';
