/**
 * Clients who leave after an exponential time (patience), in the two cases that have a closed form:
 *
 *   the app works on for those who left     nobody's time depends on it: P(left) = 1 - E[exp(-t x
 *                                            time to answer)]
 *   a connection queue watches who left     Erlang A: slots are servers; the app keeps the slot
 *                                            until its work is done (builtin) or hangs up (node)
 */
import { erlangA } from '../theory/erlang-a.ts';
import { transform } from '../theory/times.ts';
import type { Chain } from './chain.ts';
import type { Group } from './load.ts';
import { canWait, refusals, type Station, waitAt, waitProbabilityAt } from './stations.ts';
import { transit } from './way.ts';

export interface Left {
  /** Share of all requests that get no answer. */
  readonly share: number;
  /** Mean seconds to the answer of those who get one. */
  readonly seconds: number;
  readonly inFlight: number;
  /** Where they wait for a slot, and how long; null where they do not. */
  readonly queue: { readonly at: string; readonly wait: number; readonly waits: number } | null;
  readonly formula: string;
  readonly source: string;
}

/** null where nobody leaves, or no closed form is known. */
export function leftOf(chain: Chain, group: Group, stations: readonly Station[]): Left | null {
  const { hop, users, turnedAway, refused } = group;
  const { patience, retry } = hop;
  if (patience.kind !== 'exponential' || patience.mean === 0) return null;
  if (users !== Number.POSITIVE_INFINITY || turnedAway > 0 || refused > 0) return null;
  if (retry.attemptsMax > 1 && retry.on.includes('timeout')) return null;
  const [one] = stations;
  if (one === undefined || stations.length > 1) return null;
  const leave = 1e6 / patience.mean;
  return group.narrow === null
    ? fromWork(chain, group, one, leave)
    : fromQueue(chain, group, one, leave);
}

function fromWork(chain: Chain, { hop, rate }: Group, one: Station, leave: number): Left | null {
  const way = chain.from(hop);
  if (way.some(({ kind }) => kind === 'connection-queue')) return null;
  const { arrivals, variation } = one;
  const waits = waitProbabilityAt(one, rate);
  const known = variation === 1 && arrivals.remark === null && refusals(one, rate) === null;
  if (canWait(one) && !known) return null;
  const { value: mean } = waitAt(one, rate);
  if (!Number.isFinite(mean)) return null;
  const service = (s: number): number => transform(one.hop.serviceTime, s);
  // Who waits does so for an exponential time.
  const waited = (s: number): number =>
    1 - waits + (waits === 0 ? 0 : waits / (1 + (s * mean) / waits));
  const away = transit(chain, hop);
  const stays = (s: number): number => Math.exp(-s * away) * service(s) * waited(s);
  const step = leave * 1e-4;
  const share = 1 - stays(leave);
  return {
    share,
    seconds: (Math.log(stays(leave - step)) - Math.log(stays(leave + step))) / (2 * step),
    inFlight: (rate * share) / leave,
    queue: null,
    formula: '1 - E[exp(-leave x time to answer)]: the app works on for those who left',
    source: 'transforms of wait and service (Kleinrock, Queueing Systems I, 1975, appendix I)',
  };
}

function fromQueue(
  chain: Chain,
  { hop, rate, narrow }: Group,
  one: Station,
  leave: number,
): Left | null {
  const queue = narrow?.pool.hop;
  if (narrow == null || queue?.kind !== 'connection-queue') return null;
  const { arrivals, connectionsMax, pools } = narrow.pool;
  const watched = queue.whileHeld === 'watch' && queue.heldTimeout === 0;
  const direct = queue.upstream === one.hop.name && chain.acceptor(hop) === one.hop;
  const poisson = arrivals.stages === 1 && arrivals.remark === null && one.variation === 1;
  if (!watched || !direct || !poisson || one.hop.kind !== 'app') return null;
  if (transit(chain, hop) > 0) return null;
  const hangsUp = one.hop.implementation === 'node';
  // Work that goes on for those who left takes part in what the app does at once.
  if (hangsUp ? one.servers !== Number.POSITIVE_INFINITY : canWait(one)) return null;
  const answers = 1 / (1 / one.service + leave);
  const held = hangsUp ? answers : one.service;
  const load = { servers: connectionsMax, rate: rate / pools, service: held, leave };
  const found = erlangA(load);
  if (found === null) return null;
  const served = 1 - found.left;
  return {
    share: 1 - served * (answers / one.service),
    seconds: found.waitOfServed + answers,
    inFlight: rate * (found.wait + served * answers),
    queue: { at: queue.name, wait: found.wait, waits: found.waits },
    formula:
      '1 - P(gets a slot) P(answered before it leaves), by the birth-death process of Erlang A',
    source: 'Palm (1957); Zeltyn and Mandelbaum, Queueing Systems 51 (2005)',
  };
}
