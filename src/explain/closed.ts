/**
 * Closed users whose time to answer is solved exactly: they meet no queue, or one group of them
 * meets queues that convolution can solve.
 */
import type { Distribution } from '../model/topology.ts';
import { type ClosedStation, closedQueue, closedThroughput } from '../theory/closed-network.ts';
import { moments } from '../theory/times.ts';
import type { Known } from './answer.ts';
import { canWait, isMarkov, poolWait, type Station, workOf } from './stations.ts';

export interface ClosedWait {
  /** Seconds of one piece of work. */
  readonly mean: number;
  readonly probability: number;
}

export type Waits = ReadonlyMap<Station, ClosedWait>;
export const NO_WAITS: Waits = new Map();

/** Of a group of clients, what is needed here. */
interface Asking {
  readonly users: number;
  readonly think: Distribution | null;
  readonly rate: number;
  readonly turnedAway: number;
  readonly seconds: number;
}

/** Multiplications that the exact solution may cost. */
const CONVOLUTION_MAX = 3e7;

/** Where users meet no queue, or one group of them meets queues that convolution can solve. */
export function exactSeconds(
  groups: readonly Asking[],
  stations: readonly Station[],
  least: number,
): { readonly seconds: number; readonly how: Known; readonly waits: Waits } | null {
  const users = groups.reduce((sum, one) => sum + one.users, 0);
  const queues = stations.filter(canWait);
  const app = stations[0]?.hop;
  const narrowPool = app?.kind === 'app' && stations.length > 1 && app.pool.max < users;
  const throttled = groups.some((one) => one.turnedAway > 1e-9);
  if (queues.length === 0 && !narrowPool && !throttled) {
    return { seconds: least, how: { ...RENEWAL, inputs: { seconds: least } }, waits: NO_WAITS };
  }
  const [group] = groups;
  const places = queues.reduce((sum, { replicas }) => sum + replicas, 0);
  const cost = users * users * places;
  const refusing = queues.some(({ servers, room }) => servers + room < users);
  if (groups.length > 1 || group?.think == null || throttled || refusing) return null;
  if (!(cost <= CONVOLUTION_MAX)) return null;
  if (narrowPool && poolWait(stations, group.rate) > 1e-3 * least) return null;
  const think = moments(group.think).mean + group.seconds - least;
  const own = stations.filter((one) => !queues.includes(one));
  const without = workOf(own, think);
  const each = queues.flatMap(({ replicas, visits, service, servers }) =>
    Array.from({ length: replicas }, () => ({ demand: (visits * service) / replicas, servers })),
  );
  const rate = closedThroughput(users, without, each);
  const exponential = isMarkov(queues);
  const even = queues.every(({ replicas }) => replicas === 1);
  return {
    seconds: users / rate - think,
    waits: closedWaits(queues, each, { users, without, rate }),
    how: {
      ...CONVOLUTION,
      standing: exponential && even ? 'exact' : 'approximation',
      inputs: { users, think, stations: places },
      remark: exponential
        ? even
          ? null
          : 'each host is taken for drawn by chance, with even odds'
        : NOT_EXPONENTIAL,
    },
  };
}

/** `each`: the stations of all replicas, those of one hop behind each other. */
function closedWaits(
  queues: readonly Station[],
  each: readonly ClosedStation[],
  { users, without, rate }: Readonly<Record<'users' | 'without' | 'rate', number>>,
): Waits {
  let first = 0;
  const entries = queues.map((station): [Station, ClosedWait] => {
    const { present, waits } = closedQueue(users, without, each, first);
    first += station.replicas;
    const pieces = (rate * station.visits) / station.replicas;
    return [station, { mean: present / pieces - station.service, probability: waits }];
  });
  return new Map(entries);
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
