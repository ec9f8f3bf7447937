/**
 * Several servers and Poisson arrivals: Erlang's B and C formulas, and the mean wait they give.
 * `a` is the offered load in erlangs (arrivals per second x mean service time). Erlang (1917);
 * Cooper, Introduction to Queueing Theory (1981), sections 3.3 and 3.4; Kleinrock, Queueing
 * Systems I (1975), sections 3.5 and 3.6.
 */

/** Probability that all of `servers` are busy where who finds no server leaves (M/G/c/c). */
export function erlangB(servers: number, a: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (a * blocked) / (n + a * blocked);
  return blocked;
}

/** Probability of waiting in M/M/c; 1 where the servers cannot keep up. */
export function erlangC(servers: number, a: number): number {
  if (a >= servers) return 1;
  const blocked = erlangB(servers, a);
  return blocked / (1 - (a / servers) * (1 - blocked));
}

/**
 * Mean wait in M/G/c, in the unit of `service`: exact for one server (Pollaczek 1930, Khinchine
 * 1932) and for exponential service; between them the approximation of Lee and Longton (1959),
 * the Markov value times half of 1 + the squared coefficient of variation.
 */
export function meanWait(servers: number, rate: number, service: number, variation: number) {
  const a = rate * service;
  if (a >= servers) return Number.POSITIVE_INFINITY;
  if (service === 0) return 0;
  return (((1 + variation) / 2) * erlangC(servers, a) * service) / (servers - a);
}
