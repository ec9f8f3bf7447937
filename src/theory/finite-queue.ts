/**
 * M/M/c/K: c servers, room for K - c to wait, the rest is refused (Kleinrock, Queueing Systems I
 * (1975), 3.6 and 3.7). Without room it is M/M/c/c, whose shares hold whatever the service time is
 * (Erlang 1917; Sevastyanov 1957).
 */
import { stateShares } from './birth-death.ts';

export interface FiniteQueue {
  /** Share of what arrives that is refused. */
  readonly refused: number;
  /** Share that has to wait. */
  readonly waits: number;
  /** Mean number being served, and waiting. */
  readonly serving: number;
  readonly waiting: number;
}

/** `a` is the offered load in erlangs. */
export function finiteQueue(servers: number, room: number, a: number): FiniteQueue {
  const most = servers + room;
  const births = Array.from({ length: most + 1 }, (_, n) => (n === most ? 0 : a));
  const shares = stateShares({ births, deaths: births.map((_, n) => Math.min(n, servers)) });
  let [waits, serving, waiting] = [0, 0, 0];
  shares.forEach((share, n) => {
    if (n >= servers && n < most) waits += share;
    serving += Math.min(n, servers) * share;
    waiting += Math.max(0, n - servers) * share;
  });
  return { refused: shares[most] ?? 0, waits, serving, waiting };
}
