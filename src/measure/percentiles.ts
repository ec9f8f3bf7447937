/** The percentiles that summaries show, from a histogram of µs, in milliseconds. */
import type { Percentiles } from '../model/summary.ts';
import { MICROS_PER_MILLISECOND } from '../model/units.ts';
import type { Histogram } from './histogram.ts';

export function percentilesOf(histogram: Histogram): Percentiles {
  return {
    p50: quantileMs(histogram, 0.5),
    p90: quantileMs(histogram, 0.9),
    p99: quantileMs(histogram, 0.99),
    p99_9: quantileMs(histogram, 0.999),
  };
}

export function quantileMs(histogram: Histogram, share: number): number | null {
  const value = histogram.quantile(share);
  return value === null ? null : value / MICROS_PER_MILLISECOND;
}

/** Exact; null when empty. */
export function meanMs({ mean }: Histogram): number | null {
  return mean === null ? null : mean / MICROS_PER_MILLISECOND;
}
