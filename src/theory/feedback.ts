/**
 * A request that comes to the same single server several times running, behind all who are there
 * each time. Whatever the order, the server has as much work before it as if each request did all
 * of its own at once; who has j visits left, this one included, adds (j - 1) services and the rest
 * of this one. So with equal waits w, of n visits, by Little's law
 *
 *   E[work] = rate x service x (w n (n + 1) / 2 + service n (n - 1) / 2 + n service (1 + v) / 2)
 *
 * which gives w exactly for Poisson arrivals and exponential services (Jackson 1963). Else the
 * first wait is not as long as the others: of Poisson arrivals it is known as well, for they find
 * what is there on average (Wolff 1982); with two visits that is all, and exact.
 */
import { type Estimate, generalWait } from './general-queue.ts';

export interface Visits {
  readonly visits: number;
  readonly service: number;
  readonly variation: number;
  /** Of the gaps between requests. */
  readonly stages: number;
}

const OFF_MORE = 0.1;

/** Mean wait of one visit at one server, at so many requests per second. */
export function feedbackWait(one: Visits, rate: number): Estimate {
  const { visits: n, service: s, variation: v, stages } = one;
  const all = { servers: 1, service: n * s, variation: v / n, stages };
  const { value, off } = generalWait(all, rate);
  if (value === Number.POSITIVE_INFINITY) return { value, off };
  const load = rate * n * s;
  const work = (wait: number): number => load * wait + (rate * (n * s) ** 2 * (1 + v / n)) / 2;
  const waited = (of: number): number =>
    work(of) / (rate * s) - (s * n * (n - 1)) / 2 - (n * s * (1 + v)) / 2;
  const sum = waited(value);
  const less = (waited(value + off) - sum) / (n * (n + 1) * 0.5);
  const equal = sum / ((n * (n + 1)) / 2);
  if (stages !== 1) return { value: equal, off: less + OFF_MORE * equal };
  // first = s rate (first + (n - 1) others) + rest of what is served, and the work as above.
  const rest = (load * s * (1 + v)) / 2;
  const each = rate * s;
  const others =
    (sum - (n * rest) / (1 - each)) / ((n * (n - 1)) / 2 + (n * each * (n - 1)) / (1 - each));
  const first = (each * (n - 1) * others + rest) / (1 - each);
  const mean = (first + (n - 1) * others) / n;
  return { value: mean, off: n === 2 || v === 1 ? 0 : OFF_MORE * mean };
}
