/** What a group of clients asks, and how long its answers take. */

import { moments } from '../theory/times.ts';
import type { Answer, Known, Quantity } from './answer.ts';
import { unknown } from './answer.ts';
import { type Group, type Load, stationsBehind } from './load.ts';
import type { Narrow } from './narrow.ts';
import type { Left } from './patience.ts';
import { canWait, isInStep, isMarkov, poolWait, refusals, type Station } from './stations.ts';
import { transit } from './way.ts';

export function groupAnswers(load: Load, group: Group, obstacle: string | null): Answer[] {
  const { hop, rate, seconds, users, turnedAway } = group;
  const at = hop.name;
  const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
  const open = users === Number.POSITIVE_INFINITY;
  const passed = rate * (1 - turnedAway);
  const trust = standingOf(load, group);
  const { think } = group;
  const inputs = think === null ? { rate } : { users, think: moments(think).mean, R: seconds };
  const how = open ? GIVEN : load.closed;
  const asked = answer('requestsPerSecond', { ...how, value: rate, inputs });
  const away = throttleOf(load, group);
  const throttled = away === null ? [] : [answer('throttledShare', away)];
  if (obstacle !== null) {
    return [
      open ? asked : answer('requestsPerSecond', unknown(obstacle)),
      ...(load.obstacle === null || open ? throttled : []),
      answer('secondsToAnswer', unknown(obstacle)),
      answer('requestsInFlight', unknown(obstacle)),
    ];
  }
  if (group.left !== null) return [asked, ...throttled, ...leftAnswers(group, group.left)];
  return [
    asked,
    ...throttled,
    ...refusedAnswers(group, waitsOf(load, group)),
    answer('secondsToAnswer', {
      value: seconds,
      ...trust,
      formula:
        'sum over stations of visits x (service + wait), + waits for connections + links both ways',
      source: WAITS,
      inputs: { rate: passed },
    }),
    answer('requestsInFlight', {
      value: passed * seconds,
      ...trust,
      formula: 'requests / s x seconds to answer',
      source: "Little's law (1961)",
      inputs: { rate: passed, seconds },
    }),
  ];
}

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
function refusedAnswers({ hop, rate, turnedAway, refused }: Group, trust: Trust): Answer[] {
  if (refused === 0) return [];
  return [
    {
      ...{ at: hop.name, quantity: 'refusedShare', value: refused, ...trust },
      formula: 'p(K) of M/M/c/K; Erlang B without room to wait',
      source: 'Erlang (1917); Kleinrock, Queueing Systems I (1975), 3.6, 3.7',
      inputs: { rate: rate * (1 - turnedAway) },
    },
  ];
}

const GIVEN: Known = {
  value: null,
  standing: 'exact',
  formula: 'arrivals / s of the document',
  source: 'given',
  inputs: {},
  remark: null,
};

const WAITS =
  'Erlang C (1917), Pollaczek-Khinchine (1932); Kleinrock, Queueing Systems I, 3.5, 5.6';

type Trust = Pick<Known, 'standing' | 'remark'>;

const EXACT: Trust = { standing: 'exact', remark: null };
const TAKEN: Trust = {
  standing: 'approximation',
  remark: 'arrivals at each station are taken for Poisson, hosts for even',
};
const CONNECTS: Trust = {
  standing: 'approximation',
  remark: 'what a connect takes is left out where connections carry several requests',
};

/** Are the waits that the time to answer is made of exact, and is it made of nothing else? */
function standingOf(load: Load, group: Group): Trust {
  const waits = waitsOf(load, group);
  if (waits.standing !== 'exact' || transit(load.chain, group.hop) === 0) return waits;
  return CONNECTS;
}

/** The same of what is waited at the stations and before them. */
export function waitsOf(load: Load, group: Group): Trust {
  const stations = stationsBehind(load, group.hop);
  const { users, rate, narrow } = group;
  const waiting = stations.filter(canWait);
  const pools = poolWait(stations, rate) > 1e-6 * group.seconds;
  if (waiting.length === 0 && !pools && narrow === null) return EXACT;
  if (users !== Number.POSITIVE_INFINITY) {
    return { standing: load.closed.standing, remark: load.closed.remark };
  }
  const together = load.groups.filter(({ hop }) => stationsBehind(load, hop) === stations);
  if (pools || together.some(({ turnedAway }) => turnedAway > 1e-9)) return TAKEN;
  if (narrow !== null) return trustOfPool(narrow.pool, stations);
  return trustOfWaits(waiting, stations, rate);
}

/** Of the wait at one station: what comes to it tells of those before it. */
export function trustOfStation(load: Load, group: Group, station: Station): Trust {
  const all = waitsOf(load, group);
  const stations = stationsBehind(load, group.hop);
  const { users, narrow, turnedAway, rate, seconds } = group;
  const apart = users === Number.POSITIVE_INFINITY && narrow === null && turnedAway <= 1e-9;
  if (all.standing === 'exact' || !apart || !canWait(station)) return all;
  const isApp = station === stations[0];
  const behind = poolWait(stations, rate) > 1e-6 * seconds || station.visits > 1;
  if (!isApp && (behind || stations.some((one) => refusals(one, rate) !== null))) return all;
  return trustOfWaits([station], [station], rate);
}

function trustOfWaits(
  waiting: readonly Station[],
  stations: readonly Station[],
  rate: number,
): Trust {
  const uneven = waiting.find(({ arrivals }) => arrivals.remark !== null);
  if (uneven !== undefined) return { ...TAKEN, remark: uneven.arrivals.remark };
  if (waiting.some((one) => refusals(one, rate) !== null)) {
    const [app] = stations;
    const whatever = app?.room === 0 && app.arrivals.stages === 1;
    const known = stations.length === 1 && (isMarkov(stations) || whatever);
    return known ? EXACT : { ...TAKEN, remark: 'service times are taken for exponential' };
  }
  const [one] = waiting;
  const poisson = one?.arrivals.stages === 1;
  const single = waiting.length === 1 && one?.servers === 1 && stations.length === 1 && poisson;
  const random = waiting.filter((each) => !isInStep(each));
  if (isMarkov(random) || single) return EXACT;
  return poisson ? TAKEN : { ...TAKEN, remark: SCALED };
}

const SCALED =
  'of waits at exponential service, the part that Kraemer and Langenbach-Belz (1976) give';

function trustOfPool({ connectionsMax, arrivals }: Narrow, stations: readonly Station[]): Trust {
  if (arrivals.remark !== null) return { ...TAKEN, remark: arrivals.remark };
  if (stations.length === 1 && isMarkov(stations)) return EXACT;
  return connectionsMax === 1 && arrivals.stages === 1 ? EXACT : { ...TAKEN, remark: BUSY };
}

const BUSY =
  'times on a connection are taken for exponential, or their variation for all that matters';

/** What a throttle on the way turns away. */
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
