/**
 * Connections of a pool from its case: which formula applies, and what it gives.
 *
 *   one user, who thinks            renewal theory, whatever the distribution
 *   a connection per request        Little's law
 *   nothing idles long enough       each carries exactly as many requests as its cap
 *   last used first                 first passages of the number busy
 *   otherwise                       unknown
 */
import { passagesUp, stateShares } from '../theory/birth-death.ts';
import { meanOpen, meanOpenSoon } from '../theory/growing-pool.ts';
import { endsAtCap, meanLife, requestsPerConnection } from '../theory/keep-alive.ts';
import { meanUpTo, tail } from '../theory/times.ts';
import { estimated, type Known, unknown } from './answer.ts';
import type { PoolCase } from './pool-case.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** Of all pools of the hop. */
export interface Connections {
  /** New connections per second. */
  readonly opened: Known;
  readonly requests: Known;
  readonly open: Known;
}

export function connectionsOf(one: PoolCase): Connections {
  if (one.rate === 0) return allUnknown('nobody asks anything here');
  if (one.isForgotten === true) return allUnknown(FORGOTTEN);
  if (one.think !== null) return ofUser(one);
  if (one.cap === 1) return perRequest(one);
  if (one.refuses) return allUnknown('who is refused is on a connection for no time');
  const levels = levelsOf(one);
  if (levels === null) return allUnknown('more connections than are looked at here (10,000)');
  if (one.idleMax < levels.reach) {
    return allUnknown(`more than ${one.idleMax} may be idle: those beyond close at once`);
  }
  if (rotates(one, levels)) return capped(one);
  if (one.reuse !== 'lifo' && Math.min(one.connectionsMax, one.sources) > 1) {
    const how = one.reuse === 'fifo' ? 'in turn' : 'by chance';
    return allUnknown(
      `idle connections are used ${how} and some idle out: how many stay depends on the past`,
    );
  }
  return one.obscure === null ? byLevels(one, levels) : allUnknown(`not known: ${one.obscure}`);
}

function ofUser(one: PoolCase): Connections {
  const { think, idleTimeout, cap, busy, rate, pools, age } = one;
  if (think === null) throw new Error('a user thinks');
  const closes = idleTimeout === NEVER ? 0 : tail(think, idleTimeout);
  const requests = requestsPerConnection(closes, cap);
  const inputs = { idleTimeout, cap, P: closes, rate: rate * pools };
  if (requests === NEVER) {
    return never(one, { ...exact('one for each user, never closed', RENEWAL), value: pools });
  }
  const gap =
    closes >= 1
      ? 0
      : (meanUpTo(think, idleTimeout) - closes * (idleTimeout === NEVER ? 0 : idleTimeout)) /
        (1 - closes);
  const life = meanLife({ closes, cap, busy, gap, idleTimeout });
  if (life > AGE_MATTERS * age) return allUnknown(ages(age));
  const formula = 'n = (1 - (1 - P)^cap) / P, P = P(think time > idle timeout)';
  return {
    requests: { ...exact(formula, RENEWAL), value: requests, inputs },
    opened: { ...exact('rate / n', RENEWAL), value: (rate * pools) / requests, inputs },
    open: {
      ...exact('new per second x life; life = n busy + (n - 1) gap + P(idles out) timeout', LITTLE),
      value: ((rate * pools) / requests) * life,
      inputs: { ...inputs, n: requests, busy, gap, life, idlesOut: 1 - endsAtCap(closes, cap) },
    },
  };
}

function perRequest({ rate, pools, busy, closing, off, whyOff }: PoolCase): Connections {
  const all = rate * pools;
  const inputs = closing === 0 ? { rate: all, busy } : { rate: all, busy, closing };
  return {
    requests: { ...exact('a connection carries one request', 'by definition'), value: 1, inputs },
    opened: { ...exact('rate', 'by definition'), value: all, inputs },
    open: estimated(
      {
        ...exact('rate x seconds of a request, and of the way to close', LITTLE),
        value: all * (busy + closing),
        inputs,
      },
      all * off,
      whyOff,
    ),
  };
}

/** Nothing idles out: counting alone says how many requests each carries. */
function capped(one: PoolCase): Connections {
  const { rate, pools, cap, busy, sources, connectionsMax, remark, obscure } = one;
  const all = rate * pools;
  const inputs = { rate, busy, cap, pools };
  const level =
    Math.min(connectionsMax, sources) === 1
      ? 1
      : cap === NEVER || busy === 0
        ? null
        : meanOpen(one);
  const open: Known =
    level === null
      ? unknown('as many as were ever busy at once: it grows with time')
      : obscure !== null && level > 1
        ? unknown(`not known: ${obscure}`)
        : {
            ...approximate(
              '(busy, open) chain that opens at busy = open and loses 1 in cap',
              CHAIN,
            ),
            value: level * pools,
            inputs,
            ...BY_CHAIN,
            remark: joined(remark, BY_CHAIN.remark),
          };
  if (cap === NEVER) return never(one, open);
  const life = (level ?? 0) / (rate / cap);
  if (life > AGE_MATTERS * one.age) return allUnknown(ages(one.age));
  return {
    requests: {
      ...exact('cap: nothing else closes a connection', 'counting: each carries exactly cap'),
      value: cap,
      inputs,
    },
    opened: { ...exact('rate / cap', 'counting'), value: all / cap, inputs },
    open,
  };
}

interface Levels {
  readonly births: readonly number[];
  readonly deaths: readonly number[];
  readonly shares: readonly number[];
  /** Connections that are ever open at once, practically. */
  readonly reach: number;
}

const LEVELS_MAX = 10_000;

/** The number of requests on connections of one pool, and those that wait beyond. */
function levelsOf({ rate, busy, sources, connectionsMax, station }: PoolCase): Levels | null {
  const load = rate * busy;
  // With a station of few servers it is their load that says how long what waits there may get.
  const [servers, offered] =
    station === null ? [connectionsMax, load] : [station.servers, rate * station.service];
  const duration = station === null ? busy : station.service;
  const served = Math.min(servers, connectionsMax);
  const beyond = served < offered + 10 * Math.sqrt(offered) + 10 ? 40 / (1 - offered / served) : 0;
  const wanted = Math.ceil(load + 10 * Math.sqrt(load) + 10 + beyond);
  const most = Math.min(wanted, sources);
  if (!(most <= LEVELS_MAX)) return null;
  const each = rate / Math.max(sources - load, 1e-9);
  const birth = (n: number): number => (sources === NEVER ? rate : (sources - n) * each);
  const births = Array.from({ length: most + 1 }, (_, n) => (n === most ? 0 : birth(n)));
  const deaths = births.map((_, n) => Math.min(n, served) / Math.max(duration, 1e-9));
  const shares = stateShares({ births, deaths });
  return { births, deaths, shares, reach: Math.min(most, connectionsMax) };
}

/** Does even the longest wait for its turn end before the idle timeout? */
function rotates(
  { rate, idleTimeout, reuse }: PoolCase,
  { reach, births, deaths, shares }: Levels,
) {
  if (idleTimeout === NEVER) return true;
  if (reuse === 'fifo') return reach + 10 * Math.sqrt(reach) < rate * idleTimeout;
  if (reuse === 'random') return reach * 20 < rate * idleTimeout;
  const passages = passagesUp({ births: births.slice(0, reach + 1), deaths }, idleTimeout);
  const idles = passages.reduce((sum, { later }, k) => sum + (shares[k] ?? 0) * later, 0);
  return idles < 1e-7;
}

function byLevels(one: PoolCase, levels: Levels): Connections {
  const { rate, busy, pools, cap, idleTimeout, minimum, connectionsMax, sources } = one;
  const { births, deaths, shares, reach } = levels;
  const passages = passagesUp({ births: births.slice(0, reach + 1), deaths }, idleTimeout);
  let [asked, idles, idle] = [0, 0, 0];
  shares.forEach((share, k) => {
    const ups = share * (births[k] ?? 0);
    asked += ups;
    const passage = passages[k];
    if (passage === undefined) return;
    const keeps = k < minimum;
    if (!keeps) idles += ups * passage.later;
    idle += keeps ? shares.slice(0, k + 1).reduce((sum, p) => sum + p, 0) : ups * passage.meanUpTo;
  });
  const closes = idles / asked;
  const requests = requestsPerConnection(closes, cap);
  if (requests === NEVER) return never(one, unknown('as many as were ever busy at once'));
  const stays = 1 - endsAtCap(closes, cap) / requests;
  const load = rate * Math.max(busy, 0);
  // What its cap closes is no longer there to idle: as many as there would be of either, at most.
  const most = cap === NEVER ? NEVER : cap < CAP_LONG ? meanOpen(one) : meanOpenSoon(one);
  const open = Math.min(load + idle * stays, most) * pools;
  const all = rate * pools;
  if (open / (all / requests) > AGE_MATTERS * one.age) return allUnknown(ages(one.age));
  const { hop, remark, waitsABit } = one;
  const random = remark === null && !waitsABit && sources === NEVER && hop.kind === 'clients';
  const simple = cap === NEVER ? EXACT_IF : CAPPED;
  const trust = random && connectionsMax === NEVER ? simple : APPROXIMATE;
  const inputs = { rate, busy, load, idleTimeout, cap, pools, P: closes };
  const of = { ...trust, remark: joined(remark, trust.remark), source: PASSAGE, inputs };
  return {
    requests: { ...of, formula: `n = (1 - (1 - P)^cap) / P, ${LEVEL_P}`, value: requests },
    opened: { ...of, formula: `rate / n, ${LEVEL_P}`, value: all / requests },
    open: {
      ...of,
      formula:
        'busy + sum of ups(k) E[min(passage k -> k+1, timeout)]; with a cap no more than by the ' +
        'chain that opens at busy = open',
      value: open,
    },
  };
}

const EXACT_IF = {
  standing: 'exact',
  remark: 'for exponential service times; close to it for others',
} as const;
/** Measured with one client, Poisson arrivals and exponential times: 2 to 10 % fewer opened. */
const CAPPED = {
  standing: 'approximation',
  remark: 'connections are taken to be used up alike, so that some more are opened: within 12 %',
  within: 0.12,
} as const;
/** Measured at gateways, edges and apps: up to 13 % of those open, 15 % of those opened. */
const APPROXIMATE = {
  standing: 'approximation',
  remark:
    'arrivals at one pool are taken for Poisson, times on a connection for exponential: ' +
    'within 25 %',
  within: 0.25,
} as const;
/** Measured within 6 %. */
const BY_CHAIN = {
  remark: 'one request in cap is taken for the last, at random: within 10 %',
  within: 0.1,
} as const;
const LEVEL_P = 'P = sum of p(k) P(passage of busy from k to k + 1 > idle timeout)';
const PASSAGE = 'first passages of birth-death processes (Keilson 1965); renewal-reward theorem';
const CHAIN = 'Markov chain, solved by state reduction (Grassmann, Taksar, Heyman 1985)';
const RENEWAL = 'renewal-reward theorem (Cox 1962; Ross 1996, 3.6.1)';
const LITTLE = "Little's law (1961)";
const AGE_MATTERS = 0.1;
/** From this cap on busy and open are settled apart. */
const CAP_LONG = 20;
const FORGOTTEN =
  'a balancer forgets idle flows before either side closes them: both keep what is dead';

const ages = (age: number): string =>
  `connections live long enough for the age limit of ${age} s to matter as well`;

function exact(formula: string, source: string): Omit<Known, 'value'> {
  return { standing: 'exact', formula, source, inputs: {}, remark: null };
}

function approximate(formula: string, source: string): Omit<Known, 'value'> {
  return { standing: 'approximation', formula, source, inputs: {}, remark: null };
}

/** Once open, connections stay. */
function never({ rate, pools, age }: PoolCase, open: Known): Connections {
  if (age !== NEVER) return allUnknown(ages(age));
  return {
    requests: unknown('no connection is ever closed: it grows with time'),
    opened: {
      ...exact('0: nothing closes a connection', RENEWAL),
      value: 0,
      inputs: { rate: rate * pools },
    },
    open,
  };
}

export function allUnknown(why: string): Connections {
  return { requests: unknown(why), opened: unknown(why), open: unknown(why) };
}

function joined(...remarks: readonly (string | null)[]): string | null {
  const all = remarks.filter((one) => one !== null);
  return all.length === 0 ? null : all.join('; ');
}
