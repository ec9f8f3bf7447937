/** What the sliders turn: each finds its setting in a topology, and makes a changed one. */
import type { Hop, HopKind, Topology } from '../../src/model/topology.ts';

export interface Knob {
  readonly name: string;
  readonly unit: string;
  readonly most: number;
  readonly get: (topology: Topology) => number | null;
  readonly set: (topology: Topology, value: number) => Topology;
}

const SECOND = 1e6;
/** What is lived through at each turn of a knob. */
const MINUTE = 60 * SECOND;

/** The first minute of a topology's load. */
export function minuteOf(topology: Topology): Topology {
  return { ...topology, duration: Math.min(topology.duration, MINUTE) };
}

type OfKind<K extends HopKind> = Extract<Hop, { readonly kind: K }>;

function ofHop<K extends HopKind>(
  kind: K,
  get: (hop: OfKind<K>) => number,
  set: (hop: OfKind<K>, value: number) => OfKind<K>,
): Pick<Knob, 'get' | 'set'> {
  const is = (hop: Hop): hop is OfKind<K> => hop.kind === kind;
  return {
    get: ({ hops }) => {
      const found = hops.find(is);
      return found === undefined ? null : get(found);
    },
    set: (topology, value) => ({
      ...topology,
      hops: topology.hops.map((hop) => (is(hop) ? set(hop, value) : hop)),
    }),
  };
}

const slots = ofHop(
  'connection-queue',
  (hop) => hop.activeMax,
  (hop, activeMax) => ({ ...hop, activeMax }),
);
const keepAlive = ofHop(
  'web-server',
  (hop) => hop.keepAliveTimeout / SECOND,
  (hop, value) => ({ ...hop, keepAliveTimeout: value * SECOND }),
);
const keepAliveRequests = ofHop(
  'web-server',
  (hop) => hop.keepAliveRequests,
  (hop, keepAliveRequests) => ({ ...hop, keepAliveRequests }),
);
const nodes = ofHop(
  'gateway',
  (hop) => hop.nodes,
  (hop, nodes) => ({ ...hop, nodes }),
);
const throttle = ofHop(
  'gateway',
  (hop) => hop.throttle.ratePerSecond,
  (hop, ratePerSecond) => ({
    ...hop,
    throttle: { ratePerSecond, burst: Math.min(hop.throttle.burst, ratePerSecond) },
  }),
);

export const KNOBS: readonly Knob[] = [
  { name: 'slots', unit: '', most: 100, ...slots },
  { name: 'keep-alive', unit: 's', most: 120, ...keepAlive },
  { name: 'keepalive_requests', unit: '', most: 1_000, ...keepAliveRequests },
  {
    name: 'hosts',
    unit: '',
    most: 66,
    get: ({ hosts }) => hosts[0]?.count ?? null,
    set: (topology, count) => ({
      ...topology,
      hosts: topology.hosts.map((group, at) => (at === 0 ? { ...group, count } : group)),
    }),
  },
  { name: 'gateway nodes', unit: '', most: 60, ...nodes },
  { name: 'throttle', unit: '/s', most: 10_000, ...throttle },
];

/** Whether the queue takes idle slots back; null without a queue. */
export function reclaims(topology: Topology): boolean | null {
  const queue = topology.hops.find((hop) => hop.kind === 'connection-queue');
  return queue?.kind === 'connection-queue' ? queue.reclaim === 'idle-yield' : null;
}

export function withReclaim(topology: Topology, reclaim: 'none' | 'idle-yield'): Topology {
  const hops = topology.hops.map((hop) =>
    hop.kind === 'connection-queue' ? { ...hop, reclaim } : hop,
  );
  return { ...topology, hops };
}
