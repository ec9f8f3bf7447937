/**
 * Arrivals of an open load: a rate over time (`Shape`) and how regular they are.
 *
 * Both kinds rescale time: the next arrival is when the integral of the rate has grown by 1
 * (constant spacing) or by an exponential draw (Poisson), so that a rate that changes in between
 * is honoured exactly, with one draw per arrival and none thrown away (Çinlar 1975: a Poisson
 * process of any rate is the unit one seen through its integral).
 *
 *   integral  │      ·'     constant, steps: straight pieces, inverted by a division
 *   of rate   │  _.-'       diurnal: mean x t + a sine, inverted by Newton's method in a bracket
 *             └───────► t   that a whole period gives
 *
 * Left out: arrivals that hang together (sessions, bursts); closed users make those.
 * Budget: one to four evaluations of a cosine per diurnal arrival, O(steps) for steps.
 */
import type { Shape } from '../model/topology.ts';
import { MICROS_PER_SECOND, type Micros } from '../model/units.ts';
import { cosTurns, sinTurns } from './elementary.ts';
import { exponential } from './exponential.ts';
import type { RandomStream } from './stream.ts';

type Diurnal = Extract<Shape, { shape: 'diurnal' }>;
type Steps = Extract<Shape, { shape: 'steps' }>;

const NEVER = Number.POSITIVE_INFINITY;
/** Arrivals are found to this many µs; they are floored to whole ones later. */
const PRECISION: Micros = 1e-4;
const ROUNDS_MAX = 100;

/** The value of a shape at a time since the start of the load. */
export function shapeAt(shape: Shape, sinceStart: Micros, startTimeOfDay: Micros): number {
  switch (shape.shape) {
    case 'constant':
      return shape.value;
    case 'diurnal': {
      const { peak, trough, peakAt, period } = shape;
      const turns = (startTimeOfDay + sinceStart - peakAt) / period;
      return trough + ((peak - trough) * (1 + cosTurns(turns))) / 2;
    }
    case 'steps': {
      let value = 0;
      for (const step of shape.steps) if (step.at <= sinceStart) value = step.value;
      return value;
    }
  }
}

/**
 * The integral of a shape from `from` for `lasts` µs: how many arrivals a rate brings on average.
 * The shape's value is per second.
 */
export function shapeIntegral(
  shape: Shape,
  from: Micros,
  lasts: Micros,
  startTimeOfDay: Micros,
): number {
  switch (shape.shape) {
    case 'constant':
      return (shape.value * lasts) / MICROS_PER_SECOND;
    case 'diurnal':
      return diurnalIntegral(shape, startTimeOfDay + from, lasts);
    case 'steps':
      return stepsIntegral(shape, from, from + lasts);
  }
}

/** sin b - sin a = 2 cos((a + b) / 2) sin((b - a) / 2) keeps all digits of short times. */
function diurnalIntegral(shape: Diurnal, from: Micros, lasts: Micros): number {
  const { peak, trough, peakAt, period } = shape;
  const middle = cosTurns((from + lasts / 2 - peakAt) / period);
  const wave = (((peak - trough) / 2) * middle * sinTurns(lasts / (2 * period)) * period) / Math.PI;
  return (((peak + trough) / 2) * lasts + wave) / MICROS_PER_SECOND;
}

function stepsIntegral({ steps }: Steps, from: Micros, to: Micros): number {
  let sum = 0;
  steps.forEach(({ at, value }, index) => {
    const begin = Math.max(at, from);
    const end = Math.min(steps[index + 1]?.at ?? NEVER, to);
    if (end > begin) sum += value * (end - begin);
  });
  return sum / MICROS_PER_SECOND;
}

/** After how many µs from `from` the integral of the rate has grown by `wanted` (> 0). */
function timeFor(shape: Shape, from: Micros, wanted: number, startTimeOfDay: Micros): Micros {
  switch (shape.shape) {
    case 'constant':
      return shape.value > 0 ? (wanted * MICROS_PER_SECOND) / shape.value : NEVER;
    case 'diurnal':
      return diurnalTimeFor(shape, startTimeOfDay + from, wanted);
    case 'steps':
      return stepsTimeFor(shape, from, wanted);
  }
}

function stepsTimeFor({ steps }: Steps, from: Micros, wanted: number): Micros {
  let left = wanted * MICROS_PER_SECOND;
  for (const [index, { at, value }] of steps.entries()) {
    const begin = Math.max(at, from);
    const end = steps[index + 1]?.at ?? NEVER;
    if (end <= begin || value <= 0) continue;
    if (begin + left / value <= end) return begin - from + left / value;
    left -= value * (end - begin);
  }
  return NEVER;
}

function diurnalTimeFor(shape: Diurnal, from: Micros, wanted: number): Micros {
  const { peak, trough, period } = shape;
  const perPeriod = ((peak + trough) / 2 / MICROS_PER_SECOND) * period;
  if (!(perPeriod > 0)) return NEVER;
  // Whole periods bring perPeriod each, whatever the phase: the answer lies in between.
  const periods = Math.floor(wanted / perPeriod);
  let low = periods * period;
  let high = low + period;
  let guess = low;
  for (let round = 0; round < ROUNDS_MAX && high - low > PRECISION; round++) {
    const missing = wanted - diurnalIntegral(shape, from, guess);
    if (missing > 0) low = guess;
    else high = guess;
    const rate = shapeAt(shape, from + guess, 0) / MICROS_PER_SECOND;
    const next = guess + missing / rate;
    // A step smaller than the precision has arrived: Newton comes from one side only.
    if (next >= low && next <= high && Math.abs(next - guess) < PRECISION) return next;
    guess = next > low && next < high ? next : (low + high) / 2;
  }
  return (low + high) / 2;
}

export class ArrivalProcess {
  #rate: Shape;
  readonly #kind: 'constant' | 'poisson';
  readonly #stream: RandomStream;
  readonly #startTimeOfDay: Micros;
  /** The arrival before the one that was given out last, and how much lay between the two. */
  #before: Micros = 0;
  #wanted = 0;
  /** The arrival that was given out last. */
  #at: Micros = 0;
  /** What is left of an arrival that was on its way when the rate was replaced. */
  #owed: number | null = null;

  constructor(
    workload: { readonly rate: Shape; readonly arrivals: 'constant' | 'poisson' },
    stream: RandomStream,
    startTimeOfDay: Micros,
  ) {
    this.#rate = workload.rate;
    this.#kind = workload.arrivals;
    this.#stream = stream;
    this.#startTimeOfDay = startTimeOfDay;
  }

  /** The next arrival (µs since the start of the load, not rounded); Infinity when none comes. */
  next(): Micros {
    if (this.#at === NEVER) return NEVER;
    this.#wanted = this.#owed ?? this.#draw();
    this.#owed = null;
    this.#before = this.#at;
    this.#at += timeFor(this.#rate, this.#at, this.#wanted, this.#startTimeOfDay);
    return this.#at;
  }

  /**
   * From `at` (whole µs) on the rate is another one. An arrival counts as come once the whole µs
   * that it floors to has; one given out for later is taken back, and comes anew when what was
   * left of it has been made up for at the new rate. So frequent changes neither lose nor invent
   * arrivals, whether or not `next` is asked in between. Those due by `at` must have been asked
   * for: of several that were not, one is left, and it comes at once.
   */
  replaceRate(at: Micros, rate: Shape): void {
    const takenBack = this.#owed === null && Math.floor(this.#at) > at;
    const from = takenBack ? this.#before : this.#at;
    const wanted = takenBack ? this.#wanted : (this.#owed ?? this.#draw());
    const passed = Math.max(0, at - from);
    const grown = shapeIntegral(this.#rate, from, passed, this.#startTimeOfDay);
    this.#owed = Math.max(0, wanted - grown);
    this.#rate = rate;
    this.#at = Math.max(at, from);
  }

  #draw(): number {
    return this.#kind === 'constant' ? 1 : exponential(this.#stream);
  }
}

/** Arrivals of a load from its start; the same stream gives the same ones. */
export function arrivalProcess(
  workload: { readonly rate: Shape; readonly arrivals: 'constant' | 'poisson' },
  stream: RandomStream,
  startTimeOfDay: Micros,
): ArrivalProcess {
  return new ArrivalProcess(workload, stream, startTimeOfDay);
}
