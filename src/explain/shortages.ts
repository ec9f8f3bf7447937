/**
 * What runs out: slots, database connections, prepared statements, ports. Then something waits or
 * fails that the formulas leave out, and they say nothing.
 */
import type { AppHop, Hop } from '../model/topology.ts';
import { binomialTail } from '../theory/binomial.ts';
import type { Load } from './load.ts';
import { needed, possible, type QueueCase, queueCaseOf, slotsOf, takesTurns } from './slots.ts';
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
  if (need.value === null) return null;
  if (need.value <= slots) return null;
  return `${hop.name} needs ${need.value.toPrecision(3)} slots and has ${slots}`;
}

/** What is left out where a queue has slots enough on average; null where it has them always. */
export function shortAtTimes(load: Load): string | null {
  for (const hop of load.chain.topology.hops) {
    if (hop.kind !== 'connection-queue') continue;
    const queue = queueCaseOf(load, hop);
    const { value } = needed(queue);
    if (value === null || !fullAtTimes(queue, value)) continue;
    return `at times all slots of ${hop.name} (on some host) are taken, and some wait: left out`;
  }
  return null;
}

/** Kept connections come and go one by one: about as many are open as of many that may be. */
function fullAtTimes(queue: QueueCase, need: number): boolean {
  const { hop, hosts, load } = queue;
  const most = possible(queue);
  if (hop.reclaim !== 'none' || takesTurns(queue) || most <= hop.activeMax) return false;
  const hashed = load.chain.topology.hops.some(
    (one) =>
      one.kind === 'l4-balancer' &&
      one.algorithm === 'flow-hash' &&
      load.chain.from(one).includes(hop),
  );
  const [share, slots] = hosts > 1 && hashed ? [1 / hosts, hop.activeMax] : [1, slotsOf(queue)];
  const many = Math.min(most, Math.ceil(MANY * need));
  return binomialTail(many, (need / many) * share, slots) > FULL_SELDOM;
}

/** So many times what is open on average is as good as without limit. */
const MANY = 1_000;
const FULL_SELDOM = 1e-3;

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
