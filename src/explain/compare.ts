/** Closed form against simulation: the difference, and what chance alone can make of it. */

import type { Topology } from '../model/topology.ts';
import { type Replicated, replicated } from '../theory/replications.ts';
import type { Answer } from './answer.ts';
import { type AfterStall, keyOf, type Measured } from './simulated.ts';

export interface Simulated extends Replicated {
  /** Closed form minus simulated; null where there is no closed form. */
  readonly difference: number | null;
  /** Is the difference within the bound? null where one of them is not known. */
  readonly inside: boolean | null;
}

export interface Compared extends Answer {
  /** null = the simulator was not asked, or cannot tell. */
  readonly simulated: Simulated | null;
  /** For `stuckStateExists`: what the simulator did after stalls of several lengths. */
  readonly stalls?: readonly StallRun[];
}

export interface StallRun extends AfterStall {
  /** What was stalled, for how many seconds. */
  readonly hop: string;
  readonly lasts: number;
  /** Seconds after the stall at whose end one has looked. */
  readonly recovery: number;
  readonly seed: number;
}

/** A Poisson mean of which nothing was seen is below -ln 0.001, at 99.9 %. */
const NOTHING_SEEN = 6.908;

export interface Runs {
  readonly runs: readonly Measured[];
  /** Length of one run's window. */
  readonly seconds: number;
  /** New connections per second at the place, by closed form; null where there is none. */
  readonly opened: number | null;
  /** Seconds after which everything comes again; 0 where chance sees to it that nothing does. */
  readonly cycle: number;
}

/**
 * Users who think equally long each time go round and round in step: whether a window holds a
 * whole number of their rounds no replication evens out. The longest is the life of a connection.
 */
export function cycleOf({ hops }: Topology, answers: readonly Answer[]): number {
  const evenly = hops.some(
    (hop) =>
      hop.kind === 'clients' &&
      hop.workload.kind === 'closed' &&
      hop.workload.thinkTime.kind === 'constant',
  );
  if (!evenly) return 0;
  const lives = answers
    .filter(({ quantity }) => quantity === 'connectionLifeSeconds')
    .map(({ value }) => (typeof value === 'number' && value < ENDLESS ? value : 0));
  const rounds = answers
    .filter(({ quantity }) => quantity === 'requestsPerSecond')
    .map(({ inputs: { think = 0, R = 0 } }) => think + R);
  return Math.max(0, ...lives, ...rounds);
}

/** The simulator's clock has whole ones. */
const MICROSECOND = 1e-6;
/** Seconds that no window lasts. */
const ENDLESS = 1e6;

export function compare(answer: Answer, { runs, seconds, opened, cycle }: Runs): Compared {
  const values = runs
    .map((run) => run.get(keyOf(answer.at, answer.quantity)))
    .filter((value) => value !== undefined);
  if (values.length === 0) return { ...answer, simulated: null };
  const timed = answer.quantity === 'secondsToAnswer' || answer.quantity === 'meanWaitSeconds';
  const round = timed ? MICROSECOND : (Math.abs(Number(answer.value)) * cycle) / seconds;
  const simulated = against(answer, values, Math.max(atEnds(answer, runs, seconds), round));
  const { bound, mean } = simulated;
  const watched = seconds * values.length;
  if (answer.quantity === 'newConnectionsPerSecond' && mean === 0) {
    const most = NOTHING_SEEN / watched;
    const inside = typeof answer.value === 'number' ? answer.value <= most : null;
    return { ...answer, simulated: { ...simulated, bound: most, inside } };
  }
  // What happens more seldom than one has watched shows in no run, nor in how they differ.
  const unseen = opened !== null && opened > 0 && opened * watched < NOTHING_SEEN;
  if (bound === 0 && unseen) return { ...answer, simulated: { ...simulated, inside: null } };
  return { ...answer, simulated };
}

const ROUNDING = 1e-12;

/** What one event more or less at the ends of a window makes: the only chance of even arrivals. */
function atEnds(
  { at, quantity, inputs }: Answer,
  runs: readonly Measured[],
  seconds: number,
): number {
  if (quantity === 'requestsPerSecond') return 1 / seconds;
  if (quantity === 'utilisation') return (inputs.service ?? 0) / seconds;
  if (quantity !== 'throttledShare' && quantity !== 'refusedShare') return ROUNDING;
  const [run] = runs;
  return 1 / ((run?.get(keyOf(at, 'requestsPerSecond')) ?? 0) * seconds);
}

/** `least`: what is no difference in any case; what an approximation promises comes on top. */
export function against(answer: Answer, values: readonly number[], least = 0): Simulated {
  const found = replicated(values);
  const { value, standing } = answer;
  if (typeof value !== 'number') return { ...found, difference: null, inside: null };
  const difference = value - found.mean;
  // A sum of numbers is exact to its last digits only.
  const promised = (answer.within ?? 0) + 1e-9;
  const within = Math.max(found.bound ?? 0, least) + promised * Math.abs(value);
  const inside = standing === 'bound' ? difference <= within : Math.abs(difference) <= within;
  return { ...found, difference, inside: found.bound === null ? null : inside };
}
