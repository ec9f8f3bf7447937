/**
 * The share of Poisson arrivals that a token bucket turns away.
 *
 * What is missing from the bucket is the work of an M/D/1 queue that takes in nobody when more
 * than burst - 1 tokens are missing. Below that level it is proportional to the unlimited queue's
 * (level crossings: Brill and Posner 1977; Cohen, The Single Server Queue, 1982, chapter III.5),
 * whose distribution at whole numbers is that of the number in system:
 *
 *   accepted = G / (1 + load G),   G = sum of p(n) / p(0) for n = 0 .. burst - 1,  M/D/1
 *
 * with load = arrivals / refill, which may be above 1: then about 1 - 1 / load is turned away.
 */
const LEVELS_MAX = 1_000;

export function turnedAway(load: number, burst: number): number {
  if (burst === 0) return 1;
  // At four fifths of the refill 200 missing tokens are rarer than 1e-30.
  if (load < 0.8 && burst > 200) return 0;
  // One between 0 and 1 counts as 1 (policy/throttle.ts).
  const levels = Math.min(Math.max(1, Math.floor(burst)), LEVELS_MAX);
  const arrivals = arrivalsDuringService(load, levels);
  // P(more than k arrivals during a service).
  const beyond = new Float64Array(levels + 1);
  let upTo = 0;
  for (let k = 0; k <= levels; k++) {
    upTo += arrivals[k] ?? 0;
    beyond[k] = Math.max(0, 1 - upTo);
  }
  const shares = new Float64Array(levels);
  shares[0] = 1;
  let sum = 1;
  for (let n = 1; n < levels; n++) {
    let into = beyond[n - 1] ?? 0;
    for (let i = 1; i < n; i++) into += (shares[i] ?? 0) * (beyond[n - i] ?? 0);
    shares[n] = into / (arrivals[0] ?? 1);
    sum += shares[n] ?? 0;
    // So full so rarely, or so often, that more levels change nothing.
    if ((shares[n] ?? 0) < 1e-12 * sum || sum > 1e12) break;
  }
  return Math.max(0, 1 - sum / (1 + load * sum));
}

/**
 * The same of arrivals at constant gaps. Whenever one has been turned away there is less than a
 * token; the next gap brings less than another, so that a bucket for two loses none.
 */
export function turnedAwayEvenly(load: number, burst: number): number {
  if (burst === 0) return 1;
  if (load <= 1) return 0;
  return burst < 2 ? 1 - 1 / Math.ceil(load) : 1 - 1 / load;
}

function arrivalsDuringService(load: number, most: number): Float64Array {
  const shares = new Float64Array(most + 1);
  shares[0] = Math.exp(-load);
  for (let k = 1; k <= most; k++) shares[k] = ((shares[k - 1] ?? 0) * load) / k;
  return shares;
}
