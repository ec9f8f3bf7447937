/**
 * A fixed number of users that think, then visit stations: the throughput by the convolution
 * algorithm (Buzen, Communications of the ACM 16, 1973; Gordon and Newell 1967). Exact where
 * stations serve exponential times first come, first served, or have a server for everybody
 * (then whatever the distribution: Baskett, Chandy, Muntz and Palacios 1975).
 *
 * Costs O(stations x users^2). The terms are all positive, so that nothing cancels; they are kept
 * as logarithms, because 1 / 800! is no number.
 */
export interface ClosedStation {
  /** Mean service per cycle of a user (visits x service time), seconds. */
  readonly demand: number;
  readonly servers: number;
}

/** Cycles per second of all users; `think` is the time without any station, seconds. */
export function closedThroughput(
  users: number,
  think: number,
  stations: readonly ClosedStation[],
): number {
  let constants = logWeights(users, think, Number.POSITIVE_INFINITY);
  for (const { demand, servers } of stations) {
    constants = convolved(constants, logWeights(users, demand, servers));
  }
  return Math.exp((constants[users - 1] ?? 0) - (constants[users] ?? 0));
}

/** Of n users at one station: demand^n / (1 x 2 x .. with at most `servers` as a factor). */
function logWeights(users: number, demand: number, servers: number): Float64Array {
  const weights = new Float64Array(users + 1);
  for (let n = 1; n <= users; n++) {
    weights[n] = (weights[n - 1] ?? 0) + Math.log(demand / Math.min(n, servers));
  }
  return weights;
}

function convolved(one: Float64Array, other: Float64Array): Float64Array {
  return one.map((_, n) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k <= n; k++) {
      largest = Math.max(largest, (one[k] ?? 0) + (other[n - k] ?? 0));
    }
    if (largest === Number.NEGATIVE_INFINITY) return largest;
    let sum = 0;
    for (let k = 0; k <= n; k++) sum += Math.exp((one[k] ?? 0) + (other[n - k] ?? 0) - largest);
    return largest + Math.log(sum);
  });
}
