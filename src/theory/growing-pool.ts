/**
 * A pool of connections that opens one whenever a request finds none idle, and loses one only to
 * the cap on requests: how many are open.
 *
 *   (busy, open):  arrival          busy < open ──► busy + 1           busy = open ──► both + 1
 *                  end of request   ──► busy - 1,  and with probability 1 / cap  ──► open - 1
 *
 * Which idle connection is used next makes no difference to the counts. Every connection carries
 * exactly `cap` requests, so as many open per second as arrive / cap, exactly; for the level, the
 * cap is spread evenly over a connection's requests: one in `cap` of them is the last. That is an
 * approximation, for it lets some go early and others late; Kleinrock, Queueing Systems I,
 * section 3.1, for the balance of such a chain.
 */
import { stationaryShares } from './markov.ts';

export interface GrowingPool {
  /** Requests per second to this pool. */
  readonly rate: number;
  /** Seconds that a request is on its connection. */
  readonly busy: number;
  readonly cap: number;
  /** Those who ask, who ask nothing while they wait for an answer; Infinity = an open load. */
  readonly sources: number;
  /** Infinity = without limit. */
  readonly connectionsMax: number;
}

/** Beyond this many connections the chain is too large to be solved at once. */
const CHAIN_MAX = 48;

/** Mean open connections. */
export function meanOpen(pool: GrowingPool): number {
  const { rate, busy, sources, connectionsMax } = pool;
  const load = rate * busy;
  const reach = Math.ceil(load + 6 * Math.sqrt(load) + 12);
  const most = Math.min(reach, sources, connectionsMax);
  return most > CHAIN_MAX ? byLevels(load, pool.cap, most) : byChain(pool, most);
}

/** The same at a hundredth of the cost: from a cap of 20 on at most 5 % less than by the chain. */
export function meanOpenSoon({ rate, busy, cap, sources, connectionsMax }: GrowingPool): number {
  const load = rate * busy;
  const reach = Math.ceil(load + 6 * Math.sqrt(load) + 12);
  return byLevels(load, cap, Math.min(reach, sources, connectionsMax));
}

/**
 * For large pools: what is busy settles many times between two changes of what is open, so that
 * open goes up at rate x Erlang B(open) and down at rate / cap: a birth-death process.
 */
function byLevels(load: number, cap: number, most: number): number {
  const logs: number[] = [0];
  let blocked = 1;
  for (let open = 1; open < most; open++) {
    blocked = (load * blocked) / (open + load * blocked);
    logs.push((logs[open - 1] ?? 0) + Math.log(cap * blocked));
  }
  const largest = Math.max(...logs);
  let [sum, mean] = [0, 0];
  logs.forEach((log, index) => {
    sum += Math.exp(log - largest);
    mean += Math.exp(log - largest) * (index + 1);
  });
  return mean / sum;
}

function byChain(pool: GrowingPool, most: number): number {
  const { rate, busy, cap, sources } = pool;
  const load = rate * busy;
  // Each of those who do not wait asks at the same rate, and all together at `rate`.
  const each = sources === Number.POSITIVE_INFINITY ? 0 : rate / Math.max(sources - load, 1e-9);
  const births = (n: number): number => (each === 0 ? rate : (sources - n) * each);
  const number = (busy: number, open: number): number => (open * (open + 1)) / 2 + busy;
  const jumps: { from: number; to: number; rate: number }[] = [];
  for (let open = 0; open <= most; open++) {
    for (let now = 0; now <= open; now++) {
      const from = number(now, open);
      const ends = now / busy;
      if (now > 0) {
        jumps.push({ from, to: number(now - 1, open), rate: ends * (1 - 1 / cap) });
        jumps.push({ from, to: number(now - 1, open - 1), rate: ends / cap });
      }
      const grows = now === open;
      if (grows && open === most) continue;
      const to = grows ? number(now + 1, open + 1) : number(now + 1, open);
      jumps.push({ from, to, rate: births(now) });
    }
  }
  const shares = stationaryShares(number(0, most + 1), jumps);
  let mean = 0;
  for (let open = 0; open <= most; open++) {
    for (let now = 0; now <= open; now++) mean += open * (shares[number(now, open)] ?? 0);
  }
  return mean;
}
