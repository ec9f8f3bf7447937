/**
 * Slots of a connection queue: needed against there, the load at which waiting begins, whether
 * the queue can be stuck beside a healthy state, and what trigger leads there.
 *
 * Without reclaim a connection holds its slot for life, so what is needed is the number of open
 * connections: the edge is sharp at opened connections > slots. With reclaim a slot is needed
 * only during a request and the silence after it, which is Little's law.
 */
import type { ConnectionQueueHop, Topology } from '../model/topology.ts';
import { binomialTail } from '../theory/binomial.ts';
import { erlangC } from '../theory/erlang.ts';
import { askedWithin } from '../theory/stall.ts';
import { type Answer, type Known, type Quantity, unknown } from './answer.ts';
import { type Load, loadOf } from './load.ts';
import { type Connections, connectionsOf } from './pool.ts';
import { type PoolCase, poolCaseOf } from './pool-case.ts';
import { capacity } from './stations.ts';

export interface QueueCase {
  readonly hop: ConnectionQueueHop;
  readonly hosts: number;
  readonly load: Load;
  /** Those whose connections end up in this queue. */
  readonly feeding: readonly { readonly pool: PoolCase; readonly connections: Connections }[];
}

export function queueCaseOf(load: Load, hop: ConnectionQueueHop): QueueCase {
  const feeding = load.chain.topology.hops
    .filter((one) => load.chain.relays(one).includes(hop) && load.chain.acceptor(one) !== null)
    .map((one) => poolCaseOf(load, one))
    .filter((pool) => pool !== null)
    .map((pool) => ({
      pool,
      connections: connectionsOf({ ...pool, busy: pool.busy - pool.slotWait }),
    }));
  return { hop, hosts: load.chain.replicas(hop), load, feeding };
}

const LITTLE = "Little's law (1961)";
const COUNTING = 'counting';

export function slotsOf({ hop, hosts }: QueueCase): number {
  return hop.activeMax * hosts;
}

/** Slots that are taken on average, where there are enough. */
export function needed(queue: QueueCase): Known {
  const { hop, feeding, load } = queue;
  if (feeding.length === 0) return unknown('no connections of ours reach it');
  if (hop.reclaim === 'idle-yield') {
    const rate = load.rates.get(hop.name) ?? 0;
    const seconds = feeding[0]?.pool.busy ?? 0;
    const after = hop.reclaimAfter / 1e6;
    return {
      value: rate * (seconds + after),
      standing: 'bound',
      formula: 'rate x (service + N): what cannot be taken back; must stay below the slots',
      source: LITTLE,
      inputs: { rate, service: seconds, N: after },
      remark: 'slots are taken back on demand only: more may be held while nobody waits',
    };
  }
  const open = feeding.map(({ connections }) => connections.open);
  const missing = open.find(({ value }) => value === null);
  if (missing !== undefined) return unknown(missing.remark ?? '');
  const worst = open.every(({ standing }) => standing === 'exact') ? 'exact' : 'approximation';
  return {
    value: open.reduce((sum, { value }) => sum + (value ?? 0), 0),
    standing: worst,
    formula: 'open connections: each holds its slot for life',
    source: `${COUNTING}; sharp edge at opened connections > slots`,
    inputs: Object.fromEntries(
      feeding.map(({ pool, connections }) => [
        `open ${pool.hop.name}`,
        connections.open.value ?? 0,
      ]),
    ),
    remark: null,
  };
}

/** The number of connections that can be open at all; Infinity = without limit. */
export function possible({ feeding }: QueueCase): number {
  return feeding.reduce((sum, { pool }) => sum + pool.pools * pool.connectionsMax, 0);
}

/** All of them are there for good: each pool has one connection that nothing closes. */
export function golden({ hop, feeding }: QueueCase): number | null {
  if (hop.reclaim !== 'none' || hop.heldTimeout > 0 || feeding.length === 0) return null;
  const lasting = feeding.every(
    ({ pool, connections: { opened } }) => pool.think !== null && opened.value === 0,
  );
  return lasting ? feeding.reduce((sum, { pool }) => sum + pool.pools, 0) : null;
}

export function slotAnswers(topology: Topology, queue: QueueCase): Answer[] {
  const need = needed(queue);
  const at = queue.hop.name;
  const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
  const slots = slotsOf(queue);
  return [
    answer('slots', {
      ...{ value: slots, standing: 'exact', formula: 'activeMax x hosts', source: COUNTING },
      inputs: { activeMax: queue.hop.activeMax, hosts: queue.hosts },
      remark: null,
    }),
    answer('slotsNeeded', need),
    answer('hostOverflowProbability', hostOverflow(queue, need)),
    answer('waitingBeginsPerSecond', waitingBegins(topology, queue)),
    answer('longestWaitForSlotSeconds', longestWait(queue, need)),
    answer('connectionsThatFillSlots', connectionsThatFill(queue, need)),
    answer('stallThatFillsSlotsSeconds', stallThatFills(queue)),
  ];
}

/** Each request has a connection, and so a slot, to itself: the slots are servers. */
export function takesTurns(queue: QueueCase): boolean {
  const { load, hop } = queue;
  return load.groups.some(({ narrow }) => narrow?.pool.hop === hop);
}

function hostOverflow(queue: QueueCase, need: Known): Known {
  const { hop, hosts, load } = queue;
  if (takesTurns(queue) && need.value !== null) {
    const offered = need.value / hosts;
    const [group] = load.groups;
    const { arrivals } = group?.narrow?.pool ?? { arrivals: null };
    const exact = arrivals?.stages === 1 && arrivals.remark === null && need.standing === 'exact';
    return {
      value: erlangC(hop.activeMax, offered),
      standing: exact ? 'exact' : 'approximation',
      formula: 'Erlang C(activeMax, slots needed on a host)',
      source: 'Erlang (1917)',
      inputs: { activeMax: hop.activeMax, offered },
      remark: exact ? null : 'arrivals are taken for Poisson, times with a slot for exponential',
    };
  }
  if (hop.reclaim !== 'none')
    return unknown('slots are taken back: connections may outnumber them');
  if (need.value === null || typeof need.value !== 'number') return unknown(need.remark ?? '');
  const balancer = load.chain.topology.hops.find(
    (one) => one.kind === 'l4-balancer' && load.chain.from(one).includes(hop),
  );
  const spread = hosts === 1 || balancer?.kind !== 'l4-balancer' ? 'one' : balancer.algorithm;
  const connections = Math.round(need.value);
  const inputs = { connections, hosts, activeMax: hop.activeMax };
  if (spread !== 'flow-hash' && spread !== 'one') {
    return unknown(`${spread} spreads connections evenly as they open, not as they close`);
  }
  return {
    value: binomialTail(connections, 1 / hosts, hop.activeMax),
    standing: 'approximation',
    formula: 'P(Binomial(connections, 1 / hosts) > activeMax), of one host',
    source: 'Feller, Introduction to Probability I (1968), VI.2',
    inputs,
    remark: 'the number of connections is taken for its mean',
  };
}

const HALVINGS = 30;
const FACTOR_MAX = 1e4;

/** The load at which the slots needed are those that are there. */
function waitingBegins(topology: Topology, queue: QueueCase): Known {
  const { hop, load } = queue;
  const slots = slotsOf(queue);
  const rate = load.rates.get(hop.name) ?? 0;
  if (hop.reclaim === 'idle-yield') {
    const seconds = queue.feeding[0]?.pool.busy ?? 0;
    return {
      value: slots / (seconds + hop.reclaimAfter / 1e6),
      standing: 'bound',
      formula: 'slots / (service + N)',
      source: LITTLE,
      inputs: { slots, service: seconds, N: hop.reclaimAfter / 1e6 },
      remark: 'some wait before, when requests come close together',
    };
  }
  if (possible(queue) <= slots) return unknown('never: fewer connections can be open than slots');
  const needAt = (factor: number): { rate: number; need: number | null } => {
    const scaled = loadOf(topology, factor);
    const here = queueCaseOf(scaled, hop);
    const value = scaled.obstacle === null ? needed(here).value : null;
    return { rate: scaled.rates.get(hop.name) ?? 0, need: value };
  };
  let [low, high] = [0, 1];
  while (high < FACTOR_MAX) {
    const { need } = needAt(high);
    if (need === null && high > 1) break;
    if (need === null || need >= slots) break;
    low = high;
    high *= 2;
  }
  for (let round = 0; round < HALVINGS; round++) {
    const middle = (low + high) / 2;
    const { need } = needAt(middle);
    if (need !== null && need < slots) low = middle;
    else high = middle;
  }
  const edge = needAt(low);
  if (edge.need === null || edge.need < 0.98 * slots) {
    const most = Math.min(...[...load.stations.values()].map(capacity));
    const why =
      most < Number.POSITIVE_INFINITY && edge.rate > 0.9 * most
        ? `the stations are full first, at ${most.toPrecision(4)} requests/s`
        : `no closed form for the connections beyond ${edge.rate.toPrecision(4)} requests/s`;
    return unknown(why);
  }
  return {
    value: edge.rate,
    standing: 'approximation',
    formula: 'the rate at which open connections = slots',
    source: 'the formula of openConnections, solved by bisection',
    inputs: { slots, rate, open: edge.need },
    remark: 'hosts are taken for even: with a flow hash some run out before',
  };
}

/** keepalive_requests x nodes / rate: the time in which a connection's requests are used up. */
function longestWait(queue: QueueCase, need: Known): Known {
  const { hop, feeding } = queue;
  if (hop.reclaim !== 'none') return unknown('slots are taken back');
  const [only] = feeding;
  if (feeding.length !== 1 || only === undefined) return unknown('several kinds of connections');
  const { pool } = only;
  const slots = slotsOf(queue);
  const single = Math.min(pool.connectionsMax, pool.sources) === 1;
  if (!single) return unknown('pools of several connections: who waits depends on the past');
  if (pool.cap === Number.POSITIVE_INFINITY) {
    if (golden(queue) !== null && pool.pools > slots)
      return unknown('for ever: no slot is given up');
    return unknown('no cap on requests: a slot is free when its connection idles out');
  }
  if (typeof need.value === 'number' && need.value <= slots && pool.pools <= slots) {
    return { ...unknown(''), ...exactZero(slots, pool.pools) };
  }
  return {
    value: (pool.cap * pool.pools) / (pool.rate * pool.pools),
    standing: 'approximation',
    formula: 'keepalive_requests x nodes / rate',
    source: 'renewal theory: a slot is free when its connection has carried its requests',
    inputs: { keepAliveRequests: pool.cap, nodes: pool.pools, rate: pool.rate * pool.pools },
    remark: 'one connection per node; within 4 % on real sockets',
  };
}

function exactZero(slots: number, connections: number): Known {
  return {
    value: 0,
    standing: 'exact',
    formula: 'connections <= slots',
    source: COUNTING,
    inputs: { slots, connections },
    remark: null,
  };
}

function connectionsThatFill(queue: QueueCase, need: Known): Known {
  if (queue.hop.reclaim !== 'none') return unknown('slots are taken back');
  if (typeof need.value !== 'number') return unknown(need.remark ?? '');
  const slots = slotsOf(queue);
  return {
    value: Math.max(0, slots - need.value),
    standing: 'bound',
    formula: 'slots - open connections',
    source: COUNTING,
    inputs: { slots, open: need.value },
    remark: 'fewer leave a slot free on some host; hosts are taken for even',
  };
}

/** Nothing is answered: every request in flight needs a connection of its own. */
export function stallThatFills(queue: QueueCase): Known {
  const { hop, load } = queue;
  if (hop.reclaim !== 'none') return unknown('slots are taken back');
  const slots = slotsOf(queue);
  if (possible(queue) <= slots) return unknown('none does: pools may not open as many');
  if ((needed(queue).value ?? 0) >= slots) return unknown('all slots are taken without any stall');
  if (takesTurns(queue)) return unknown('at times all slots are taken without any stall');
  const groups = load.groups.filter((one) => load.chain.from(one.hop).includes(hop));
  const inFlight = (d: number): number =>
    groups.reduce((sum, { rate, turnedAway, seconds, users, think }) => {
      const passed = rate * (1 - turnedAway);
      if (think === null) return sum + passed * (seconds + d);
      const busy = Math.min(users, passed * seconds);
      return sum + busy + (users - busy) * askedWithin(think, d);
    }, 0);
  const all = groups.reduce((sum, { users }) => sum + users, 0);
  const inputs = { slots, inFlight: inFlight(0), users: all };
  if (all < slots) return unknown(`none does: ${all} users have no more requests than that`);
  let [low, high] = [0, 1];
  while (inFlight(high) < slots && high < 1e5) high *= 2;
  if (high >= 1e5) return unknown('none does: all users together ask for no more');
  for (let round = 0; round < 60; round++) {
    const middle = (low + high) / 2;
    if (inFlight(middle) < slots) low = middle;
    else high = middle;
  }
  return {
    value: high,
    standing: 'bound',
    formula:
      'd with busy + asked within d = slots; asked within d = rate x d, or of closed users ' +
      '(users - busy) x integral of P(think > t) up to d / mean',
    source: 'equilibrium distribution of renewal theory (Cox 1962, 5.2)',
    inputs,
    remark: 'a shorter stall cannot take all slots; timeouts on the way are left out',
  };
}
