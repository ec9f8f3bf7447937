/** Several groups at stations of one server, closed users and open arrivals beside each other. */
import { COMBINATIONS_MAX, classTimes, combinationsOf } from '../theory/closed-classes.ts';
import { moments } from '../theory/times.ts';
import type { Known } from './answer.ts';
import type { Asking, Closed, ClosedWait } from './closed.ts';
import { canWait, isMarkov, type Station, workOf } from './stations.ts';

const NONE = Number.POSITIVE_INFINITY;

export function closedGroups(
  groups: readonly Asking[],
  stations: readonly Station[],
  least: number,
): Closed | null {
  const queues = stations.filter(canWait);
  const single = queues.every(({ servers, replicas }) => servers === 1 && replicas === 1);
  const random = groups.every(
    ({ hop: { workload } }) => workload.kind === 'closed' || workload.arrivals === 'poisson',
  );
  if (!single || !random || !isMarkov(queues)) return null;
  const beside = workOf(stations.filter((one) => !queues.includes(one)));
  const open = groups.filter(({ users }) => users === NONE);
  const rate = open.reduce((sum, one) => sum + one.rate, 0);
  const each = queues.map(({ visits, service }) => ({
    demand: visits * service,
    open: rate * visits * service,
  }));
  if (each.some((one) => one.open >= 1)) return null;
  const closed = groups
    .filter(({ users }) => users < NONE)
    .map(({ users, think, seconds }) => ({
      users,
      think: (think === null ? 0 : moments(think).mean) + seconds - least + beside,
    }));
  if (combinationsOf(closed) > COMBINATIONS_MAX) return null;
  if (closed.some(({ users }) => !Number.isInteger(users))) return null;
  const times = classTimes(closed, each);
  let next = 0;
  const seconds = groups.map(
    ({ users }) => beside + (users === NONE ? times.open : (times.groups[next++] ?? 0)),
  );
  const [only] = queues;
  const waits = new Map<Station, ClosedWait>();
  if (only !== undefined && queues.length === 1) {
    let [asked, waited] = [0, 0];
    groups.forEach((group, index) => {
      const here = seconds[index] ?? 0;
      const pause = (group.think === null ? 0 : moments(group.think).mean) + group.seconds - least;
      const asks = group.users === NONE ? group.rate : group.users / (pause + here);
      asked += asks;
      waited += asks * (here - least);
    });
    const value = waited / asked / only.visits;
    waits.set(only, { value, off: 0, probability: null });
  }
  return { seconds, off: 0, how: VALUES, waits };
}

const VALUES: Known = {
  value: null,
  standing: 'exact',
  formula: 'R(n) = demand / (1 - open load) x (1 + queue with one user of the group fewer)',
  source: 'mean value analysis (Reiser and Lavenberg 1980; with open classes Lavenberg 1983)',
  inputs: {},
  remark: null,
};
