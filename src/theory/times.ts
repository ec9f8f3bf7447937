/**
 * Moments and tails of the distributions that documents name, in seconds. Textbook forms
 * (Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions, 1994).
 */
import type { Distribution } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { normal } from './normal.ts';

/** z of the 99th percentile of the normal distribution. */
const Z99 = 2.3263478740408408;

export interface Moments {
  readonly mean: number;
  /** Squared coefficient of variation: 0 for a constant, 1 for exponential times. */
  readonly variation: number;
}

export function moments(time: Distribution): Moments {
  switch (time.kind) {
    case 'constant':
      return { mean: time.value / MICROS_PER_SECOND, variation: 0 };
    case 'exponential':
      return { mean: time.mean / MICROS_PER_SECOND, variation: 1 };
    case 'uniform': {
      const mean = (time.min + time.max) / 2 / MICROS_PER_SECOND;
      const width = (time.max - time.min) / MICROS_PER_SECOND;
      return { mean, variation: mean === 0 ? 0 : (width * width) / 12 / (mean * mean) };
    }
    case 'lognormal': {
      const { middle, sigma } = logs(time);
      return {
        mean: Math.exp(middle + (sigma * sigma) / 2),
        variation: Math.expm1(sigma * sigma),
      };
    }
  }
}

/** P(time > t). */
export function tail(time: Distribution, t: number): number {
  if (t < 0) return 1;
  const micros = t * MICROS_PER_SECOND;
  switch (time.kind) {
    case 'constant':
      return time.value > micros ? 1 : 0;
    case 'exponential':
      return time.mean === 0 ? 0 : Math.exp(-micros / time.mean);
    case 'uniform':
      if (time.max === time.min) return time.min > micros ? 1 : 0;
      return Math.min(1, Math.max(0, (time.max - micros) / (time.max - time.min)));
    case 'lognormal': {
      const { middle, sigma } = logs(time);
      if (sigma === 0) return Math.exp(middle) > t ? 1 : 0;
      return t === 0 ? 1 : normal((middle - Math.log(t)) / sigma);
    }
  }
}

/** Mean of min(time, t): what of it lies before t. */
export function meanUpTo(time: Distribution, t: number): number {
  if (t === Number.POSITIVE_INFINITY) return moments(time).mean;
  switch (time.kind) {
    case 'constant':
      return Math.min(time.value / MICROS_PER_SECOND, t);
    case 'exponential': {
      const mean = time.mean / MICROS_PER_SECOND;
      return mean === 0 ? 0 : -mean * Math.expm1(-t / mean);
    }
    case 'uniform': {
      const [min, max] = [time.min / MICROS_PER_SECOND, time.max / MICROS_PER_SECOND];
      if (t <= min) return t;
      if (t >= max) return (min + max) / 2;
      return t - ((t - min) * (t - min)) / (2 * (max - min));
    }
    case 'lognormal': {
      const { middle, sigma } = logs(time);
      if (sigma === 0) return Math.min(Math.exp(middle), t);
      const z = (Math.log(t) - middle) / sigma;
      return Math.exp(middle + (sigma * sigma) / 2) * normal(z - sigma) + t * normal(-z);
    }
  }
}

/** E[exp(-s time)]: the chance that an exponential time of rate s is longer. */
export function transform(time: Distribution, s: number): number {
  const perMicro = s / MICROS_PER_SECOND;
  switch (time.kind) {
    case 'constant':
      return Math.exp(-perMicro * time.value);
    case 'exponential':
      return 1 / (1 + perMicro * time.mean);
    case 'uniform': {
      const width = perMicro * (time.max - time.min);
      const share = width === 0 ? 1 : -Math.expm1(-width) / width;
      return Math.exp(-perMicro * time.min) * share;
    }
    case 'lognormal': {
      const { middle, sigma } = logs(time);
      // The rule of trapezoids is as good as exact for what the normal density makes vanish.
      let sum = 0;
      for (let z = -REACH; z <= REACH; z += STEP) {
        sum += Math.exp(-z * z - s * Math.exp(middle + sigma * Math.SQRT2 * z));
      }
      return (sum * STEP) / Math.sqrt(Math.PI);
    }
  }
}

const REACH = 6;
const STEP = 1 / 32;

function logs(time: Extract<Distribution, { kind: 'lognormal' }>) {
  const middle = Math.log(Math.max(time.median, 1) / MICROS_PER_SECOND);
  const sigma = Math.max(0, Math.log(Math.max(time.p99, 1) / Math.max(time.median, 1)) / Z99);
  return { middle, sigma };
}
