/**
 * The same quantities as the simulator has them, from the series of one run after a warm-up: sums
 * of counts over the window, means of gauges at the ends of its seconds.
 */
import type { SecondRow } from '../measure/rows.ts';
import type { Hop, Topology } from '../model/topology.ts';
import type { Quantity } from './answer.ts';
import { Chain } from './chain.ts';

/** Seconds of the run that count: from `from` up to, not including, `to`. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** By `place quantity`; what the series do not tell is absent. */
export type Measured = ReadonlyMap<string, number>;

export function keyOf(at: string, quantity: Quantity): string {
  return `${at} ${quantity}`;
}

export function measured(
  topology: Topology,
  rows: Iterable<SecondRow>,
  { from, to }: Window,
): Measured {
  const sums = new Map<string, number>();
  const add = (key: string, value: number): void => {
    sums.set(key, (sums.get(key) ?? 0) + value);
  };
  const answered = new Map<string, number>();
  for (const { second, scope, measure, value } of rows) {
    if (second < from || second >= to || value === null) continue;
    add(`${scope} ${measure}`, value);
    // In the order of columns: the count before the mean of what it counts.
    if (measure === 'answered') answered.set(scope, value);
    if (measure === 'latencyMeanMs') {
      add(`${scope} latency`, ((answered.get(scope) ?? 0) * value) / 1_000);
    }
  }
  const seconds = to - from;
  const chain = new Chain(topology);
  const perSecond = (scope: string, measure: string): number =>
    (sums.get(`${scope} ${measure}`) ?? 0) / seconds;
  const values = new Map<string, number>();
  const set = (at: string, quantity: Quantity, value: number): void => {
    if (Number.isFinite(value)) values.set(keyOf(at, quantity), value);
  };
  for (const hop of topology.hops) {
    if (hop.kind === 'clients') {
      const scope = `clients:${hop.name}`;
      const sent = perSecond(scope, 'sent');
      const away = perSecond(scope, 'throttled429');
      set(hop.name, 'requestsPerSecond', sent);
      // A gauge at the ends of seconds says nothing of what comes in step with them.
      const inStep = hop.workload.kind === 'open' && hop.workload.arrivals === 'constant';
      if (!inStep) set(hop.name, 'requestsInFlight', perSecond(scope, 'pending'));
      const answers = perSecond(scope, 'answered') - away;
      set(hop.name, 'secondsToAnswer', perSecond(scope, 'latency') / answers);
      set(hop.name, 'throttledShare', away / sent);
      set(hop.name, 'abandonedShare', perSecond(scope, 'timeouts') / sent);
      set(hop.name, 'refusedShare', perSecond(scope, 'serverErrors5xx') / (sent - away));
    }
    if (hop.kind === 'app' || hop.kind === 'database') {
      const scope = `hop:${hop.name}`;
      const utilisation = perSecond(scope, 'cpuUtilisation');
      const replicas = chain.replicas(hop);
      const load = perSecond(scope, hop.kind === 'app' ? 'load' : 'dbLoad');
      const work = topology.hops
        .filter(({ upstream }) => upstream === hop.name)
        .reduce((sum, { name }) => sum + perSecond(`link:${name}->${hop.name}`, 'exchanges'), 0);
      set(hop.name, 'utilisation', utilisation);
      const waiting = load - utilisation * hop.concurrencyMax * replicas;
      set(hop.name, 'meanWaitSeconds', waiting / work);
    }
    if (hop.kind === 'connection-queue') {
      set(hop.name, 'slotsNeeded', perSecond(`hop:${hop.name}`, 'active'));
      const asked = sentThrough(chain, hop).reduce((sum, at) => sum + perSecond(at, 'sent'), 0);
      set(hop.name, 'meanWaitSeconds', perSecond(`hop:${hop.name}`, 'waiting') / asked);
    }
    if (hop.upstream === null) continue;
    const link = `${hop.name}->${hop.upstream}`;
    const open = perSecond(`link:${link}`, 'open');
    const opened = perSecond(`link:${link}`, 'opened');
    set(link, 'openConnections', open);
    set(link, 'newConnectionsPerSecond', opened);
    set(link, 'requestsPerNewConnection', perSecond(`link:${link}`, 'exchanges') / opened);
    set(link, 'connectionLifeSeconds', open / opened);
  }
  return values;
}

/** Scopes of the groups whose requests come by. */
function sentThrough(chain: Chain, hop: Hop): string[] {
  return chain.topology.hops
    .filter((one) => one.kind === 'clients' && chain.from(one).includes(hop))
    .map(({ name }) => `clients:${name}`);
}

/** Where a stall was: what became of a queue's slots. */
export interface AfterStall {
  /** Seconds from the begin of the stall until as many connections were there as slots. */
  readonly filledAfter: number | null;
  /** Do requests wait still, at the end of the run? */
  readonly stuck: boolean;
}

export interface Stall {
  readonly queue: string;
  readonly slots: number;
  /** Second of the run at which it begins. */
  readonly at: number;
  /** Seconds of the whole run. */
  readonly end: number;
}

/** The last seconds of a run that are looked at, and before the stall. */
const LOOK = 20;

export function afterStall(
  rows: Iterable<SecondRow>,
  { queue, slots, at, end }: Stall,
): AfterStall {
  const there = new Map<number, number>();
  let [before, after] = [0, 0];
  for (const { second, scope, measure, value } of rows) {
    if (scope !== `hop:${queue}` || value === null) continue;
    if (measure === 'active' || measure === 'held') {
      there.set(second, (there.get(second) ?? 0) + value);
    }
    if (measure !== 'waiting') continue;
    if (second >= at - LOOK && second < at) before += value;
    if (second >= end - LOOK && second < end) after += value;
  }
  return { filledAfter: filled(there, slots, at), stuck: after > LOOK && after > 10 * before };
}

/** Gauges are read at the ends of seconds; between two of them a straight line is drawn. */
function filled(there: ReadonlyMap<number, number>, slots: number, at: number): number | null {
  let last = there.get(at - 1) ?? 0;
  for (let second = at; there.has(second); second++) {
    const now = there.get(second) ?? 0;
    if (now >= slots) return second - at + (now > last ? (slots - last) / (now - last) : 0);
    last = now;
  }
  return null;
}
