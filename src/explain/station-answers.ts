/** An app or a database: how busy it is, and how much it can do. */

import type { FiniteQueue } from '../theory/finite-queue.ts';
import type { Answer, Known, Quantity } from './answer.ts';
import { unknown } from './answer.ts';
import { trustOfStation } from './group-answers.ts';
import { type Load, stationsBehind } from './load.ts';
import {
  canWait,
  capacityOf,
  isInStep,
  refusals,
  type Station,
  waitAt,
  waitProbabilityAt,
} from './stations.ts';

export function stationAnswers(load: Load, one: Station, obstacle: string | null): Answer[] {
  const { hop, servers, replicas, visits, service, variation } = one;
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
  const trust = trustOf(load, one);
  const { remark } = load.closed;
  const waits = { standing: trust.standing, inputs, remark: trust.remark };
  const closed = load.waits.get(one);
  const users = { standing: load.closed.standing, remark };
  const ofMarkov =
    canWait(one) &&
    variation !== 1 &&
    (servers > 1 || renewal) &&
    finite === null &&
    !isInStep(one);
  return [
    answer('utilisation', {
      ...{ value: finite === null ? offered / servers : finite.serving / servers, inputs },
      ...(finite === null ? { standing: load.closed.standing, remark } : trust),
      formula: 'work / s x service / servers',
      source: "utilisation law (Little's law of the servers)",
    }),
    answer('waitProbability', {
      ...waits,
      ...(ofMarkov ? { standing: 'approximation', remark: EXPONENTIAL } : {}),
      ...(renewal
        ? { formula: FINDS, source: TAKACS }
        : { formula: waitFormula(finite), source: ERLANG }),
      value: waitProbabilityAt(one, requests),
      ...(closed === undefined ? {} : { ...SEEN, value: closed.probability, ...users }),
    }),
    answer('meanWaitSeconds', meanWaitOf(load, one, waits)),
    capacity,
  ];
}

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
const EXPONENTIAL =
  'service times are taken for exponential, and arrivals for Poisson where they are not even';
const POISSON = { standing: 'approximation', remark: 'arrivals are taken for Poisson' } as const;

/** Open loads: as the time to answer, which is made of these. Users do not come by chance. */
function trustOf(load: Load, one: Station): Pick<Known, 'standing' | 'remark'> {
  if (!canWait(one)) return { standing: 'exact', remark: null };
  const group = load.groups.find(({ hop }) => stationsBehind(load, hop).includes(one));
  if (group === undefined || group.users !== Number.POSITIVE_INFINITY) return POISSON;
  return trustOfStation(load, group, one);
}

function meanWaitOf(
  load: Load,
  one: Station,
  waits: Pick<Known, 'standing' | 'remark' | 'inputs'>,
): Known {
  const { hop, visits, variation } = one;
  const inputs = { ...waits.inputs, variation };
  const closed = load.waits.get(one);
  if (closed !== undefined) {
    return {
      ...{ value: closed.mean, standing: load.closed.standing, inputs },
      formula: 'users there on average / pieces of work per second - service',
      source: "Little's law, Buzen (1973)",
      remark: load.closed.remark,
    };
  }
  if (canWait(one) && one.arrivals.stages !== 1) {
    return {
      ...waits,
      inputs,
      value: waitAt(one, (load.rates.get(hop.name) ?? 0) / visits),
      formula: variation === 1 ? RENEWAL_WAIT : `${RENEWAL_WAIT}; ${SCALED}`,
      source: variation === 1 ? TAKACS : `${TAKACS}; Kraemer, Langenbach-Belz (1976)`,
    };
  }
  return {
    ...waits,
    inputs,
    value: waitAt(one, (load.rates.get(hop.name) ?? 0) / visits),
    formula:
      '(1 + variation) / 2 x C x service / (servers - offered); with refusals waiting / arrivals',
    source: 'Pollaczek-Khinchine (one server), Lee and Longton (1959); M/M/c/K',
  };
}
