/**
 * How many requests a keep-alive connection carries and how long it lives, by renewal theory
 * (Cox, Renewal Theory, 1962; the renewal-reward theorem: Ross, Stochastic Processes, 1996,
 * theorem 3.6.1).
 *
 * After each answer the connection goes idle; with probability `closes` the next request comes
 * later than the idle timeout, and the connection is gone. A cap closes it with its last answer.
 * So the number of requests is geometric, cut off at the cap.
 */

/** Mean requests per connection; `cap` Infinity = none. Infinity where nothing ever closes it. */
export function requestsPerConnection(closes: number, cap: number): number {
  if (closes <= 0) return cap;
  if (cap === Number.POSITIVE_INFINITY) return 1 / closes;
  return -Math.expm1(cap * Math.log1p(-closes)) / closes;
}

/** Probability that it ends by its cap and not by being idle. */
export function endsAtCap(closes: number, cap: number): number {
  if (closes <= 0) return cap === Number.POSITIVE_INFINITY ? 0 : 1;
  return closes >= 1 ? Number(cap <= 1) : Math.exp((cap - 1) * Math.log1p(-closes));
}

export interface Life {
  readonly closes: number;
  readonly cap: number;
  /** Seconds in which a request is on the connection. */
  readonly busy: number;
  /** Mean of the gaps that end in time, seconds. */
  readonly gap: number;
  /** Seconds. */
  readonly idleTimeout: number;
}

/** Mean time from connect to close, seconds. */
export function meanLife({ closes, cap, busy, gap, idleTimeout }: Life): number {
  const requests = requestsPerConnection(closes, cap);
  const idles = 1 - endsAtCap(closes, cap);
  return requests * busy + (requests - 1) * gap + (idles > 0 ? idles * idleTimeout : 0);
}
