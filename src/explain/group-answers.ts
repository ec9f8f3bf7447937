/** What a group of clients asks, and how long its answers take. */

import { moments } from '../theory/times.ts';
import type { Answer, Known, Quantity } from './answer.ts';
import { estimated, unknown } from './answer.ts';
import { type Group, type Load, stationsBehind } from './load.ts';
import type { Left } from './patience.ts';
import { canWait, poolWait, queuesTwice, type Station, waitAt } from './stations.ts';
import { transit } from './way.ts';

export function groupAnswers(load: Load, group: Group, obstacle: string | null): Answer[] {
  const { hop, rate, seconds, users, turnedAway, off, think } = group;
  const at = hop.name;
  const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
  const open = users === Number.POSITIVE_INFINITY;
  const passed = rate * (1 - turnedAway);
  const why = whyOff(load, group);
  const pause = think === null ? 0 : moments(think).mean;
  const inputs = think === null ? { rate } : { users, think: pause, R: seconds };
  const asked = estimated(
    { ...group.how, value: rate, inputs },
    open ? 0 : (rate * off) / (pause + seconds - off),
    why,
  );
  const away = throttleOf(load, group);
  const throttled = away === null ? [] : [answer('throttledShare', away)];
  if (obstacle !== null) {
    return [
      answer('requestsPerSecond', open ? asked : unknown(obstacle)),
      ...(load.obstacle === null || open ? throttled : []),
      answer('secondsToAnswer', unknown(obstacle)),
      answer('requestsInFlight', unknown(obstacle)),
    ];
  }
  const first = answer('requestsPerSecond', asked);
  if (group.left !== null) return [first, ...throttled, ...leftAnswers(group, group.left)];
  const trust = transit(load.chain, hop) > 0 && queues(load, group) ? CONNECTS : EXACT;
  // Who waits does not think: of those in flight less is uncertain than of their time.
  const damped = open ? off : (off * pause) / (pause + seconds);
  return [
    first,
    ...throttled,
    ...refusedAnswers(group),
    answer(
      'secondsToAnswer',
      estimated({ ...SECONDS, ...trust, ...of({ seconds, passed }) }, off, why),
    ),
    answer(
      'requestsInFlight',
      estimated(
        { ...IN_FLIGHT, ...trust, value: passed * seconds, inputs: { rate: passed, seconds } },
        passed * damped,
        why,
      ),
    ),
  ];
}

function of({ seconds, passed }: { readonly seconds: number; readonly passed: number }) {
  return { value: seconds, inputs: { rate: passed } };
}

const SECONDS = {
  formula:
    'sum over stations of visits x (service + wait), + waits for connections + links both ways',
  source: 'Erlang C (1917), Pollaczek-Khinchine (1932); Kleinrock, Queueing Systems I, 3.5, 5.6',
} as const;
const IN_FLIGHT = {
  formula: 'requests / s x seconds to answer',
  source: "Little's law (1961)",
} as const;

/** Of those who lose patience. */
function leftAnswers({ hop, rate }: Group, left: Left): Answer[] {
  const { share, seconds, inFlight, formula, source } = left;
  const leave = hop.patience.kind === 'exponential' ? 1e6 / hop.patience.mean : 0;
  const of = { ...EXACT, at: hop.name, formula, source, inputs: { rate, leave } };
  return [
    { ...of, quantity: 'abandonedShare', value: share },
    {
      ...{ ...of, quantity: 'secondsToAnswer', value: seconds },
      remark: 'of those who are answered',
    },
    { ...of, quantity: 'requestsInFlight', value: inFlight },
  ];
}

/** At an app without room: of all that come, those who find it full. */
function refusedAnswers({ hop, rate, turnedAway, refused }: Group): Answer[] {
  if (refused === 0) return [];
  return [
    {
      ...{ at: hop.name, quantity: 'refusedShare', value: refused, ...EXACT },
      formula: 'p(K) of M/M/c/K; Erlang B without room to wait',
      source: 'Erlang (1917); Kleinrock, Queueing Systems I (1975), 3.6, 3.7',
      inputs: { rate: rate * (1 - turnedAway) },
    },
  ];
}

type Trust = Pick<Known, 'standing' | 'remark'>;

const EXACT: Trust = { standing: 'exact', remark: null };
const CONNECTS: Trust = {
  standing: 'approximation',
  remark: 'what a connect takes is left out where connections carry several requests',
};

/** Does anybody wait anywhere? */
function queues(load: Load, group: Group): boolean {
  const stations = stationsBehind(load, group.hop);
  const pools = poolWait(stations, group.rate).value > 1e-6 * group.seconds;
  return stations.some(canWait) || pools || group.narrow !== null;
}

/** Why waits are not known exactly: by the first place of which that is so. */
export function whyOff(load: Load, { hop, users, how, narrow }: Group): string {
  const stations = stationsBehind(load, hop);
  const rate = load.rates.get(stations[0]?.hop.name ?? '') ?? 0;
  if (users < Number.POSITIVE_INFINITY) return how.remark ?? SOMEHOW;
  if (narrow !== null && narrow.off > 0) return narrow.pool.arrivals.remark ?? TWO_MOMENTS;
  const one = stations.find((each) => waitAt(each, rate).off > 0);
  if (one !== undefined) return whyOffAt(one);
  return queuesTwice(stations, rate) ? TWICE : SOMEHOW;
}

export function whyOffAt({ arrivals, visits }: Station): string {
  return arrivals.remark ?? (visits > 1 ? BEHIND : TWO_MOMENTS);
}

const TWO_MOMENTS = 'of gaps and services only mean and variation are used';
const BEHIND = 'a request waits again behind those who came meanwhile';
const TWICE = 'queries wait for a connection, and again for the database';
const SOMEHOW = 'not exact';

function throttleOf(load: Load, group: Group): Known | null {
  const gateway = load.chain.from(group.hop).find((hop) => hop.kind === 'gateway');
  if (gateway?.kind !== 'gateway' || gateway.throttle.ratePerSecond === 0) return null;
  const { ratePerSecond, burst } = gateway.throttle;
  const { workload } = group.hop;
  const exact = workload.kind === 'open' && workload.arrivals === 'poisson';
  const others = load.groups.filter((one) => load.chain.from(one.hop).includes(gateway));
  const inputs = { load: group.rate / ratePerSecond, burst };
  if (workload.kind === 'open' && workload.arrivals === 'constant' && others.length === 1) {
    const rounded = group.turnedAway > 0 && burst < 2;
    return {
      ...{ value: group.turnedAway, inputs, standing: rounded ? 'approximation' : 'exact' },
      formula: '1 - 1 / load above 1; of a burst of one, 1 - 1 / ceil(load)',
      source: 'counting tokens',
      remark: rounded ? 'arrivals at whole us may miss a token by one' : null,
    };
  }
  return {
    value: group.turnedAway,
    standing: exact && others.length === 1 ? 'exact' : 'approximation',
    formula: '1 - G / (1 + load G), G = sum of p(n) / p(0) of M/D/1 for n < burst',
    source: 'level crossings (Brill and Posner 1977; Cohen, The Single Server Queue, 1982)',
    inputs,
    remark: exact ? null : 'arrivals are taken for Poisson',
  };
}
