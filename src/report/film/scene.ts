/**
 * What a film is drawn from: every connection with the times at which it was open, carried a
 * request, or held one unread; and the state of all of them at one instant, which is a pure
 * function of the scene and the time. Plain arrays of numbers, so that a scene goes as JSON into
 * a browser. No Node API in here.
 */
import type { ConnectionRow, ExchangeRow } from '../../measure/rows.ts';
import type { RunInfo } from '../../model/run.ts';
import type { Hop } from '../../model/topology.ts';

/** Seconds for which a connection that has closed is still shown. */
const CLOSING_SECONDS = 0.6;
/** The headline number is of the last so many seconds. */
export const HEADLINE_SECONDS = 10;

export interface SceneHop {
  readonly name: string;
  /** From the clients; hops of one column share it. */
  readonly column: number;
  /** Replicas on hosts; 0 = not on hosts. */
  readonly hosts: number;
  /** Of each replica of a connection queue; 0 = is none. */
  readonly slots: number;
}

export interface SceneConnection {
  readonly link: number;
  /** Replica at its upper end; 0 where it is not on hosts. */
  readonly host: number;
  /** Seconds since the load began. */
  readonly opened: number;
  /** Infinity is not JSON: a number beyond the end while open. */
  readonly closed: number;
  /** Starts and ends in turn, ascending: a request in flight, and one that waits unread. */
  readonly busy: readonly number[];
  readonly held: readonly number[];
}

export interface Scene {
  readonly title: string;
  readonly seconds: number;
  readonly hops: readonly SceneHop[];
  /** From and to are indices of `hops`. */
  readonly links: readonly { readonly from: number; readonly to: number }[];
  readonly connections: readonly SceneConnection[];
  /** The link of the headline number: index, and its requests and new connections in time. */
  readonly watched: {
    readonly name: string;
    readonly requests: readonly number[];
    readonly opened: readonly number[];
  };
  /** Slots of all queues and hosts; a queue that takes slots back has no fixed holders. */
  readonly slots: number;
  readonly captions: readonly { readonly second: number; readonly text: string }[];
}

export type FlowState = 'active' | 'idle' | 'held' | 'closing';

/** How a connection is at an instant; null when it is not there. */
export function stateOf(connection: SceneConnection, second: number): FlowState | null {
  const { opened, closed, busy, held } = connection;
  if (second < opened || second >= closed + CLOSING_SECONDS) return null;
  if (second >= closed) return 'closing';
  if (isWithin(held, second)) return 'held';
  return isWithin(busy, second) ? 'active' : 'idle';
}

/** Requests / new connections on the watched link in the seconds before; null without new ones. */
export function headlineAt({ watched }: Scene, second: number): number | null {
  const from = second - HEADLINE_SECONDS;
  const among = (times: readonly number[]): number => below(times, second) - below(times, from);
  const opened = among(watched.opened);
  return opened === 0 ? null : among(watched.requests) / opened;
}

function isWithin(spans: readonly number[], second: number): boolean {
  // An odd number of bounds at or before an instant: it lies between a start and its end.
  return below(spans, second) % 2 === 1;
}

/** How many of ascending numbers are at most `value`. */
export function below(numbers: readonly number[], value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface SceneInput {
  readonly info: RunInfo;
  readonly connections: readonly ConnectionRow[];
  readonly exchanges: readonly ExchangeRow[];
  readonly watched: string;
  readonly captions: Scene['captions'];
}

export function sceneOf(input: SceneInput): Scene {
  const { info, watched, captions } = input;
  const { loadStart, loadEnd, topology, plan } = info;
  const seconds = ((loadEnd ?? loadStart) - loadStart) / 1e6;
  const at = (micros: number): number => (micros - loadStart) / 1e6;
  const hops = hopsOf(info);
  const traffic = plan.links.filter((link) => link.purpose === 'traffic');
  const index = new Map(traffic.map((link, i) => [link.index, i]));
  const place = (name: string): number => topology.hops.findIndex((hop) => hop.name === name);
  const connections = timed(input, index, { at, end: seconds + 1 });
  const link = plan.links.find((one) => one.name === watched);
  const times = (values: readonly (number | null)[]): number[] =>
    values
      .filter((value) => value !== null)
      .map(at)
      .sort((x, y) => x - y);
  const of = <T extends { link: number }>(rows: readonly T[]): T[] =>
    rows.filter((row) => row.link === link?.index);
  return {
    title: topology.name,
    seconds,
    hops,
    links: traffic.map((one) => ({ from: place(one.downstream), to: place(one.upstream) })),
    connections,
    watched: {
      name: watched,
      requests: times(of(input.exchanges).map((row) => row.startedAt)),
      opened: times(of(input.connections).map((row) => row.openedAt)),
    },
    slots: hops.reduce((sum, hop) => sum + hop.slots * Math.max(hop.hosts, 1), 0),
    captions,
  };
}

/** Columns count from the end of the chain, so that groups of clients stand below each other. */
function hopsOf({ topology }: RunInfo): SceneHop[] {
  const depth = (hop: Hop): number => {
    const next = topology.hops.find((one) => one.name === hop.upstream);
    return next === undefined ? 0 : depth(next) + 1;
  };
  const depths = topology.hops.map(depth);
  const deepest = Math.max(...depths);
  return topology.hops.map((hop, i) => ({
    name: hop.name,
    column: deepest - (depths[i] ?? 0),
    hosts: topology.hosts.find((group) => group.hops.includes(hop.name))?.count ?? 0,
    slots: hop.kind === 'connection-queue' ? hop.activeMax : 0,
  }));
}

interface Clock {
  readonly at: (micros: number) => number;
  readonly end: number;
}

function timed(
  { info, connections, exchanges }: SceneInput,
  index: ReadonlyMap<number, number>,
  { at, end }: Clock,
): SceneConnection[] {
  const rows = new Map<number, ExchangeRow[]>();
  for (const row of exchanges) {
    const own = rows.get(row.connection);
    if (own === undefined) rows.set(row.connection, [row]);
    else own.push(row);
  }
  for (const own of rows.values()) own.sort((x, y) => x.startedAt - y.startedAt);
  const isQueue = (link: number): boolean => {
    const name = info.plan.links[link]?.upstream;
    return info.topology.hops.some((hop) => hop.name === name && hop.kind === 'connection-queue');
  };
  return connections.flatMap((row): SceneConnection[] => {
    const link = index.get(row.link);
    if (link === undefined || row.openedAt === null || row.outcome === 'failed') return [];
    const own = rows.get(row.connection) ?? [];
    const busy = own.flatMap((one) => [
      at(one.startedAt),
      one.endedAt === null ? end : at(one.endedAt),
    ]);
    const passed = row.upstreamConnection === null ? [] : (rows.get(row.upstreamConnection) ?? []);
    const host = info.plan.instances[row.acceptorInstance ?? -1]?.replica ?? 0;
    return [
      {
        link,
        host,
        opened: at(row.openedAt),
        closed: row.closedAt === null ? end : at(row.closedAt),
        busy,
        held: isQueue(row.link) ? waits(own, passed, { at, end }) : [],
      },
    ];
  });
}

/** From a request's arrival at the queue until it goes on behind it, or ends there. */
function waits(
  own: readonly ExchangeRow[],
  passed: readonly ExchangeRow[],
  { at, end }: Clock,
): number[] {
  const goesOn = new Map(passed.map((row) => [row.ordinal, row.startedAt]));
  return own.flatMap((row) => {
    const until = goesOn.get(row.ordinal) ?? row.endedAt;
    const to = until === null ? end : at(until);
    return to > at(row.startedAt) ? [at(row.startedAt), to] : [];
  });
}
