/**
 * How many requests each hop sees per second, and how long one takes: for open loads as many as
 * arrive, for closed users as many as they can ask, given how long the answers take.
 */
import { isL4 } from '../model/plan.ts';
import type { ClientsHop, Distribution, Hop, Topology } from '../model/topology.ts';
import { closedThroughput } from '../theory/closed-network.ts';
import { moments } from '../theory/times.ts';
import { turnedAway } from '../theory/token-bucket.ts';
import type { Known } from './answer.ts';
import { Chain } from './chain.ts';
import { poolWait, type Station, stationsOf, timeToAnswer } from './stations.ts';
import { peakOf } from './steady.ts';

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
}

export interface Load {
  readonly chain: Chain;
  readonly groups: readonly Group[];
  /** Requests per second that reach a hop, by name. */
  readonly rates: ReadonlyMap<string, number>;
  /** Those who may ask at once, by name of the hop. */
  readonly sources: ReadonlyMap<string, number>;
  readonly stations: ReadonlyMap<string, readonly Station[]>;
  /** How the rates of closed users were found. */
  readonly closed: Known;
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
  let obstacle: string | null = null;
  let closed: Known | null = null;
  for (const members of ends.values()) {
    const solved = solve(chain, members, factor);
    groups.push(...solved.groups);
    for (const hop of members) {
      const app = chain.app(hop);
      if (app !== null) stations.set(app.name, solved.stations);
    }
    obstacle ??= obstacleOf(chain, members, solved);
    closed ??= solved.how;
  }
  return {
    ...{ chain, groups, stations, obstacle, closed: closed ?? OPEN },
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
  readonly groups: readonly Group[];
  readonly stations: readonly Station[];
  readonly how: Known;
}

/** All groups whose requests end at one place. */
function solve(chain: Chain, members: readonly ClientsHop[], factor: number): Solved {
  const app = members.map((hop) => chain.app(hop)).find((one) => one !== null) ?? null;
  const stations = app === null ? [] : stationsOf(chain, app);
  const groupsAt = (seconds: number): Group[] =>
    members.map((hop) => groupAt(chain, hop, factor, seconds));
  const passed = (groups: readonly Group[]): number =>
    groups.reduce((sum, { rate, turnedAway: away }) => sum + rate * (1 - away), 0);
  const least = stations.reduce((sum, { visits, service }) => sum + visits * service, 0);
  const open = members.every(({ workload }) => workload.kind === 'open');
  const fixed = (seconds: number): Solved => ({ groups: groupsAt(seconds), stations, how: OPEN });
  if (open) return fixed(timeToAnswer(stations, passed(groupsAt(least))));
  const exact = exactSeconds(groupsAt(least), stations, least);
  if (exact !== null) return { groups: groupsAt(exact.seconds), stations, how: exact.how };
  // The longer answers take, the less is asked, and the less is asked the shorter they take.
  let [low, high] = [least, Math.max(least, 1e-6)];
  const excess = (seconds: number): number =>
    timeToAnswer(stations, passed(groupsAt(seconds))) - seconds;
  while (excess(high) > 0 && high < 1e6) high *= 2;
  for (let round = 0; round < 100; round++) {
    const middle = (low + high) / 2;
    if (excess(middle) > 0) low = middle;
    else high = middle;
  }
  return { groups: groupsAt(high), stations, how: FIXED_POINT };
}

const FIXED_POINT: Known = {
  value: null,
  standing: 'approximation',
  formula: 'rate = users / (think + R(rate)), R by Erlang C at that rate',
  source: "Little's law; Kleinrock, Queueing Systems II (1976), section 4.11",
  inputs: {},
  remark: 'arrivals of many users are taken for Poisson',
};

/** Multiplications that the exact solution may cost. */
const CONVOLUTION_MAX = 3e7;

/** Where users meet no queue, or one group of them meets queues that convolution can solve. */
function exactSeconds(
  groups: readonly Group[],
  stations: readonly Station[],
  least: number,
): { readonly seconds: number; readonly how: Known } | null {
  const users = groups.reduce((sum, one) => sum + one.users, 0);
  const queues = stations.filter(({ servers }) => servers < users);
  const app = stations[0]?.hop;
  const narrowPool = app?.kind === 'app' && stations.length > 1 && app.pool.max < users;
  const throttled = groups.some((one) => one.turnedAway > 1e-9);
  if (queues.length === 0 && !narrowPool && !throttled) {
    return { seconds: least, how: { ...RENEWAL, inputs: { seconds: least } } };
  }
  const [group] = groups;
  const places = queues.reduce((sum, { replicas }) => sum + replicas, 0);
  const cost = users * users * places;
  if (groups.length > 1 || group?.think == null || throttled || !(cost <= CONVOLUTION_MAX)) {
    return null;
  }
  if (narrowPool && poolWait(stations, group.rate) > 1e-3 * least) return null;
  const think = moments(group.think).mean;
  const own = stations.filter((one) => !queues.includes(one));
  const without = own.reduce((sum, { visits, service }) => sum + visits * service, think);
  const each = queues.flatMap(({ replicas, visits, service, servers }) =>
    Array.from({ length: replicas }, () => ({ demand: (visits * service) / replicas, servers })),
  );
  const rate = closedThroughput(users, without, each);
  const exponential = queues.every(({ variation }) => Math.abs(variation - 1) < 1e-9);
  const even = queues.every(({ replicas }) => replicas === 1);
  return {
    seconds: users / rate - think,
    how: {
      ...CONVOLUTION,
      standing: exponential && even ? 'exact' : 'approximation',
      inputs: { users, think, stations: places },
      remark: exponential ? (even ? null : 'hosts are taken for even') : NOT_EXPONENTIAL,
    },
  };
}

const NOT_EXPONENTIAL = 'service times that are not exponential are taken for it';

const RENEWAL: Known = {
  value: null,
  standing: 'exact',
  formula: 'rate = users / (think + service), nobody waits',
  source: 'renewal-reward theorem (Ross, Stochastic Processes, 1996, 3.6.1)',
  inputs: {},
  remark: null,
};

const CONVOLUTION: Known = {
  value: null,
  standing: 'exact',
  formula: 'rate = G(users - 1) / G(users)',
  source: 'Buzen (1973), convolution algorithm of closed product-form networks',
  inputs: {},
  remark: null,
};

function groupAt(chain: Chain, hop: ClientsHop, factor: number, seconds: number): Group {
  const { workload } = hop;
  const gateway = chain.from(hop).find((one) => one.kind === 'gateway');
  const throttle = gateway?.kind === 'gateway' ? gateway.throttle : null;
  const awayAt = (rate: number): number => {
    if (throttle === null || throttle.ratePerSecond === 0) return 0;
    const share = turnedAway(rate / throttle.ratePerSecond, throttle.burst);
    return share < NEGLIGIBLE ? 0 : share;
  };
  if (workload.kind === 'open') {
    const rate = peakOf(workload.rate) * factor;
    return { ...{ hop, rate, seconds, think: null }, users: INFINITE, turnedAway: awayAt(rate) };
  }
  const users = Math.round(peakOf(workload.awake) * hop.count) * factor;
  const think = workload.thinkTime;
  const rate = users / Math.max(moments(think).mean + seconds, 1e-6);
  return { hop, users, think, rate, seconds, turnedAway: awayAt(rate) };
}

const INFINITE = Number.POSITIVE_INFINITY;
/** Rounding of 1 - x. */
const NEGLIGIBLE = 1e-12;

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
  for (const { hop } of solved.stations) {
    if (hop.contention > 0) return `${hop.name}: contention makes the service depend on the load`;
  }
  const [group] = solved.groups;
  if (group === undefined) return 'nobody asks anything';
  if (!Number.isFinite(group.seconds)) {
    return 'more is asked than the slowest station can do: what waits grows without end';
  }
  for (const { hop, seconds } of solved.groups) {
    const limits = [hop.timeout, ...chain.from(hop).map(timeoutOf)].filter((one) => one > 0);
    if (Math.min(...limits) / 1e6 < seconds) {
      return `answers would take ${seconds.toPrecision(3)} s, longer than a timeout on the way`;
    }
    if (hop.patience.kind !== 'constant' || hop.patience.value > 0) {
      return `${hop.name} lose patience: see Erlang A`;
    }
  }
  return null;
}

function timeoutOf(hop: Hop): number {
  if (hop.kind === 'gateway') return hop.integrationTimeout;
  return 'responseTimeout' in hop ? hop.responseTimeout : 0;
}

function ratesOf(chain: Chain, groups: readonly Group[]): Map<string, number> {
  const rates = new Map<string, number>();
  for (const { hop, rate, turnedAway: away } of groups) {
    let now = rate;
    for (const one of chain.from(hop)) {
      const before = chain.from(hop).find((other) => other.upstream === one.name);
      if (before?.kind === 'gateway') now *= 1 - away;
      if (before !== undefined && !isL4(before) && before.kind === 'app') {
        now *= before.queriesPerRequest;
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
