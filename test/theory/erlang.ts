/**
 * Closed forms of queueing theory, in seconds and rates per second. Sources: Erlang (1917);
 * Kleinrock, Queueing Systems I (1975); Zeltyn and Mandelbaum, "Call centers with impatient
 * customers" (Queueing Systems 51, 2005) for M/M/n+G; Reiser and Lavenberg (1980) for mean value
 * analysis. Here `Math` is free to be used: these are the oracles, not the simulator.
 */

/** Probability that an M/M/c/c system (Erlang B) is full at offered load `a`. */
export function erlangB(servers: number, a: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (a * blocked) / (n + a * blocked);
  return blocked;
}

/** Probability of waiting in M/M/c (Erlang C). */
export function erlangC(servers: number, a: number): number {
  const blocked = erlangB(servers, a);
  return blocked / (1 - (a / servers) * (1 - blocked));
}

/** P(time in an M/M/c system > t). */
export function sojournTail(servers: number, rate: number, mu: number, t: number): number {
  const a = rate / mu;
  const waits = erlangC(servers, a);
  const gap = servers - 1 - a;
  return Math.exp(-mu * t) * (1 + (waits * (1 - Math.exp(-mu * t * gap))) / gap);
}

/** Stationary probabilities of a birth-death process with states 0 .. births.length. */
export function birthDeath(births: readonly number[], deaths: readonly number[]): number[] {
  const weights = [1];
  births.forEach((birth, n) => {
    weights.push(((weights[n] ?? 0) * birth) / (deaths[n] ?? 1));
  });
  const sum = weights.reduce((total, one) => total + one, 0);
  return weights.map((one) => one / sum);
}

/** Share of arrivals that leave M/M/n+G unserved; `survival` is the integral of 1 - G. */
export function abandoned(
  { servers, rate, mu }: { servers: number; rate: number; mu: number },
  survival: (x: number) => number,
): number {
  const a = rate / mu;
  let term = 1;
  let sum = 1;
  for (let j = servers - 1; j >= 1; j--) {
    term *= j / a;
    sum += term;
  }
  const step = 1e-4 / mu;
  let area = 0;
  // Simpson would do with fewer points; this is exact enough at 1e-4 of a service time.
  for (let x = 0; x < 400 / (servers * mu); x += step) {
    const middle = x + step / 2;
    area += step * Math.exp(rate * survival(middle) - servers * mu * middle);
  }
  return (1 + (rate - servers * mu) * area) / (sum + rate * area);
}

/** Throughput of a closed network of single servers (and a delay), by mean value analysis. */
export function closedThroughput(users: number, think: number, demands: readonly number[]): number {
  let queues = demands.map(() => 0);
  let throughput = 0;
  for (let n = 1; n <= users; n++) {
    const times = demands.map((demand, station) => demand * (1 + (queues[station] ?? 0)));
    throughput = n / (think + times.reduce((sum, one) => sum + one, 0));
    queues = times.map((time) => throughput * time);
  }
  return throughput;
}
