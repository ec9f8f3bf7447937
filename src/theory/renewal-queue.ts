/**
 * Several servers with exponential service times, and arrivals whose gaps are independent of each
 * other and alike: GI/M/c, and GI/M/c/K where only some may wait. Gaps are Erlang's of so many
 * stages: one is Poisson, k every k-th of Poisson arrivals, without end constant gaps.
 *
 * What arrivals find is a Markov chain that rises by one at a time, so that as many go up across
 * a level as come down. All terms are positive: nothing cancels.
 *
 *   p(n - 1) P(of n nobody leaves in a gap) = sum over i >= n of p(i) P(fewer than n are left)
 *
 * With room for all, p falls by sigma each from c - 1 on, sigma = A*(c mu (1 - sigma)), A* the
 * transform of a gap, and who waits does so for an exponential time of mean 1 / (c mu (1 - sigma))
 * (Kendall 1953; Takacs 1962; Kleinrock, Queueing Systems I, 1975, 6.3 and 6.4).
 *
 * Costs O((servers + room) x d^2), d a few times the departures that fit into a gap.
 */
import { erlangC } from './erlang.ts';
import type { FiniteQueue } from './finite-queue.ts';

/** Shares below this are nothing. */
const NOTHING = 1e-18;
const SELDOM = 1e-12;
/** A weight beyond this makes all before it nothing. */
const HUGE = 1e250;

export interface RenewalArrivals {
  /** Arrivals in a service time. */
  readonly offered: number;
  /** Infinity = constant gaps. */
  readonly stages: number;
}

/** `room` Infinity: all may wait, and `offered` is less than the servers. */
export function renewalQueue(
  servers: number,
  room: number,
  { offered, stages }: RenewalArrivals,
): FiniteQueue {
  const idle = { refused: 0, waits: 0, serving: offered, waiting: 0 };
  // Who comes more evenly finds all busy less often than Poisson arrivals do.
  if (offered < servers && erlangC(servers, offered) < SELDOM) return idle;
  const load = offered / servers;
  const slack = room === Number.POSITIVE_INFINITY ? slackOf(load, stages) : 0;
  const sigma = 1 - slack;
  const departures = departuresInGap(load, stages);
  const tail = Math.min(departures.length, Math.ceil(Math.log(NOTHING) / Math.log(sigma)) + 1);
  const most = servers + (slack > 0 ? tail : room);
  const found = new Float64Array(most + 1);
  let first = most;
  found[most] = 1;
  if (slack > 0) {
    first = servers - 1;
    for (let n = first; n <= most; n++) found[n] = sigma ** (n - first);
  }
  const left = leftAfterGap(servers, most, departures);
  for (let n = first; n >= 1; n--) {
    let down = 0;
    for (let i = n; i <= Math.min(most, n + departures.length); i++) {
      down += (found[i] ?? 0) * (left[Math.min(i + 1, most)]?.fewer(n) ?? 0);
    }
    found[n - 1] = down / (left[n]?.all ?? 1);
    if ((found[n - 1] ?? 0) < HUGE) continue;
    found.fill(0);
    found[n - 1] = 1;
  }
  return slack > 0 ? endless(found, servers, slack, offered) : limited(found, servers, offered);
}

function endless(
  found: Float64Array,
  servers: number,
  slack: number,
  offered: number,
): FiniteQueue {
  const last = found[servers - 1] ?? 0;
  const below = found.slice(0, servers - 1).reduce((sum, one) => sum + one, 0);
  const waits = (last * (1 - slack)) / (slack * below + last);
  return { refused: 0, waits, serving: offered, waiting: (offered * waits) / (servers * slack) };
}

function limited(found: Float64Array, servers: number, offered: number): FiniteQueue {
  const sum = found.reduce((total, one) => total + one, 0);
  const most = found.length - 1;
  let [waits, services] = [0, 0];
  for (let n = servers; n < most; n++) {
    waits += (found[n] ?? 0) / sum;
    services += (((found[n] ?? 0) / sum) * (n - servers + 1)) / servers;
  }
  const refused = (found[most] ?? 0) / sum;
  return { refused, waits, serving: offered * (1 - refused), waiting: offered * services };
}

const HALVINGS = 200;

/** 1 - sigma, solved so that it keeps its digits where the servers are nearly full. */
function slackOf(load: number, stages: number): number {
  let [low, high] = [0, 1];
  for (let round = 0; round < HALVINGS; round++) {
    const middle = (low + high) / 2;
    const exponent =
      stages === Number.POSITIVE_INFINITY
        ? -middle / load
        : -stages * Math.log1p(middle / (load * stages));
    if (Math.expm1(exponent) + middle < 0) low = middle;
    else high = middle;
  }
  return high;
}

/** P(m would leave in a gap if all servers were always busy), as far as it is something. */
function departuresInGap(load: number, stages: number): readonly number[] {
  const evenly = stages === Number.POSITIVE_INFINITY;
  const ends = evenly ? 1 : (stages * load) / (stages * load + 1);
  const mean = 1 / load;
  let log = evenly ? -mean : stages * Math.log(ends);
  const shares: number[] = [];
  for (let m = 0; ; m++) {
    if (m > 0) {
      log += Math.log(evenly ? mean / m : ((m + stages - 1) / m) * (1 - ends));
    }
    const share = Math.exp(log);
    if (m > mean && share < NOTHING) return shares;
    shares.push(share);
  }
}

/** How many of n are left at the end of a gap. */
interface Left {
  /** P(all n). */
  readonly all: number;
  /** P(less than `level`). */
  fewer(level: number): number;
}

/** For n = 1 .. most; by chances to leave, each of which somebody takes with busy / servers. */
function leftAfterGap(servers: number, most: number, departures: readonly number[]): Left[] {
  const rows: Left[] = [{ all: 1, fewer: () => 0 }];
  for (let n = 1; n <= most; n++) {
    const reach = Math.min(n, departures.length);
    // By the number that has left: 0 .. reach.
    const now = new Float64Array(reach + 1);
    const sum = new Float64Array(reach + 1);
    now[0] = 1;
    departures.forEach((share, m) => {
      if (m > 0) {
        for (let gone = Math.min(m, reach); gone >= 0; gone--) {
          const leaves = Math.min(n - gone, servers) / servers;
          const before = gone === 0 ? 0 : Math.min(n - gone + 1, servers) / servers;
          now[gone] = (now[gone] ?? 0) * (1 - leaves) + (now[gone - 1] ?? 0) * before;
        }
      }
      for (let gone = 0; gone <= Math.min(m, reach); gone++) {
        sum[gone] = (sum[gone] ?? 0) + share * (now[gone] ?? 0);
      }
    });
    const all = sum[0] ?? 0;
    // P(at least so many have left).
    for (let gone = reach - 1; gone >= 0; gone--)
      sum[gone] = (sum[gone] ?? 0) + (sum[gone + 1] ?? 0);
    rows.push({ all, fewer: (level) => sum[n - level + 1] ?? 0 });
  }
  return rows;
}
