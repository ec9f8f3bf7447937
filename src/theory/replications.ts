/**
 * What independent replications say of a mean: Student's t at 99.9 %, two-sided (Student,
 * Biometrika 6, 1908; quantiles from published tables).
 */
const QUANTILES: Readonly<Record<number, number>> = {
  1: 636.619,
  2: 31.599,
  3: 12.924,
  4: 8.61,
  5: 6.869,
  6: 5.959,
  7: 5.408,
  8: 5.041,
  9: 4.781,
  10: 4.587,
  11: 4.437,
  12: 4.318,
  13: 4.221,
  14: 4.14,
  15: 4.073,
  16: 4.015,
  17: 3.965,
  18: 3.922,
  19: 3.883,
};
export const REPLICATIONS_MAX = 20;

export interface Replicated {
  readonly mean: number;
  /** The mean of infinitely many lies within mean +- bound; null for one replication. */
  readonly bound: number | null;
  readonly replications: number;
}

export function replicated(values: readonly number[]): Replicated {
  const replications = values.length;
  const mean = values.reduce((sum, one) => sum + one, 0) / replications;
  const squares = values.reduce((sum, one) => sum + (one - mean) * (one - mean), 0);
  const quantile = QUANTILES[replications - 1];
  if (quantile === undefined) return { mean, bound: null, replications };
  const bound = quantile * Math.sqrt(squares / (replications - 1) / replications);
  return { mean, bound, replications };
}
