/**
 * The search: deterministic for a seed, over points of the unit cube.
 *
 *   where it stands, Latin hypercube ──► the best of them ──► generations of differential evolution
 *
 * The hypercube covers the ranges; then each member is tried against a mixture of three others,
 * whose differences point along what the targets cannot tell apart, so that the members spread
 * over all points that meet them instead of ending in one (Storn and Price, 1997). Points that
 * come to the same settings are simulated once.
 */
import { type RandomStream, randomStream } from '../random/stream.ts';

export type Point = readonly number[];

export interface SearchOptions {
  readonly dimensions: number;
  readonly seed: number;
  /** Tried before all others. */
  readonly start: readonly Point[];
  /** Points of the hypercube; a third of them, at least four, go on. */
  readonly first: number;
  /** Points in all. */
  readonly most: number;
  /** What makes two points the same. */
  readonly keyOf: (point: Point) => string;
  /** The scores, least is best; null ends the search (interrupted). */
  readonly scores: (points: readonly Point[]) => Promise<readonly number[] | null>;
}

/** Weight of the difference, and the share of coordinates taken from the mixture. */
const STEP = 0.7;
const CROSSOVER = 0.9;
const MEMBERS_MIN = 4;
/** So many generations without a new point: the ranges hold no more. */
const IDLE_MAX = 5;

interface Member {
  readonly point: Point;
  readonly score: number;
}

export async function search(options: SearchOptions): Promise<void> {
  const { dimensions, first, most, seed } = options;
  const stream = randomStream(seed, 'calibrate');
  const known = new Map<string, number>();
  const drawn = Math.max(MEMBERS_MIN, Math.min(first, most)) - options.start.length;
  const start = [...options.start, ...latinHypercube(Math.max(0, drawn), dimensions, stream)];
  const scored = await score(start, known, options);
  if (scored === null) return;
  scored.sort((a, b) => a.score - b.score);
  let members = scored.slice(0, Math.max(MEMBERS_MIN, Math.floor(start.length / 3)));
  let idle = 0;
  while (known.size < most && idle < IDLE_MAX) {
    const before = known.size;
    const left = most - before;
    const trials = members.map((_member, index) => mixture(members, index, stream)).slice(0, left);
    const found = await score(trials, known, options);
    if (found === null) return;
    members = members.map((member, index) => {
      const other = found[index];
      return other !== undefined && other.score <= member.score ? other : member;
    });
    idle = known.size === before ? idle + 1 : 0;
  }
}

async function score(
  points: readonly Point[],
  known: Map<string, number>,
  { keyOf, scores }: SearchOptions,
): Promise<Member[] | null> {
  const fresh = new Map<string, Point>();
  for (const point of points) if (!known.has(keyOf(point))) fresh.set(keyOf(point), point);
  const found = await scores([...fresh.values()]);
  if (found === null) return null;
  [...fresh.keys()].forEach((key, index) => {
    known.set(key, found[index] ?? Number.POSITIVE_INFINITY);
  });
  return points.map((point) => ({
    point,
    score: known.get(keyOf(point)) ?? Number.POSITIVE_INFINITY,
  }));
}

/** In each dimension every point has a slice of its own. */
export function latinHypercube(count: number, dimensions: number, stream: RandomStream): Point[] {
  const columns = Array.from({ length: dimensions }, () => shuffled(count, stream));
  return Array.from({ length: count }, (_, row) =>
    columns.map((column) => ((column[row] ?? 0) + stream.unit()) / count),
  );
}

function shuffled(count: number, stream: RandomStream): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = stream.below(last + 1);
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}

function mixture(members: readonly Member[], index: number, stream: RandomStream): Point {
  const others = members.filter((_member, place) => place !== index);
  const [base, one, two] = shuffled(others.length, stream).map((place) => others[place]?.point);
  const own = members[index]?.point ?? [];
  const kept = stream.below(own.length);
  return own.map((coordinate, dimension) => {
    if (dimension !== kept && stream.unit() >= CROSSOVER) return coordinate;
    const difference = (one?.[dimension] ?? 0) - (two?.[dimension] ?? 0);
    return reflected((base?.[dimension] ?? 0) + STEP * difference);
  });
}

/** What leaves the range comes back from its end. */
function reflected(coordinate: number): number {
  const once = Math.abs(coordinate);
  return once > 1 ? Math.max(0, 2 - once) : once;
}
