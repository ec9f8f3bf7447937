/**
 * M/G/1//N: users that think for exponential times and come to one server, whatever its service
 * times (Takacs, Introduction to the Theory of Queues, 1962, chapter 5). In a busy period
 *
 *   B = sum over r < N of C(N - 1, r) x product over i = 1 .. r of (1 / f(i / think) - 1)
 *
 * are served, f the transform of a service; then all think, for think / N. All terms are positive.
 */
export interface FiniteSource {
  /** Answers per second. */
  readonly rate: number;
  /** Who comes finds the server busy: all but the first of a busy period do. */
  readonly waits: number;
}

export interface Sources {
  readonly users: number;
  /** Mean seconds. */
  readonly think: number;
  readonly service: number;
  /** E[exp(-s x service)]. */
  readonly transform: (s: number) => number;
}

export function finiteSource({ users, think, service, transform }: Sources): FiniteSource {
  // B is largest / exp(0) times the sum: logarithms, for it may be no number.
  const logs = [0];
  for (let r = 1; r < users; r++) {
    const f = transform(r / think);
    const grows = Math.log((users - r) / r) - Math.log(f) + Math.log1p(-f);
    logs.push((logs[r - 1] ?? 0) + grows);
  }
  const largest = Math.max(...logs);
  if (!(largest < HUGE)) return { rate: 1 / service, waits: 1 };
  const served = logs.reduce((sum, one) => sum + Math.exp(one), 0);
  return { rate: served / (think / users + served * service), waits: 1 - 1 / served };
}

/** exp of more is no number. */
const HUGE = 700;

/** The transform of gamma times with this mean and squared variation. */
export function gammaTransform(mean: number, variation: number): (s: number) => number {
  if (variation < 1e-9) return (s) => Math.exp(-s * mean);
  return (s) => Math.exp(-Math.log1p(s * mean * variation) / variation);
}
