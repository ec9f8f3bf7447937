/**
 * Arrivals of an open load: a rate over time (`Shape`) and how regular they are.
 *
 * Both kinds rescale time: the next arrival is when the integral of the rate has grown by 1
 * (constant) or by an exponential draw (Poisson), so that a rate that changes in between is
 * honoured exactly. Constant and step rates are integrated in closed form; the diurnal cosine
 * changes so slowly that it is stepped through in pieces of 100 ms.
 */
import type { Shape } from '../model/topology.ts';
import { MICROS_PER_SECOND, type Micros } from '../model/units.ts';
import { cosTurns, ln } from './elementary.ts';
import type { RandomStream } from './stream.ts';

const PIECE: Micros = 100_000;
/** A load that stands still for this long has no next arrival. */
const SEARCH_MAX: Micros = 2 * 86_400 * MICROS_PER_SECOND;

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

/** Until when a shape keeps the value that it has now. */
function constantUntil(shape: Shape, at: Micros): Micros {
  if (shape.shape === 'constant') return Number.POSITIVE_INFINITY;
  if (shape.shape === 'diurnal') return at + PIECE;
  return shape.steps.find((step) => step.at > at)?.at ?? Number.POSITIVE_INFINITY;
}

export class ArrivalProcess {
  #rate: Shape;
  readonly #kind: 'constant' | 'poisson';
  readonly #stream: RandomStream;
  readonly #startTimeOfDay: Micros;
  #at: Micros = 0;

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
    let wanted = this.#kind === 'constant' ? 1 : -ln(1 - this.#stream.unit());
    const began = this.#at;
    while (this.#at - began < SEARCH_MAX) {
      const perMicro = shapeAt(this.#rate, this.#at, this.#startTimeOfDay) / MICROS_PER_SECOND;
      const until = constantUntil(this.#rate, this.#at);
      const due = perMicro > 0 ? this.#at + wanted / perMicro : Number.POSITIVE_INFINITY;
      if (due <= until) {
        this.#at = due;
        return due;
      }
      if (until === Number.POSITIVE_INFINITY) return until;
      wanted -= (until - this.#at) * perMicro;
      this.#at = until;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** From `at` on the rate is another one; arrivals are counted anew from there. */
  replaceRate(at: Micros, rate: Shape): void {
    this.#rate = rate;
    this.#at = at;
  }
}

export function arrivalProcess(
  workload: { readonly rate: Shape; readonly arrivals: 'constant' | 'poisson' },
  stream: RandomStream,
  startTimeOfDay: Micros,
): ArrivalProcess {
  return new ArrivalProcess(workload, stream, startTimeOfDay);
}
