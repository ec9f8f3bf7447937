/**
 * How far two runs are apart, measure by measure, and whether that is more than runs of one kind
 * are apart from each other.
 *
 * - Distributions: the Kolmogorov-Smirnov distance, the largest difference of their distribution
 *   functions, 0 to 1.
 * - Counts: the difference over the larger of the two, 0 to 1.
 *
 * Bounds are not chosen: they are the largest divergence among repeated runs of A (A/A). B is
 * outside when none of its runs is as near to any of A as those two are to each other: where many
 * measures are judged at once, less would be chance.
 */
import { median } from '../measure/median.ts';
import type { Observations } from './observations.ts';

export interface Divergence {
  readonly measure: string;
  readonly kind: 'distribution' | 'count';
  /** Of the first run of A, and of B's first: median and values of a distribution, or the count. */
  readonly a: Side | null;
  readonly b: Side | null;
  /** 0 = alike, 1 = nothing in common; the median over all pairs of runs. */
  readonly divergence: number;
  /** The smallest between a run of A and one of B: what is judged. */
  readonly nearest: number;
  /** The largest among runs of A; null with a single one. */
  readonly bound: number | null;
  /** null without a bound. */
  readonly inside: boolean | null;
}

export interface Side {
  /** Median of a distribution (its unit is the measure's), or the count. */
  readonly value: number;
  /** Values seen; 1 for a count. */
  readonly samples: number;
}

/** Fewer values than this have no shape. */
const SAMPLES_MIN = 8;

/**
 * The measures of both, greatest divergence first; those outside their bounds before all. What a
 * run does not know is not among them.
 */
export function compareRuns(
  runs: readonly Observations[],
  others: readonly Observations[],
): Divergence[] {
  const unknown = new Set(unknownMeasures(runs, others));
  const known = (name: string): boolean => !unknown.has(name);
  const distributions = names(runs, others, (one) => one.distributions).filter(known);
  const counts = names(runs, others, (one) => one.counts).filter(known);
  const found = [
    ...distributions.map((name) =>
      judge(name, 'distribution', runs, others, (one) => distributionSide(one, name), ks(name)),
    ),
    ...counts.map((name) =>
      judge(name, 'count', runs, others, (one) => countSide(one, name), relative(name)),
    ),
  ];
  const rank = ({ inside }: Divergence): number => (inside === false ? 0 : 1);
  return found
    .filter((one): one is Divergence => one !== null)
    .sort((x, y) => rank(x) - rank(y) || y.divergence - x.divergence || order(x, y));
}

/** Measures that some run has and another cannot know. */
export function unknownMeasures(
  runs: readonly Observations[],
  others: readonly Observations[],
): string[] {
  const all = [...runs, ...others];
  const rows = all.every(({ hasRows }) => hasRows);
  const distributions = rows ? [] : names(runs, others, (one) => one.distributions);
  const counts = names(runs, others, (one) => one.counts);
  const missing = counts.filter((name) => all.some(({ unknown }) => unknown.has(name)));
  return [...distributions, ...missing].sort();
}

type Distance = (x: Observations, y: Observations) => number;

function judge(
  measure: string,
  kind: Divergence['kind'],
  runs: readonly Observations[],
  others: readonly Observations[],
  side: (one: Observations) => Side | null,
  distance: Distance,
): Divergence | null {
  const [[first], [other]] = [runs, others];
  if (first === undefined || other === undefined) return null;
  const [a, b] = [side(first), side(other)];
  if (kind === 'distribution') {
    // Where neither has enough values there is nothing to compare.
    const most = Math.max(...[...runs, ...others].map((one) => side(one)?.samples ?? 0));
    if (most < SAMPLES_MIN) return null;
  }
  const apart = runs.flatMap((one) => others.map((two) => distance(one, two)));
  const divergence = median(apart);
  const nearest = Math.min(...apart);
  const among = runs.flatMap((one, index) =>
    runs.slice(index + 1).map((two) => distance(one, two)),
  );
  const bound = among.length === 0 ? null : Math.max(...among);
  const inside = bound === null ? null : nearest <= bound;
  return { measure, kind, a, b, divergence, nearest, bound, inside };
}

/** Largest difference of two empirical distribution functions; 1 where only one has values. */
export function ksDistance(x: Float64Array, y: Float64Array): number {
  if (x.length === 0 || y.length === 0) return x.length === y.length ? 0 : 1;
  let [i, j, largest] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i] ?? 0, y[j] ?? 0);
    while (i < x.length && (x[i] ?? 0) <= value) i += 1;
    while (j < y.length && (y[j] ?? 0) <= value) j += 1;
    largest = Math.max(largest, Math.abs(i / x.length - j / y.length));
  }
  return largest;
}

/** Difference over the larger one. */
export function relativeDistance(x: number, y: number): number {
  return x === y ? 0 : Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y));
}

const NO_VALUES = new Float64Array(0);

function ks(name: string): Distance {
  return (x, y) =>
    ksDistance(x.distributions.get(name) ?? NO_VALUES, y.distributions.get(name) ?? NO_VALUES);
}

function relative(name: string): Distance {
  return (x, y) => relativeDistance(x.counts.get(name) ?? 0, y.counts.get(name) ?? 0);
}

function distributionSide(one: Observations, name: string): Side | null {
  const values = one.distributions.get(name);
  if (values === undefined || values.length === 0) return null;
  return { value: values[Math.floor(values.length / 2)] ?? 0, samples: values.length };
}

function countSide(one: Observations, name: string): Side | null {
  const value = one.counts.get(name);
  return value === undefined ? null : { value, samples: 1 };
}

function names(
  runs: readonly Observations[],
  others: readonly Observations[],
  of: (one: Observations) => ReadonlyMap<string, unknown>,
): string[] {
  return [...new Set([...runs, ...others].flatMap((one) => [...of(one).keys()]))];
}

function order(x: Divergence, y: Divergence): number {
  return x.measure < y.measure ? -1 : 1;
}
