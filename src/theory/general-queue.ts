/**
 * Mean wait where gaps or service times are not exponential: exact where a formula is, else by two
 * moments, with how far that was from simulations here.
 *
 *   M/M/c, M/G/1      Erlang C; Pollaczek and Khinchine                              exact
 *   GI/M/c            renewal-queue.ts                                               exact
 *   D/D/c             nobody waits                                                   exact
 *   M/D/c             Cosmetatos (Operational Research Quarterly 26, 1975)           3 %
 *   Ek/D/c            M/D/kc: who is dealt in turn to servers of equal times is first come,
 *                     first served at all of them (Crommelin 1932)                   3 %
 *   M/G/c             Kimura (Operations Research 34, 1986), from M/M/c and M/D/c    12 %
 *   GI/G/c            of GI/M/c, the part that Kraemer and Langenbach-Belz (1976) give, and that
 *                     by which Kimura's M/G/c differs from Lee and Longton's (1959)  15 %,
 *                                                                    and 3 % of a service
 *
 * Measured with eight replications at loads of 0.5 to 0.95, one to eight servers, variations of
 * service from 0 to 4 (lognormal).
 */
import { erlangC, meanWait } from './erlang.ts';
import { renewalQueue } from './renewal-queue.ts';

export interface GeneralQueue {
  readonly servers: number;
  /** Mean seconds of one service, and its squared coefficient of variation. */
  readonly service: number;
  readonly variation: number;
  /** Gaps are Erlang's (or gamma) of so many stages: 1 = Poisson, Infinity = all alike. */
  readonly stages: number;
}

/** A number, and by how much it may be off: 0 = exact. */
export interface Estimate {
  readonly value: number;
  readonly off: number;
}

export const NOTHING: Estimate = { value: 0, off: 0 };

const OFF_CONSTANT = 0.03;
const OFF_POISSON = 0.12;
const OFF_OTHERS = 0.15;
/** Of a service: the shorter waits are the worse. */
const OFF_ALWAYS = 0.03;

/** At `arriving` per second. */
export function generalWait(queue: GeneralQueue, arriving: number): Estimate {
  const { servers, service, variation, stages } = queue;
  const offered = arriving * service;
  if (service === 0 || arriving === 0) return NOTHING;
  if (offered >= servers) return { value: Number.POSITIVE_INFINITY, off: 0 };
  if (stages === 1 && (servers === 1 || variation === 1)) {
    return exactly(meanWait(servers, arriving, service, variation));
  }
  const off = (value: number, share: number): Estimate => ({ value, off: share * value });
  if (variation === 0 && Number.isInteger(stages)) {
    const dealt = waitOfConstant(servers * stages, offered * stages, service);
    return off(dealt, OFF_CONSTANT);
  }
  if (stages === 1) return off(kimura(queue, offered), OFF_POISSON);
  if (variation === 0 && stages === Number.POSITIVE_INFINITY) return NOTHING;
  const { waiting } = renewalQueue(servers, Number.POSITIVE_INFINITY, { offered, stages });
  if (variation === 1) return exactly(waiting / arriving);
  const gaps = 1 / stages;
  const load = offered / servers;
  const part = partOf(load, gaps, variation) / partOf(load, gaps, 1);
  const several = kimura(queue, offered) / meanWait(servers, arriving, service, variation);
  const value = (part * several * waiting) / arriving;
  return { value, off: OFF_OTHERS * value + OFF_ALWAYS * service };
}

function exactly(value: number): Estimate {
  return { value, off: 0 };
}

/** Kraemer and Langenbach-Belz: what the variations of gaps and services make of a wait. */
function partOf(load: number, gaps: number, variation: number): number {
  const sum = gaps + variation;
  if (sum === 0) return 0;
  const exponent =
    gaps <= 1
      ? (-2 * (1 - load) * (1 - gaps) ** 2) / (3 * load * sum)
      : (-(1 - load) * (gaps - 1)) / (gaps + 4 * variation);
  return sum * Math.exp(exponent);
}

/** M/D/c by Cosmetatos. */
function waitOfConstant(servers: number, offered: number, service: number): number {
  if (servers === Number.POSITIVE_INFINITY) return 0;
  const load = offered / servers;
  const light = ((1 - load) * (servers - 1) * (Math.sqrt(4 + 5 * servers) - 2)) / (16 * load);
  const exponential = (erlangC(servers, offered) * service) / (servers - offered);
  return (exponential / 2) * (1 + light / servers);
}

function kimura({ servers, service, variation }: GeneralQueue, offered: number): number {
  const exponential = (erlangC(servers, offered) * service) / (servers - offered);
  if (exponential === 0) return 0;
  const constant = waitOfConstant(servers, offered, service);
  return (1 + variation) / ((2 * variation) / exponential + (1 - variation) / constant);
}
