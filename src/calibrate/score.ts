/**
 * How far a simulation is from its targets. A target is met within its range; outside, its error
 * is the logarithm of the ratio to the nearer end, so that twice too much is as bad as half.
 * A factor that nobody knows is chosen for all targets that name it together, as the one with the
 * least error: it can shift a level, but not hide a change of it.
 */
import { exp, ln } from '../random/elementary.ts';
import type { Statistic, Target } from './targets.ts';
import type { Values, WindowValues } from './window-values.ts';

/** By window. */
export type Shown = ReadonlyMap<string, WindowValues>;

export interface Judged {
  readonly target: Target;
  /** With its factor; null where the run does not tell, or nothing was simulated. */
  readonly simulated: number | null;
  /** 0 = met; else how far outside, as ln(simulated / nearer end). */
  readonly error: number;
  readonly met: boolean;
}

export interface Judgement {
  readonly judged: readonly Judged[];
  readonly factors: Readonly<Record<string, number>>;
  readonly score: number;
  /** Every fitted target is met. */
  readonly met: boolean;
}

/** A measure that is missing, or 0 where something was expected, counts as this. */
const MISSING = 5;
/** Being in the middle of a range is worth little against being inside of it. */
const CENTRE_WEIGHT = 1e-3;

export function judge(targets: readonly Target[], shown: Shown): Judgement {
  const factors = factorsOf(targets, shown);
  const judged = targets.map((target): Judged => {
    const plain = plainValue(target, shown);
    const factor = target.factor === null ? 1 : (factors[target.factor] ?? 1);
    const simulated = plain === null ? null : plain * factor;
    const error = simulated === null ? MISSING : errorOf(target, simulated);
    return { target, simulated, error, met: error === 0 };
  });
  const fitted = judged.filter(({ target }) => target.use === 'fit');
  return {
    judged,
    factors,
    score: fitted.reduce((sum, one) => sum + scoreOf(one), 0),
    met: fitted.every((one) => one.met),
  };
}

function scoreOf({ target, simulated, error }: Judged): number {
  const width = (target.high - target.low) / 2;
  const offset =
    simulated === null || width === 0 || error !== 0
      ? 1
      : Math.abs(simulated - (target.low + target.high) / 2) / width;
  return target.weight * (error * error + CENTRE_WEIGHT * offset * offset);
}

function errorOf({ low, high }: Target, value: number): number {
  if (value >= low && value <= high) return 0;
  const end = value < low ? low : high;
  if (value <= 0 || end <= 0) return value < low ? -MISSING : MISSING;
  return Math.min(Math.max(ln(value / end), -MISSING), MISSING);
}

/** For each factor the one, of those that bring a target to an end or the middle, that is best. */
function factorsOf(targets: readonly Target[], shown: Shown): Record<string, number> {
  const factors: Record<string, number> = {};
  // Never by what is to be predicted.
  const fitted = targets.filter(({ use }) => use === 'fit');
  for (const name of new Set(fitted.flatMap(({ factor }) => factor ?? []))) {
    const ranges = fitted
      .filter((target) => target.factor === name)
      .map((target) => ({ target, plain: plainValue(target, shown) ?? 0 }))
      .filter(({ target, plain }) => plain > 0 && target.low > 0);
    const ends = ranges.flatMap(({ target, plain }) => [
      ln(target.low / plain),
      ln(target.high / plain),
    ]);
    const candidates = ends.flatMap((one) => ends.map((other) => exp((one + other) / 2)));
    let best = 1;
    let least = Number.POSITIVE_INFINITY;
    for (const candidate of candidates) {
      const error = ranges.reduce((sum, { target, plain }) => {
        const simulated = plain * candidate;
        const distance = errorOf(target, simulated);
        return sum + scoreOf({ target, simulated, error: distance, met: distance === 0 });
      }, 0);
      if (error >= least) continue;
      least = error;
      best = candidate;
    }
    factors[name] = best;
  }
  return factors;
}

function plainValue(target: Target, shown: Shown): number | null {
  const value = read(target, shown.get(target.window), target.statistic, target.minutes);
  if (value === null || target.over === null) return value;
  const base = read(target, shown.get(target.over), 'mean', null);
  return base === null || base === 0 ? null : value / base;
}

/** Several measures are added up minute by minute. */
function read(
  target: Target,
  values: WindowValues | undefined,
  statistic: Statistic,
  minutes: Target['minutes'],
): number | null {
  const columns = target.measures.map((measure) => values?.[measure]);
  if (columns.some((one) => one === undefined)) return null;
  const length = Math.max(0, ...columns.map((one) => one?.length ?? 0));
  const sums = Array.from({ length }, (_, point) => {
    const all = columns.map((one) => one?.[point] ?? null).filter((one) => one !== null);
    return all.length === 0 ? null : all.reduce((sum, one) => sum + one, 0);
  });
  const [first, last] = minutes ?? [1, sums.length];
  return statisticOf(sums.slice(first - 1, last), statistic, target.bound ?? 0);
}

function statisticOf(values: Values, statistic: Statistic, bound: number): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  switch (statistic) {
    case 'mean':
      return known.reduce((sum, one) => sum + one, 0) / known.length;
    case 'min':
      return Math.min(...known);
    case 'max':
      return Math.max(...known);
    case 'minutesAbove':
      return known.filter((one) => one > bound).length;
    case 'minutesBelow':
      return known.filter((one) => one < bound).length;
  }
}
