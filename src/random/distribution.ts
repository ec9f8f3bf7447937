/**
 * Service and think times by inverse distribution function: one draw, one value, in whole µs.
 * The same draw in two runs that differ in a parameter gives the same quantile of both, so that
 * they differ by the parameter alone (common random numbers).
 *
 * A lognormal time is given by its median and 99th percentile, because those are what people
 * know of a service; at 0 both count as 1 µs. Where the two lie far apart its tail has no end:
 * what would be longer than LONGEST is cut to that, so that a sum with the time of the day stays
 * an exact integer. Left out: empirical distributions and heavier tails (Pareto). Budget: no
 * allocation, at most 100 ns a value.
 */
import type { Distribution } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { exp, inverseNormal, ln } from './elementary.ts';
import { exponential } from './exponential.ts';
import type { RandomStream } from './stream.ts';

/** z of the 99th percentile of the normal distribution. */
const Z99 = 2.3263478740408408;
/** 143 years, half of what is counted exactly. */
export const LONGEST: Micros = 4_503_599_627_370_496;
const SMALL = 2_147_483_000;

/** A source of values (µs, integers >= 0); constant ones draw nothing. */
export function sampler(distribution: Distribution, stream: RandomStream): () => Micros {
  const draw = drawing(distribution);
  return () => draw(stream);
}

/** The same for many streams, each with draws of its own. */
export function drawing(distribution: Distribution): (stream: RandomStream) => Micros {
  switch (distribution.kind) {
    case 'constant': {
      const value = Math.round(distribution.value);
      return () => value;
    }
    case 'exponential': {
      const { mean } = distribution;
      return (stream) => whole(mean * exponential(stream));
    }
    case 'uniform': {
      const { min, max } = distribution;
      return (stream) => whole(min + (max - min) * stream.unit());
    }
    case 'lognormal': {
      const middle = ln(Math.max(distribution.median, 1));
      const sigma = (ln(Math.max(distribution.p99, 1)) - middle) / Z99;
      return (stream) => {
        const value = Math.round(exp(middle + sigma * inverseNormal(open(stream))));
        return Math.min(value, LONGEST);
      };
    }
  }
}

/** Rounded; small numbers stay integers to the engine, which then need no conversion later. */
function whole(value: number): Micros {
  return value < SMALL ? (value + 0.5) | 0 : Math.round(value);
}

/** The mean of a distribution, in µs; Infinity where it is too long for a number. */
export function meanOf(distribution: Distribution): Micros {
  switch (distribution.kind) {
    case 'constant':
      return distribution.value;
    case 'exponential':
      return distribution.mean;
    case 'uniform':
      return (distribution.min + distribution.max) / 2;
    case 'lognormal': {
      const median = Math.max(distribution.median, 1);
      const sigma = (ln(Math.max(distribution.p99, 1)) - ln(median)) / Z99;
      return median * exp((sigma * sigma) / 2);
    }
  }
}

/** A uniform value in (0, 1): without the 0 that has no normal deviate. */
function open(stream: RandomStream): number {
  let value = stream.unit();
  while (value === 0) value = stream.unit();
  return value;
}
