/** Closed form against simulation: the difference, and what chance alone can make of it. */
import { type Replicated, replicated } from '../theory/replications.ts';
import type { Answer } from './answer.ts';
import { keyOf, type Measured } from './simulated.ts';

export interface Simulated extends Replicated {
  /** Closed form minus simulated; null where there is no closed form. */
  readonly difference: number | null;
  /** Is the difference within the bound? null where one of them is not known. */
  readonly inside: boolean | null;
}

export interface Compared extends Answer {
  /** null = the simulator was not asked, or cannot tell. */
  readonly simulated: Simulated | null;
}

/** Upper 99.9 % bound of a Poisson mean of which nothing was seen: -ln 0.001. */
const NOTHING_SEEN = 6.908;

/** `seconds` is the length of one run's window. */
export function compare(answer: Answer, runs: readonly Measured[], seconds: number): Compared {
  const values = runs
    .map((run) => run.get(keyOf(answer.at, answer.quantity)))
    .filter((value) => value !== undefined);
  if (values.length === 0) return { ...answer, simulated: null };
  return { ...answer, simulated: against(answer, values, seconds) };
}

export function against(answer: Answer, values: readonly number[], seconds: number): Simulated {
  const found = replicated(values);
  const { value, quantity } = answer;
  if (typeof value !== 'number') return { ...found, difference: null, inside: null };
  const difference = value - found.mean;
  const rare = quantity === 'newConnectionsPerSecond' && found.mean === 0;
  const bound = rare ? NOTHING_SEEN / (seconds * values.length) : found.bound;
  // A sum of numbers is exact to its last digits only.
  const rounding = 1e-9 * Math.abs(value);
  const inside = bound === null ? null : Math.abs(difference) <= bound + rounding;
  return { ...found, bound, difference, inside };
}
