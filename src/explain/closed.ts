/**
 * What closed users wait. Told exactly where there is an exact form:
 *
 *   nobody waits                                     think + service
 *   everything takes constant times, one by one      the slowest station, or nobody waits
 *   one server, exponential thinking                 M/G/1//N (Takacs 1962)
 *   exponential services                             product form (Buzen 1973)
 *
 * Else between what is known of the same stations. `closed-classes` has several groups.
 */
import type { ClientsHop, Distribution } from '../model/topology.ts';
import { type ClosedStation, closedQueue, closedThroughput } from '../theory/closed-network.ts';
import { finiteSource, gammaTransform } from '../theory/finite-source.ts';
import type { Estimate } from '../theory/general-queue.ts';
import { moments, transform } from '../theory/times.ts';
import type { Known } from './answer.ts';
import { closedGroups } from './closed-groups.ts';
import { canWait, isMarkov, poolWait, refusals, type Station, workOf } from './stations.ts';

export interface ClosedWait extends Estimate {
  /** Of one piece of work: does it wait? null = not known. */
  readonly probability: number | null;
}

export type Waits = ReadonlyMap<Station, ClosedWait>;
export const NO_WAITS: Waits = new Map();

/** Of a group of clients, what is needed here. */
export interface Asking {
  readonly hop: Pick<ClientsHop, 'workload'>;
  readonly users: number;
  readonly think: Distribution | null;
  readonly rate: number;
  readonly turnedAway: number;
  /** To the answer, where nobody waits. */
  readonly seconds: number;
}

export interface Closed {
  /** Seconds at the stations, by group, and how far off that may be. */
  readonly seconds: readonly number[];
  readonly off: number;
  readonly how: Known;
  readonly waits: Waits;
}

/** Multiplications that the exact solution may cost. */
const CONVOLUTION_MAX = 3e7;

/** null where that is not known. `least` is the work of a request at the stations. */
export function closedSeconds(
  groups: readonly Asking[],
  stations: readonly Station[],
  least: number,
): Closed | null {
  const users = groups.reduce((sum, one) => sum + one.users, 0);
  const queues = stations.filter(canWait);
  const app = stations[0]?.hop;
  const rate = groups.reduce((sum, one) => sum + one.rate, 0);
  const narrowPool = app?.kind === 'app' && stations.length > 1 && app.pool.max < users;
  const throttled = groups.some((one) => one.turnedAway > 1e-9);
  if (queues.length === 0 && !narrowPool && !throttled) {
    const how = { ...RENEWAL, inputs: { seconds: least } };
    return { seconds: groups.map(() => least), off: 0, how, waits: NO_WAITS };
  }
  const refusing = queues.some((one) =>
    users < Number.POSITIVE_INFINITY
      ? one.servers + one.room < users
      : refusals(one, rate) !== null,
  );
  if (throttled || refusing) return null;
  if (narrowPool && poolWait(stations, rate).value > 1e-3 * least) return null;
  const [group] = groups;
  if (groups.length > 1) return closedGroups(groups, stations, least);
  if (group?.think == null) return null;
  const case_ = { users: group.users, think: group.think, away: group.seconds - least, stations };
  return ofConstants(case_) ?? ofOneServer(case_) ?? ofNetwork(case_);
}

interface Case {
  readonly users: number;
  readonly think: Distribution;
  /** Seconds on links. */
  readonly away: number;
  readonly stations: readonly Station[];
}

/** Users in step: first come, first served, each as far behind the one before as it can be. */
function ofConstants({ users, think, away, stations }: Case): Closed | null {
  const mean = moments(think);
  const even = stations.every(
    ({ variation, visits, replicas, dealt }) =>
      variation === 0 && visits === 1 && (replicas === 1 || dealt === 'turn'),
  );
  if (mean.variation > 0 || !even) return null;
  const least = workOf(stations);
  const slowest = [...stations].sort((one, other) => busiest(other) - busiest(one))[0];
  if (slowest === undefined) return null;
  const seconds = Math.max(least, users * busiest(slowest) - mean.mean - away);
  const waited = seconds - least;
  const waits = stations.filter(canWait).map((one): [Station, ClosedWait] => {
    const value = one === slowest ? waited : 0;
    return [one, { value, off: 0, probability: value > 0 ? 1 : 0 }];
  });
  const inputs = { users, think: mean.mean + away, least };
  return { seconds: [seconds], off: 0, how: { ...IN_STEP, inputs }, waits: new Map(waits) };
}

function busiest({ visits, service, servers, replicas }: Station): number {
  return (visits * service) / (servers * replicas);
}

function ofOneServer({ users, think, away, stations }: Case): Closed | null {
  const [one] = stations;
  const alone = stations.length === 1 && one?.servers === 1 && one.replicas === 1;
  if (!alone || think.kind !== 'exponential' || away > 0 || one.service === 0) return null;
  const mean = moments(think).mean;
  const { rate, waits } = finiteSource({
    ...{ users, think: mean, service: one.service },
    transform: (s) => transform(one.hop.serviceTime, s),
  });
  const seconds = users / rate - mean;
  const inputs = { users, think: mean, service: one.service };
  return {
    ...{ seconds: [seconds], off: 0, how: { ...TAKACS, inputs } },
    waits: new Map([[one, { value: seconds - one.service, off: 0, probability: waits }]]),
  };
}

/** Of a wait at service times that are not exponential; at hosts dealt to, of what is between. */
const OFF_VARIATION = 0.15;
const OFF_DEALT = 0.25;

/**
 * Users who think and are served evenly get out of each other's way: in step for good, where all
 * is constant and the hosts are not dealt to in turn; exponential services forget.
 */
function ofNetwork({ users, think, away, stations }: Case): Closed | null {
  const queues = stations.filter(canWait);
  const places = queues.reduce((sum, { replicas }) => sum + replicas, 0);
  if (!(users * users * places <= CONVOLUTION_MAX)) return null;
  const pause = moments(think).mean + away;
  const own = stations.filter((one) => !queues.includes(one));
  const without = workOf(own, pause);
  const apart = productForm(queues, { users, without });
  const together = productForm(queues.map(pooled), { users, without });
  const exponential = isMarkov(queues);
  const paused = moments(think).variation * (moments(think).mean / pause) ** 2;
  const waits = new Map<Station, ClosedWait>();
  let [seconds, off] = [workOf(stations), 0];
  queues.forEach((one, index) => {
    const [far, near] = [apart[index], together[index]];
    if (far === undefined || near === undefined) return;
    const told = dealtWait(one, near.value, far.value);
    const part = exponential ? 1 : variationPart(one, { users, cycle: far.cycle });
    const queued = queues.length > 1 ? 2 : 1;
    const rough = exponential ? 0 : OFF_VARIATION * queued * Math.max(part, 1);
    const value = part * told.value;
    const even = Math.max(0, 1 - one.variation) * (1 - paused) * value;
    const about = Math.max(part * told.off + rough * told.value, even);
    waits.set(one, { value, off: about, probability: about === 0 ? far.waits : null });
    seconds += one.visits * value;
    off += one.visits * about;
  });
  const least = Math.max(...queues.map((one) => users * busiest(one))) - pause;
  const inputs = { users, think: pause, stations: places };
  const remark = exponential ? HOSTS : NOT_EXPONENTIAL;
  const how = { ...CONVOLUTION, inputs, remark: off === 0 ? null : remark };
  return { ...atLeast(seconds, off, least), how, waits };
}

/** Nobody can ask for more than the slowest station does (Denning and Buzen 1978). */
export function atLeast(
  seconds: number,
  off: number,
  least: number,
): { readonly seconds: readonly [number]; readonly off: number } {
  const low = Math.max(seconds - off, least);
  const high = Math.max(seconds + off, least);
  return { seconds: [(low + high) / 2], off: off === 0 ? 0 : (high - low) / 2 };
}

/** Replicas as one station. */
function pooled(one: Station): Station {
  return { ...one, replicas: 1, servers: one.servers * one.replicas };
}

/** Between what one queue for all hosts would make of it, and a host drawn by chance. */
function dealtWait({ replicas, dealt, variation }: Station, near: number, far: number): Estimate {
  if (replicas === 1 || dealt === 'chance') return { value: far, off: 0 };
  const width = far - near;
  if (dealt === 'shortest') return { value: near + width / 4, off: width / 4 };
  if (dealt === 'better') return { value: near + width / 2, off: width / 2 };
  if (dealt === 'unknown') return { value: far, off: far };
  const part = Math.min(1, variation) / 2;
  return { value: near + part * width, off: OFF_DEALT * part * 2 * width };
}

/** Of the wait at exponential services, by M/G/1//N with one server as fast as all together. */
function variationPart(one: Station, { users, cycle }: { users: number; cycle: number }): number {
  const service = busiest(one);
  const think = cycle - service;
  if (!(think > 0)) return 1;
  const waitOf = (variation: number): number => {
    const sources = { users, think, service, transform: gammaTransform(service, variation) };
    return users / finiteSource(sources).rate - think - service;
  };
  const markov = waitOf(1);
  return markov <= 1e-9 * service ? (1 + one.variation) / 2 : waitOf(one.variation) / markov;
}

interface Solution {
  readonly value: number;
  readonly waits: number;
  /** Of a user, but for what it is at this station. */
  readonly cycle: number;
}

function productForm(
  queues: readonly Station[],
  { users, without }: { readonly users: number; readonly without: number },
): Solution[] {
  const each = queues.flatMap(({ replicas, visits, service, servers }) =>
    Array.from(
      { length: replicas },
      (): ClosedStation => ({ demand: (visits * service) / replicas, servers }),
    ),
  );
  const rate = closedThroughput(users, without, each);
  let first = 0;
  return queues.map(({ replicas, visits, service }) => {
    const { present, waits } = closedQueue(users, without, each, first);
    first += replicas;
    const time = (present * replicas) / rate;
    const cycle = users / rate - time + visits * service;
    return { value: time / visits - service, waits, cycle };
  });
}

const NOT_EXPONENTIAL = 'service times that are not exponential: in proportion to one server';
const HOSTS = 'waits longer than at one queue for all hosts, and shorter than at one drawn';

const RENEWAL: Known = {
  value: null,
  standing: 'exact',
  formula: 'rate = users / (think + service), nobody waits',
  source: 'renewal-reward theorem (Ross, Stochastic Processes, 1996, 3.6.1)',
  inputs: {},
  remark: null,
};

const CONVOLUTION: Known = {
  ...RENEWAL,
  formula: 'rate = G(users - 1) / G(users)',
  source: 'Buzen (1973), convolution algorithm of closed product-form networks',
};

const TAKACS: Known = {
  ...RENEWAL,
  formula: 'rate = B / (think / users + B service), B answers in a busy period of M/G/1//N',
  source: 'Takacs, Introduction to the Theory of Queues (1962), chapter 5',
};

const IN_STEP: Known = {
  ...RENEWAL,
  formula: 'rate = least of users / (think + service) and servers / service of the slowest',
  source: 'cycle times of max-plus systems (Baccelli, Cohen, Olsder, Quadrat 1992, 2.3)',
};
