/** How many of n land on one of several places (Feller, Introduction to Probability I, VI.2). */

/** P(more than k of n), each there with the given chance. */
export function binomialTail(n: number, chance: number, k: number): number {
  if (k >= n) return 0;
  if (chance >= 1) return 1;
  let sum = 0;
  let log = n * Math.log1p(-chance);
  const odds = Math.log(chance) - Math.log1p(-chance);
  for (let i = 0; i <= n; i++) {
    if (i > 0) log += Math.log((n - i + 1) / i) + odds;
    if (i > k) sum += Math.exp(log);
  }
  return Math.min(1, sum);
}
