/**
 * What runs out: slots, database connections, prepared statements, ports. Then something waits or
 * fails that the formulas leave out, and they say nothing.
 */
import type { AppHop, Hop } from '../model/topology.ts';
import type { Load } from './load.ts';
import { needed, queueCaseOf, slotsOf } from './slots.ts';
import { queryTime } from './stations.ts';

export function shortageOf(load: Load): string | null {
  for (const hop of load.chain.topology.hops) {
    const found =
      slotsFor(load, hop) ??
      portsFor(load, hop) ??
      (hop.kind === 'app' ? sessionsFor(load, hop) : null);
    if (found !== null) return found;
  }
  return null;
}

/** A queue without enough slots makes everything around it wait. */
function slotsFor(load: Load, hop: Hop): string | null {
  if (hop.kind !== 'connection-queue') return null;
  const queue = queueCaseOf(load, hop);
  const need = needed(queue);
  const slots = slotsOf(queue);
  if (need.value === null || need.value <= slots) return null;
  return `${hop.name} needs ${need.value.toPrecision(3)} slots and has ${slots}`;
}

/** Who closes first keeps the port for a minute (TIME_WAIT). */
const TIME_WAIT = 60;

function portsFor({ chain, rates }: Load, hop: Hop): string | null {
  if (hop.kind === 'clients' || hop.kind === 'app' || !('pool' in hop)) return null;
  const { requestsPerConnectionMax: cap } = hop.pool;
  const next = chain.upstream(hop);
  if (cap === 0 || next === null) return null;
  const opened = (rates.get(next.name) ?? 0) / cap / chain.replicas(hop) / chain.replicas(next);
  if (opened * TIME_WAIT <= hop.ephemeralPorts) return null;
  const each = (hop.ephemeralPorts / TIME_WAIT).toPrecision(4);
  return `${hop.name} has ports for ${each} connections / s that it closes, and wants more`;
}

/** Standard deviations, and connections, beyond the mean that are seldom busy. */
const SELDOM = 6;
const MORE = 5;

function sessionsFor(load: Load, app: AppHop): string | null {
  const database = load.chain.upstream(app);
  if (database?.kind !== 'database') return null;
  const replicas = load.chain.replicas(app);
  const queries = (load.rates.get(database.name) ?? 0) / replicas;
  const rate = load.rates.get(app.name) ?? 0;
  const busy = queries * queryTime(load.stations.get(app.name) ?? [], rate);
  const wanted = Math.ceil(busy + SELDOM * Math.sqrt(busy)) + MORE;
  const most = replicas * Math.min(app.pool.max, Math.max(app.pool.min, wanted));
  if (most > database.connectionsMax) {
    return `${database.name} lets ${database.connectionsMax} connections in, of ${most} at most`;
  }
  const statements = most * app.statements;
  if (statements <= database.preparedStatementsMax) return null;
  const room = database.preparedStatementsMax;
  return `${database.name} has room for ${room} prepared statements, of ${statements} at most`;
}
