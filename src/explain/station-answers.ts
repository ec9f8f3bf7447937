/** An app or a database: how busy it is, and how much it can do. */

import type { FiniteQueue } from '../theory/finite-queue.ts';
import { moments } from '../theory/times.ts';
import { type Answer, estimated, type Known, type Quantity, unknown } from './answer.ts';
import { whyOff, whyOffAt } from './group-answers.ts';
import { type Load, stationsBehind } from './load.ts';
import {
  canWait,
  capacityOf,
  isInStep,
  refusals,
  type Station,
  waitAt,
  waitAtDatabase,
  waitProbabilityAt,
} from './stations.ts';

export function stationAnswers(load: Load, one: Station, obstacle: string | null): Answer[] {
  const { hop, servers, replicas, visits, service } = one;
  const at = hop.name;
  const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
  if (servers === Number.POSITIVE_INFINITY) return [];
  const capacity = answer('capacityPerSecond', {
    value: service === 0 ? null : capacityOf(one),
    standing: service === 0 ? 'unknown' : 'exact',
    formula: 'replicas x servers / (visits x service)',
    source: 'asymptotic bound (Kleinrock, Queueing Systems II, 1976, 4.11)',
    inputs: { replicas, servers, visits, service },
    remark: service === 0 ? 'its work takes no time' : 'requests / s beyond which work piles up',
  });
  if (obstacle !== null) return [capacity, answer('utilisation', unknown(obstacle))];
  const work = (load.rates.get(hop.name) ?? 0) / replicas;
  const offered = work * service;
  const { stages } = one.arrivals;
  const renewal = stages !== 1 && canWait(one);
  const plain = { perReplica: work, service, servers, offered };
  const inputs = renewal ? { ...plain, stages } : plain;
  const requests = (load.rates.get(hop.name) ?? 0) / visits;
  const finite = refusals(one, requests);
  const group = load.groups.find(({ hop: client }) => stationsBehind(load, client).includes(one));
  const users = group !== undefined && group.users < Number.POSITIVE_INFINITY;
  const why = group === undefined ? '' : whyOff(load, group);
  const busy = finite === null ? offered / servers : finite.serving / servers;
  const pause = group?.think == null ? 0 : moments(group.think).mean;
  const about = users && group ? (busy * group.off) / (pause + group.seconds - group.off) : 0;
  const utilisation: Known = { ...EXACT, ...BUSY, value: busy, inputs };
  return [
    answer('utilisation', estimated(utilisation, about, why)),
    answer('waitProbability', chanceOf(load, one, { users, why, inputs })),
    answer('meanWaitSeconds', meanWaitOf(load, one, { users, why, inputs })),
    capacity,
  ];
}

const EXACT = { standing: 'exact', remark: null } as const;
const BUSY = {
  formula: 'work / s x service / servers',
  source: "utilisation law (Little's law of the servers)",
} as const;

interface Asked {
  /** Closed users come here. */
  readonly users: boolean;
  /** Why their waits are not exact. */
  readonly why: string;
  readonly inputs: Readonly<Record<string, number>>;
}

function chanceOf(load: Load, one: Station, { users, why, inputs }: Asked): Known {
  const closed = load.waits.get(one);
  if (canWait(one) && closed !== undefined) {
    if (closed.probability === null) return unknown(why === '' ? WITH_OTHERS : why);
    return { ...EXACT, ...SEEN, value: closed.probability, inputs };
  }
  if (canWait(one) && users) return unknown(why);
  const requests = (load.rates.get(one.hop.name) ?? 0) / one.visits;
  const finite = refusals(one, requests);
  const { stages, other, remark } = one.arrivals;
  const value = waitProbabilityAt(one, requests);
  const trivial = !canWait(one) || isInStep(one) || finite !== null;
  const single = one.visits === 1;
  const random = one.variation === 1 && other === null && remark === null;
  const markov = random && (single || stages === 1);
  const poisson = stages === 1 && other === null && single;
  if (!trivial && !markov && !poisson) return unknown(remark ?? TAKEN);
  const exact = trivial || markov || one.servers === 1;
  return {
    ...{ value, inputs },
    ...(exact ? EXACT : { standing: 'approximation', remark: TAKEN }),
    ...(stages === 1
      ? { formula: waitFormula(finite), source: ERLANG }
      : { formula: FINDS, source: TAKACS }),
  };
}

const WITH_OTHERS = 'several groups come here, each of which sees something else';
const TAKEN = 'service times are taken for exponential';

function waitFormula(finite: FiniteQueue | null): string {
  return finite === null ? 'Erlang C(servers, offered load)' : 'p(c) + .. + p(K - 1)';
}

const SEEN = {
  formula: 'P(all servers busy) with one user fewer: what one of them sees who comes',
  source: 'Sevcik and Mitrani (1981), Lavenberg and Reiser (1980); Buzen (1973)',
} as const;
const ERLANG = 'Erlang (1917); Cooper, Introduction to Queueing Theory (1981), 3.4';
const FINDS =
  'GI/M/c: p(c) + .. of what arrivals find; p(n + 1) = sigma p(n) from n = c - 1 on, ' +
  'sigma = A*(c mu (1 - sigma)), A* the transform of gaps of so many stages (no limit = constant)';
const RENEWAL_WAIT = 'P(waits) / (c mu (1 - sigma)); with refusals waiting / arrivals';
const SCALED =
  'x k(variation) / k(1), k(v) = (g + v) exp(-2 (1 - load) (1 - g)^2 / (3 load (g + v))), ' +
  'g = 1 / stages';
const TAKACS = 'Kendall (1953), Takacs (1962); Kleinrock, Queueing Systems I (1975), 6.3, 6.4';

function meanWaitOf(load: Load, one: Station, { users, why, inputs }: Asked): Known {
  const { hop, variation, visits } = one;
  const closed = load.waits.get(one);
  if (closed !== undefined) {
    const known = { ...EXACT, ...OF_USERS, value: closed.value, inputs };
    return estimated(known, closed.off, why);
  }
  const with_ = { ...inputs, variation };
  if (canWait(one) && users) return unknown(why);
  const requests = (load.rates.get(hop.name) ?? 0) / visits;
  const stations = behindOf(load, one);
  const { value, off } =
    hop.kind === 'database' ? waitAtDatabase(stations, requests) : waitAt(one, requests);
  const of = waitSource(one);
  return estimated({ ...EXACT, ...of, value, inputs: with_ }, off, whyOffAt(one));
}

function behindOf(load: Load, one: Station): readonly Station[] {
  return [...load.stations.values()].find((all) => all.includes(one)) ?? [];
}

function waitSource(one: Station) {
  const { arrivals, variation, visits } = one;
  if (canWait(one) && visits > 1 && !(variation === 1 && arrivals.stages === 1)) return AGAIN;
  if (canWait(one) && arrivals.stages !== 1) {
    return variation === 1
      ? { formula: RENEWAL_WAIT, source: TAKACS }
      : { formula: `${RENEWAL_WAIT}; ${SCALED}`, source: `${TAKACS}; ${KRAEMER}` };
  }
  return one.servers === 1 || variation === 1 ? POLLACZEK : KIMURA;
}

const OF_USERS = {
  formula: 'users there on average / pieces of work per second - service',
  source: "Little's law; Buzen (1973), Takacs (1962)",
} as const;
const AGAIN = {
  formula: 'from the work that is there if each request did all of its own at once',
  source: "Little's law; Wolff (1982); Jackson (1963)",
} as const;
const KRAEMER = 'Kraemer, Langenbach-Belz (1976); Kimura (1986)';
const POLLACZEK = {
  formula:
    '(1 + variation) / 2 x C x service / (servers - offered); with refusals waiting / arrivals',
  source: 'Pollaczek-Khinchine (one server), Erlang (1917); M/M/c/K',
} as const;
const KIMURA = {
  formula: '(1 + v) / (2 v / W(M/M/c) + (1 - v) / W(M/D/c))',
  source: 'Kimura (1986); of M/D/c Cosmetatos (1975)',
} as const;
