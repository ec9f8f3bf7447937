/**
 * What the fitted targets say about each parameter, and what they do not. Of all points that were
 * simulated, those that meet every fitted target are *acceptable*:
 *
 *   together   the range of a parameter over all of them: others may make up for it
 *   alone      the range within which it may move while the others stay at the best point
 *   pairs      parameters that move together over them (rank correlation): the targets know
 *              something like their product, not each
 */
import { valueAt } from './parameter.ts';
import type { Point } from './search.ts';
import type { Parameter } from './targets.ts';

export interface Evaluated {
  readonly point: Point;
  readonly score: number;
  readonly met: boolean;
}

export interface ParameterProfile {
  readonly path: string;
  readonly best: string;
  /** Values, in the order of the range; empty where no point is acceptable. */
  readonly together: readonly string[];
  readonly alone: readonly string[];
  /** Share of the range over which all fitted targets can be met, 0 to 1. */
  readonly share: number;
}

export interface Pair {
  readonly paths: readonly [string, string];
  readonly correlation: number;
}

const PAIR_MIN = 0.6;
/** With fewer acceptable points a correlation says nothing. */
const POINTS_MIN = 6;

export function profile(
  parameters: readonly Parameter[],
  best: Point,
  all: readonly Evaluated[],
  alone: readonly (readonly Evaluated[])[],
): ParameterProfile[] {
  const acceptable = all.filter(({ met }) => met).map(({ point }) => point);
  return parameters.map(({ path, range }, index) => {
    const places = acceptable.map((point) => point[index] ?? 0);
    const own = (alone[index] ?? []).filter(({ met }) => met).map(({ point }) => point[index] ?? 0);
    const span = places.length === 0 ? 0 : Math.max(...places) - Math.min(...places);
    const together = valuesOf(range, places);
    return {
      path,
      best: valueAt(range, best[index] ?? 0),
      together,
      alone: valuesOf(range, own),
      share: range.kind === 'values' ? together.length / range.values.length : span,
    };
  });
}

/** Of a list each value that occurs; of a range its ends. */
function valuesOf(range: Parameter['range'], places: readonly number[]): string[] {
  const sorted = [...places].sort((a, b) => a - b);
  if (range.kind === 'values') return [...new Set(sorted.map((place) => valueAt(range, place)))];
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return [];
  return [...new Set([valueAt(range, first), valueAt(range, last)])];
}

export function pairs(parameters: readonly Parameter[], all: readonly Evaluated[]): Pair[] {
  const points = all.filter(({ met }) => met).map(({ point }) => point);
  if (points.length < POINTS_MIN) return [];
  const ranks = parameters.map((_parameter, index) => rank(points.map((one) => one[index] ?? 0)));
  const found: Pair[] = [];
  parameters.forEach((one, first) => {
    parameters.slice(first + 1).forEach((other, offset) => {
      const correlation = correlate(ranks[first] ?? [], ranks[first + 1 + offset] ?? []);
      if (Math.abs(correlation) < PAIR_MIN) return;
      found.push({ paths: [one.path, other.path], correlation });
    });
  });
  return found;
}

/** Acceptable points that are far from the best and from one another: others may be right. */
export function alternatives(best: Point, all: readonly Evaluated[], count: number): Point[] {
  const chosen = [best];
  const acceptable = all.filter(({ met }) => met).map(({ point }) => point);
  while (chosen.length <= count) {
    let farthest: Point | null = null;
    let most = 0.05;
    for (const point of acceptable) {
      const nearest = Math.min(...chosen.map((one) => distance(one, point)));
      if (nearest <= most) continue;
      most = nearest;
      farthest = point;
    }
    if (farthest === null) break;
    chosen.push(farthest);
  }
  return chosen.slice(1);
}

function distance(one: Point, other: Point): number {
  return Math.sqrt(one.reduce((sum, place, index) => sum + (place - (other[index] ?? 0)) ** 2, 0));
}

function rank(values: readonly number[]): number[] {
  const order = values.map((_value, index) => index);
  order.sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  order.forEach((index, place) => {
    ranks[index] = place;
  });
  return ranks;
}

function correlate(one: readonly number[], other: readonly number[]): number {
  const middle = (one.length - 1) / 2;
  let product = 0;
  let squares = 0;
  one.forEach((value, index) => {
    product += (value - middle) * ((other[index] ?? 0) - middle);
    squares += (value - middle) ** 2;
  });
  return squares === 0 ? 0 : product / squares;
}
