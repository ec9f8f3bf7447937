/**
 * Support for tests of live hops: a context around a real clock, real sockets on loopback and a
 * real event writer, and the check that every end's books balance. Used by tests only.
 */
import http from 'node:http';
import { EventKind } from '../model/event.ts';
import type { Endpoint, Instance, Link } from '../model/run.ts';
import type { Hop, PoolSettings, Topology } from '../model/topology.ts';
import { noTap } from '../policy/tap.ts';
import { randomStream } from '../random/stream.ts';
import { type EventBlock, EventWriter } from '../stream/columns.ts';
import { EndRegistry } from './io/connection-end.ts';
import { Clock } from './runtime/clock.ts';
import { type HopContext, HopCounters } from './runtime/context.ts';

export interface EventRow {
  readonly at: number;
  readonly kind: number;
  readonly instance: number;
  readonly end: number;
  readonly exchange: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Links of a test hop: one incoming, one outgoing, one incoming and one outgoing alive link. */
/** What every hop with a listener has, by default. */
export const testMachine = { backlog: 64, ephemeralPorts: 28_232, upstreamDelay: 0 };

export const testLinks = {
  incoming: link(0, 'clients', 'hop', 'traffic'),
  outgoing: link(1, 'hop', 'upstream', 'traffic'),
  aliveIncoming: link(2, 'balancer', 'hop', 'alive'),
  aliveOutgoing: link(3, 'hop', 'upstream', 'alive'),
} as const;

function link(index: number, downstream: string, upstream: string, purpose: Link['purpose']): Link {
  const suffix = purpose === 'alive' ? '#alive' : '';
  return { index, name: `${downstream}->${upstream}${suffix}`, downstream, upstream, purpose };
}

export interface TestContextOptions {
  readonly targets?: readonly Endpoint[];
  readonly aliveTargets?: readonly Endpoint[];
  readonly incoming?: readonly Link[];
  readonly replica?: number;
  readonly tracesUpstream?: boolean;
  readonly tracedDownstream?: boolean;
  /** Instances beside the hop's own (number 0), in order: the hosts of targets. */
  readonly others?: readonly Instance[];
}

/** A context and what was written to its events so far. */
export interface TestHop<H extends Hop> {
  readonly ctx: HopContext<H>;
  events(): EventRow[];
}

export function testContext<H extends Hop>(hop: H, options: TestContextOptions = {}): TestHop<H> {
  const blocks: EventBlock[] = [];
  const events = new EventWriter(0, (block) => blocks.push(block));
  const clock = new Clock();
  const replica = options.replica ?? 0;
  const instance: Instance = { index: 0, hop: hop.name, replica, host: null, process: 0 };
  const alive = options.aliveTargets === undefined ? null : testLinks.aliveOutgoing;
  const ctx: HopContext<H> = {
    process: 0,
    clock,
    events,
    seed: 1,
    plan: {
      instances: [instance, ...(options.others ?? [])],
      links: Object.values(testLinks),
      processes: ['test'],
    },
    topology: topologyOf(hop),
    tap: noTap,
    log: () => {},
    hop,
    instance,
    incoming: options.incoming ?? [testLinks.incoming],
    outgoing: testLinks.outgoing,
    alive,
    targets: (of) => (of === alive ? options.aliveTargets : options.targets) ?? [],
    ends: new EndRegistry(clock, events, 0, { next: 0 }),
    counters: new HopCounters(),
    random: (purpose) => randomStream(1, `${hop.name}/${replica}/${purpose}`),
    tracesUpstream: options.tracesUpstream ?? false,
    tracedDownstream: options.tracedDownstream ?? false,
  };
  return {
    ctx,
    events() {
      events.flush();
      return blocks.flatMap(rowsOf);
    },
  };
}

function topologyOf(hop: Hop): Topology {
  return {
    name: 'test',
    description: '',
    duration: 1_000_000,
    startTimeOfDay: 0,
    starvedAfter: 1_000_000,
    hops: [hop],
    hosts: [],
    timeline: [],
    faults: [],
    processes: [],
    applied: { scale: 1, timeScale: 1 },
  };
}

export function rowsOf(block: EventBlock): EventRow[] {
  return Array.from({ length: block.count }, (_, i) => ({
    at: block.at[i] ?? 0,
    kind: block.kind[i] ?? 0,
    instance: block.instance[i] ?? 0,
    end: block.end[i] ?? 0,
    exchange: block.exchange[i] ?? 0,
    a: block.a[i] ?? 0,
    b: block.b[i] ?? 0,
    c: block.c[i] ?? 0,
  }));
}

/**
 * What is wrong with the books of a hop that has stopped: every end that began must have
 * closed, every exchange that started must have ended, nothing twice. Empty = they balance.
 */
export function imbalances(events: readonly EventRow[]): string[] {
  const count = new Map<string, number>();
  const add = (key: string, by: number): void => {
    count.set(key, (count.get(key) ?? 0) + by);
  };
  for (const { kind, end, exchange } of events) {
    if (kind === EventKind.connectStarted || kind === EventKind.accepted) add(`end ${end}`, 1);
    else if (kind === EventKind.closed) add(`end ${end}`, -1);
    else if (kind === EventKind.exchangeStarted) add(`exchange ${end}/${exchange}`, 1);
    else if (kind === EventKind.exchangeEnded) add(`exchange ${end}/${exchange}`, -1);
  }
  return [...count].filter(([, n]) => n !== 0).map(([key, n]) => `${key}: ${n}`);
}

/** A pool without limits, to be changed in part. */
export function testPool(changes: Partial<PoolSettings> = {}): PoolSettings {
  return {
    connectionsMax: 0,
    waitersMax: 0,
    idleTimeout: 0,
    requestsPerConnectionMax: 0,
    reuse: 'lifo',
    ...changes,
  };
}

/** Waits until a condition holds; fails after five seconds, naming what it waited for. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 20_000) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A node:http server on loopback as a hop's upstream. */
export async function testUpstream(
  handler: http.RequestListener,
  link: Link = testLinks.outgoing,
): Promise<{ endpoint: Endpoint; server: http.Server; close(): Promise<void> }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return {
    server,
    endpoint: { instance: 1, link: link.index, address: '127.0.0.1', port: address.port },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
