/**
 * How many requests each hop sees per second, and how long one takes: for open loads as many as
 * arrive, for closed users as many as they can ask, given how long the answers take.
 */
import { isL4 } from '../model/plan.ts';
import type { ClientsHop, Distribution, Hop, Topology } from '../model/topology.ts';
import { moments, tail } from '../theory/times.ts';
import { turnedAway, turnedAwayEvenly } from '../theory/token-bucket.ts';
import type { Known } from './answer.ts';
import { POISSON } from './arrivals.ts';
import { Chain } from './chain.ts';
import { atLeast, type ClosedWait, closedSeconds, NO_WAITS, type Waits } from './closed.ts';
import { connectionWait, isWide, type Narrow, narrowPool, occupancyOf, widthOf } from './narrow.ts';
import { type Left, leftOf } from './patience.ts';
import {
  canWait,
  capacity,
  refusals,
  refusesKnown,
  type Station,
  stationsOf,
  timeToAnswer,
  waitsTooLong,
  workOf,
} from './stations.ts';
import { peakOf } from './steady.ts';
import { transit, transitBefore } from './way.ts';

export interface Group {
  readonly hop: ClientsHop;
  /** Users that ask and wait; Infinity = an open load. */
  readonly users: number;
  readonly think: Distribution | null;
  /** Requests per second that they send. */
  readonly rate: number;
  /** Of those, which a throttle turns away. */
  readonly turnedAway: number;
  /** Mean seconds from the request to its answer, of those that are not turned away. */
  readonly seconds: number;
  /** By how much they may be off; 0 = exact. */
  readonly off: number;
  /** How its rate was found. */
  readonly how: Known;
  /** Of those that are not turned away, what an app refuses at once. */
  readonly refused: number;
  /** Where they wait for a connection, and how long; null where they do not. */
  readonly narrow: { readonly pool: Narrow; readonly seconds: number; readonly off: number } | null;
  /** Those who lose patience, where that has a closed form; else null. */
  readonly left: Left | null;
}

export interface Load {
  readonly chain: Chain;
  readonly groups: readonly Group[];
  /** Requests per second that reach a hop, by name. */
  readonly rates: ReadonlyMap<string, number>;
  /** Those who may ask at once, by name of the hop. */
  readonly sources: ReadonlyMap<string, number>;
  readonly stations: ReadonlyMap<string, readonly Station[]>;
  /** Of closed users, where that is solved: what they wait at each station. */
  readonly waits: ReadonlyMap<Station, ClosedWait>;
  /** Why there is no steady state, or no closed form for it; null where there is. */
  readonly obstacle: string | null;
}

/** `factor` multiplies every load: users or arrivals. */
export function loadOf(topology: Topology, factor = 1): Load {
  const chain = new Chain(topology);
  const clients = topology.hops.filter((hop): hop is ClientsHop => hop.kind === 'clients');
  const ends = new Map<Hop, ClientsHop[]>();
  for (const hop of clients) {
    const end = chain.from(hop).at(-1) ?? hop;
    ends.set(end, [...(ends.get(end) ?? []), hop]);
  }
  const groups: Group[] = [];
  const stations = new Map<string, readonly Station[]>();
  const waits = new Map<Station, ClosedWait>();
  let obstacle: string | null = null;
  for (const members of ends.values()) {
    const solved = solve(chain, members, factor);
    groups.push(...solved.groups);
    for (const [station, wait] of solved.waits) waits.set(station, wait);
    for (const hop of members) {
      const app = chain.app(hop);
      if (app !== null) stations.set(app.name, solved.stations);
    }
    obstacle ??= obstacleOf(chain, members, solved) ?? solved.obstacle;
  }
  return {
    ...{ chain, groups, stations, waits, obstacle },
    rates: ratesOf(chain, groups),
    sources: sourcesOf(chain, groups),
  };
}

const OPEN: Known = {
  value: null,
  standing: 'exact',
  formula: 'arrivals / s of the document',
  source: 'given',
  inputs: {},
  remark: null,
};

interface Solved {
  readonly waits: Waits;
  readonly groups: readonly Group[];
  readonly stations: readonly Station[];
  readonly obstacle: string | null;
}

/** All groups whose requests end at one place. */
function solve(chain: Chain, members: readonly ClientsHop[], factor: number): Solved {
  const app = members.map((hop) => chain.app(hop)).find((one) => one !== null) ?? null;
  const pools = members.map((hop) => narrowPool(chain, hop));
  const groupsAt = (seconds: number): Group[] =>
    members.map((hop) => groupAt(chain, hop, factor, seconds));
  const idle = groupsAt(0);
  const users = idle.reduce((sum, one) => sum + one.users, 0);
  const passable = pools.reduce((sum, one) => sum + (one === null ? INFINITE : widthOf(one)), 0);
  const coming = {
    most: Math.min(users, passable),
    rate: passedOf(idle),
    thinned: idle.some(({ turnedAway: away }) => away > 1e-9),
  };
  const stations = app === null ? [] : stationsOf(chain, members, app, coming);
  const solved = solveStations(stations, groupsAt, workOf(stations));
  const found = behindPools(chain, pools, { ...solved, stations });
  const [group] = found.groups;
  const left = found.groups.length === 1 && group ? leftOf(chain, group, stations) : null;
  const { waits } = solved;
  if (left === null || group === undefined) return { stations, waits, ...found };
  const patient = { ...group, left, seconds: left.seconds, off: 0, narrow: null };
  return { stations, waits, ...found, groups: [patient] };
}

type Outcome = Pick<Solved, 'groups' | 'waits'>;

function solveStations(
  stations: readonly Station[],
  groupsAt: (seconds: number) => readonly Group[],
  least: number,
): Outcome {
  const idle = groupsAt(least);
  if (idle.every(({ users }) => users === INFINITE)) {
    const rate = passedOf(idle);
    const { refused } = (stations[0] && refusals(stations[0], rate)) ?? { refused: 0 };
    const { value, off } = timeToAnswer(stations, rate);
    const groups = groupsAt(value).map((one) => ({ ...one, refused, off }));
    return { groups, waits: NO_WAITS };
  }
  const closed = closedSeconds(idle, stations, least);
  if (closed !== null) {
    const { seconds, off, how, waits } = closed;
    const groups = seconds.map((one) => groupsAt(one)).map((all, index) => all[index]);
    const known = groups.filter((one) => one !== undefined);
    return { groups: known.map((one) => ({ ...one, off, how: howOf(one, how) })), waits };
  }
  return fixedPoint(stations, groupsAt, least);
}

function howOf({ users }: Group, how: Known): Known {
  return users === INFINITE ? OPEN : how;
}

/** The longer answers take, the less is asked, and the less is asked the shorter they take. */
function fixedPoint(
  stations: readonly Station[],
  groupsAt: (seconds: number) => readonly Group[],
  least: number,
): Outcome {
  let [low, high] = [least, Math.max(least, 1e-6)];
  const random = stations.map((one) => ({ ...one, arrivals: POISSON }));
  const most = (seconds: number): number => {
    const { value, off } = timeToAnswer(random, passedOf(groupsAt(seconds)));
    return value + off;
  };
  while (most(high) > high && high < 1e6) high *= 2;
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (most(middle) > middle) low = middle;
    else high = middle;
  }
  const half = (high - least) / 2;
  const [first, ...others] = groupsAt(least);
  let slowest = 0;
  if (others.length === 0 && first?.think != null) {
    const pause = moments(first.think).mean + first.seconds - least;
    slowest = first.users / capacity(stations) - pause;
  }
  const { seconds, off } = atLeast(least + half, half, slowest);
  const groups = groupsAt(seconds[0] ?? high);
  const how = off === 0 ? { ...FIXED_POINT, remark: null } : FIXED_POINT;
  const all = groups.map((one) => ({ ...one, off, how: howOf(one, how) }));
  return { groups: all, waits: NO_WAITS };
}

/** With what they wait for connections, where that is known. */
function behindPools(
  chain: Chain,
  pools: readonly (Narrow | null)[],
  { groups, stations }: Pick<Solved, 'groups' | 'stations'>,
): Pick<Solved, 'groups' | 'obstacle'> {
  const [first] = groups;
  for (const pool of pools) {
    if (pool === null || first === undefined) continue;
    const through = groups.filter(({ hop }) => chain.from(hop).includes(pool.hop));
    const rate = passedOf(through);
    const users = through.reduce((sum, one) => sum + one.users, 0);
    const before = transitBefore(chain, first.hop, pool.hop);
    if (pool.hop.kind === 'clients' && users < INFINITE) continue;
    if (users <= pool.connectionsMax || isWide(pool, rate, first.seconds - before)) continue;
    if (groups.length > 1 || users < INFINITE || stations.some(canWait)) {
      const what = pool.hop.kind === 'connection-queue' ? 'slots' : 'connections';
      const obstacle = `requests wait for ${what} of ${pool.hop.name}, not only for the app`;
      return { groups, obstacle };
    }
    const work = occupancyOf(stations, transit(chain, first.hop) - before);
    const { value, off } = connectionWait(pool, rate, work);
    const narrow = { pool, seconds: value, off };
    const waiting = { ...first, seconds: first.seconds + value, off: first.off + off, narrow };
    return { groups: [waiting], obstacle: null };
  }
  return { groups, obstacle: null };
}

const FIXED_POINT: Known = {
  value: null,
  standing: 'exact',
  formula: 'rate = users / (think + R), R between nobody waiting and Poisson arrivals at that rate',
  source: "Little's law; Kleinrock, Queueing Systems II (1976), section 4.11",
  inputs: {},
  remark: 'users who wait ask less than Poisson arrivals would',
};

/** `atStations` are the seconds that are spent there; the links' come on top. */
function groupAt(chain: Chain, hop: ClientsHop, factor: number, atStations: number): Group {
  const { workload } = hop;
  const seconds = atStations + transit(chain, hop);
  const plain = { hop, seconds, off: 0, refused: 0, narrow: null, left: null, how: OPEN };
  const gateway = chain.from(hop).find((one) => one.kind === 'gateway');
  const throttle = gateway?.kind === 'gateway' ? gateway.throttle : null;
  const awayAt = (rate: number): number => {
    if (throttle === null || throttle.ratePerSecond === 0) return 0;
    const evenly = workload.kind === 'open' && workload.arrivals === 'constant';
    const share = (evenly ? turnedAwayEvenly : turnedAway)(
      rate / throttle.ratePerSecond,
      throttle.burst,
    );
    return share < NEGLIGIBLE ? 0 : share;
  };
  if (workload.kind === 'open') {
    const rate = peakOf(workload.rate) * factor;
    return { ...plain, rate, think: null, users: INFINITE, turnedAway: awayAt(rate) };
  }
  const users = Math.round(peakOf(workload.awake) * hop.count) * factor;
  const think = workload.thinkTime;
  const rate = users / Math.max(moments(think).mean + seconds, 1e-6);
  return { ...plain, users, think, rate, turnedAway: awayAt(rate) };
}

const INFINITE = Number.POSITIVE_INFINITY;
/** Rounding of 1 - x. */
const NEGLIGIBLE = 1e-12;

/** Requests per second that no throttle turns away. */
function passedOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { rate, turnedAway: away }) => sum + rate * (1 - away), 0);
}

function obstacleOf(chain: Chain, members: readonly ClientsHop[], solved: Solved): string | null {
  for (const { hop, turnedAway: away, users } of solved.groups) {
    if (!/^\/items\//.test(hop.path)) return `the app does no work for ${hop.path} of ${hop.name}`;
    if (away > 1e-6 && users !== INFINITE) {
      return `${hop.name} are closed users who are turned away: how soon they ask again depends`;
    }
    if (away > 1e-6 && members.length > 1) return 'several groups share a throttle that rejects';
    if (away > 1e-6 && hop.retry.on.includes('429') && hop.retry.attemptsMax > 1) {
      return `${hop.name} try again what is turned away`;
    }
  }
  const [group] = solved.groups;
  if (group === undefined) return 'nobody asks anything';
  const rate = passedOf(solved.groups);
  for (const one of solved.stations) {
    const { name, contention } = one.hop;
    if (contention > 0) return `${name}: contention makes the service depend on the load`;
    if (refusals(one, rate) === null) continue;
    if (group.users !== INFINITE || one.hop.kind === 'database') return `${name} refuses some`;
    if (group.hop.retry.attemptsMax > 1 && group.hop.retry.on.includes('5xx')) {
      return `${name} refuses some, and ${group.hop.name} try again`;
    }
    if (!refusesKnown(one, solved.stations)) {
      return `${name} refuses some: how many is not known of such arrivals or service times`;
    }
  }
  if (waitsTooLong(solved.stations, rate))
    return 'some wait too long for a connection to the database';
  if (!Number.isFinite(group.seconds)) {
    return 'more is asked than the slowest station can do: what waits grows without end';
  }
  for (const { hop, seconds } of solved.groups) {
    const limits = [hop.timeout, ...chain.from(hop).map(timeoutOf)].filter((one) => one > 0);
    const limit = Math.min(...limits) / 1e6;
    if (limit <= seconds) {
      return `answers would take ${seconds.toPrecision(3)} s, no less than a timeout on the way`;
    }
    if (late(solved, limit) > LATE_MAX) {
      return `some answers take longer than the ${limit} s of a timeout on the way`;
    }
    const isPatient = hop.patience.kind === 'constant' && hop.patience.value === 0;
    if (!isPatient && group.left === null) {
      return `${hop.name} lose patience: see Erlang A`;
    }
  }
  return null;
}

/** More of the answers than this, and what is done about it matters. */
const LATE_MAX = 1e-4;

/** About which share of the answers takes longer: by one service, or by a wait (open loads). */
function late({ groups, stations }: Solved, limit: number): number {
  const alone = stations.map(({ hop }) => tail(hop.serviceTime, limit));
  const [group] = groups;
  const waits =
    group?.users === INFINITE && (group.narrow !== null || stations.some(canWait))
      ? Math.exp(-limit / group.seconds)
      : 0;
  return Math.max(0, waits, ...alone);
}

function timeoutOf(hop: Hop): number {
  if (hop.kind === 'gateway') return hop.integrationTimeout;
  return 'responseTimeout' in hop ? hop.responseTimeout : 0;
}

function ratesOf(chain: Chain, groups: readonly Group[]): Map<string, number> {
  const rates = new Map<string, number>();
  for (const { hop, rate, turnedAway: away, refused } of groups) {
    let now = rate;
    for (const one of chain.from(hop)) {
      const before = chain.from(hop).find((other) => other.upstream === one.name);
      if (before?.kind === 'gateway') now *= 1 - away;
      if (before !== undefined && !isL4(before) && before.kind === 'app') {
        now *= before.queriesPerRequest * (1 - refused);
      }
      rates.set(one.name, (rates.get(one.name) ?? 0) + now);
    }
  }
  return rates;
}

function sourcesOf(chain: Chain, groups: readonly Group[]): Map<string, number> {
  const sources = new Map<string, number>();
  for (const { hop, users } of groups) {
    for (const one of chain.from(hop)) {
      sources.set(one.name, (sources.get(one.name) ?? 0) + users);
    }
  }
  return sources;
}

/** What the requests of a group of clients come to. */
export function stationsBehind({ chain, stations }: Load, client: Hop): readonly Station[] {
  return stations.get(chain.app(client)?.name ?? '') ?? [];
}
