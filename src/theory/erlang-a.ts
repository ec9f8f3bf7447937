/**
 * M/M/c whose waiting customers leave after an exponential time (Erlang A: Palm 1957; Zeltyn and
 * Mandelbaum, Queueing Systems 51, 2005): a birth-death process.
 *
 * Who comes as k-th of those that wait moves up at rate c / service + (k - 1) x leave, and leaves
 * at rate `leave`: the chances to move up telescope, and each step takes 1 / (c / service +
 * j x leave) whether one moves up or leaves.
 */
import { stateShares } from './birth-death.ts';

export interface Impatient {
  readonly servers: number;
  /** Arrivals per second. */
  readonly rate: number;
  /** Mean seconds that a server is taken. */
  readonly service: number;
  /** Of one who waits, per second. */
  readonly leave: number;
}

export interface ErlangA {
  /** Share that leaves while it waits. */
  readonly left: number;
  readonly waits: number;
  /** Mean wait of all, and of those who are served, seconds. */
  readonly wait: number;
  readonly waitOfServed: number;
}

/** So far beyond the level at which as many come as go nobody is ever seen. */
const BEYOND = 12;
const STATES_MAX = 200_000;

/** null where too many would wait for the states to be looked at. */
export function erlangA({ servers, rate, service, leave }: Impatient): ErlangA | null {
  const all = servers / service;
  const level = servers + Math.max(0, rate - all) / leave;
  const spread = Math.sqrt(Math.max(rate, all) / leave) + Math.sqrt(servers) + BEYOND;
  const most = Math.ceil(level + BEYOND * spread);
  if (!(most <= STATES_MAX)) return null;
  const births = Array.from({ length: most + 1 }, (_, n) => (n === most ? 0 : rate));
  const deaths = births.map(
    (_, n) => Math.min(n, servers) / service + Math.max(0, n - servers) * leave,
  );
  let [waits, waiting, served, waitOfServed, climb] = [0, 0, 0, 0, 0];
  stateShares({ births, deaths }).forEach((share, n) => {
    waiting += share * Math.max(0, n - servers);
    if (n < servers) {
      served += share;
      return;
    }
    const step = all + (n - servers + 1) * leave;
    climb += 1 / step;
    waits += share;
    served += (share * all) / step;
    waitOfServed += ((share * all) / step) * climb;
  });
  return {
    left: (leave * waiting) / rate,
    ...{ waits, wait: waiting / rate, waitOfServed: waitOfServed / served },
  };
}
