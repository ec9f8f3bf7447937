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

/** What users meet at one of the stations. */
export interface ClosedQueue {
  /** Mean number there, served or waiting. */
  readonly present: number;
  /** Probability that who comes finds all servers busy. */
  readonly waits: number;
}

/**
 * At station `number`: with so many users n of them are there with probability w(n) G'(users - n)
 * / G(users), G' the constants of all others; who comes sees what would be there without him
 * (Sevcik and Mitrani 1981; Lavenberg and Reiser 1980).
 */
export function closedQueue(
  users: number,
  think: number,
  stations: readonly ClosedStation[],
  number: number,
): ClosedQueue {
  let others = logWeights(users, think, Number.POSITIVE_INFINITY);
  stations.forEach(({ demand, servers }, index) => {
    if (index !== number) others = convolved(others, logWeights(users, demand, servers));
  });
  const { demand = 0, servers = 1 } = stations[number] ?? {};
  const own = logWeights(users, demand, servers);
  const all = convolved(others, own);
  const share = (n: number, of: number): number =>
    Math.exp((own[n] ?? 0) + (others[of - n] ?? 0) - (all[of] ?? 0));
  let [present, waits] = [0, 0];
  for (let n = 1; n <= users; n++) present += n * share(n, users);
  for (let n = servers; n < users; n++) waits += share(n, users - 1);
  return { present, waits };
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
