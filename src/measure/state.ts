/**
 * What the fold keeps while something is still open: ends, connections, chains, exchanges.
 *
 *   L7 hop            L4 relay             L4 relay            L7 hop
 *   connector ═conn═ acceptor┄pair┄connector ═conn═ acceptor┄pair┄connector ═conn═ acceptor
 *       D     └──────────────────────── one Chain ─────────────────────────────────┘  U
 *
 * A *chain* is the stretch of connections that L4 relays join end to end. Only its outermost
 * ends frame requests: D, the downstream one, and U, the upstream one. Exchange n at D is
 * exchange n at U and exchange n on every connection between, because relays neither reorder
 * nor mix bytes. Between two L7 hops a chain is a single connection.
 *
 * Times are µs; NEVER where something has not happened (so that fields stay plain numbers).
 */
import type { LinkShape } from './shape.ts';

export const NEVER = -1;

export const EndState = { connecting: 0, open: 1, closed: 2 } as const;
export type EndState = (typeof EndState)[keyof typeof EndState];

/** One side of one TCP connection, as its process reported it. */
export class End {
  readonly process: number;
  readonly number: number;
  readonly instance: number;
  readonly link: LinkShape;
  readonly acceptor: boolean;
  /** Frames requests here (else only relays bytes). */
  readonly l7: boolean;
  state: EndState = EndState.connecting;
  /** When its connect began; NEVER for an accepted one. */
  startedAt = NEVER;
  openedAt = NEVER;
  closedAt = NEVER;
  cause = 0;
  bytesIn = 0;
  bytesOut = 0;
  local = 0;
  remote = 0;
  connection: Connection | null = null;
  /** The other end of the L4 relay that this end belongs to. */
  pair: End | null = null;
  /** Ordinal of the latest exchange begun here, and how many are in flight. */
  ordinal = 0;
  inFlight = 0;
  slot = 0;
  everActive = false;
  /** Exchanges in flight and slot state by its census row; NEVER = it had none. */
  census = NEVER;
  censusSlot = NEVER;
  /** Its process died; what we know of its end comes from the peer. */
  died = false;
  /** Exchanges begun before the connection was up. */
  early: Exchange[] | null = null;
  /** Time books of a connection at a queue; null elsewhere. */
  slotBook: SlotBook | null = null;

  constructor(process: number, number: number, instance: number, link: LinkShape, side: Side) {
    this.process = process;
    this.number = number;
    this.instance = instance;
    this.link = link;
    this.acceptor = side === 'acceptor';
    this.l7 = this.acceptor ? link.acceptorL7 : link.connectorL7;
  }

  get chain(): Chain | null {
    return this.connection === null ? null : this.connection.chain;
  }
}

export type Side = 'connector' | 'acceptor';

/** Times of one connection at a queue, µs, settled up to `settledAt`. */
export class SlotBook {
  settledAt = NEVER;
  activeSince = NEVER;
  slotTime = 0;
  busyTime = 0;
  waitedMax = 0;
  busy = false;
  waiting = false;
  starved = false;
  /** The queue itself tells what is in flight through it (`EventKind.passing`). */
  told = false;
  /** What it told last, and whether its slot has let that through. */
  asked: Exchange | null = null;
  passed = false;
}

/** One TCP connection: two ends, or one where the other is foreign. */
export class Connection {
  readonly id: number;
  readonly link: LinkShape;
  connector: End | null = null;
  acceptor: End | null = null;
  chain: Chain;
  /** Own ends that are open now. */
  openEnds = 0;
  exchanges = 0;
  /** On the clients' link: connections that carried its requests, by link. */
  carriedBy: Map<number, Set<number>> | null = null;
  /** Exchanges alive whose root is on this connection; its books close after the last one. */
  descendants = 0;
  finished = false;

  constructor(id: number, link: LinkShape) {
    this.id = id;
    this.link = link;
    this.chain = new Chain(this);
  }
}

/** Connections joined by L4 relays, from downstream to upstream. */
export class Chain {
  readonly connections: Connection[];
  /** Exchanges that something may still happen to. */
  exchanges: Exchange[] = [];
  /** Accepted ends at connection queues, from downstream to upstream. */
  queueEnds: End[] = [];
  finished = false;

  constructor(first: Connection) {
    this.connections = [first];
  }

  get first(): Connection {
    return this.connections[0] as Connection;
  }

  get last(): Connection {
    return this.connections[this.connections.length - 1] as Connection;
  }

  /** The end at the downstream L7 hop, if it is ours and was seen. */
  get downstreamEnd(): End | null {
    const { connector } = this.first;
    return connector?.l7 ? connector : null;
  }

  get upstreamEnd(): End | null {
    const { acceptor } = this.last;
    return acceptor?.l7 ? acceptor : null;
  }

  /** Whether the downstream L7 hop is ours, so that its side of an exchange will be told. */
  get expectsDownstream(): boolean {
    return this.first.link.connectorL7 && this.first.link.connectorOwn;
  }

  /** The same of the upstream L7 hop; true also while a relay has not yet opened the way to it. */
  get expectsUpstream(): boolean {
    const { link } = this.last;
    return !link.acceptorL7 || link.acceptorOwn;
  }

  find(ordinal: number): Exchange | null {
    for (const exchange of this.exchanges) if (exchange.ordinal === ordinal) return exchange;
    return null;
  }
}

/** The request of a client that an exchange serves, however many hops later. */
export class Root {
  readonly group: string;
  /** NEVER for external clients, of whom only the connection is known. */
  readonly client: number;
  readonly request: number;
  readonly attempt: number;
  /** An end of the connection on the clients' own link. */
  readonly end: End;

  constructor(group: string, client: number, request: number, attempt: number, end: End) {
    this.group = group;
    this.client = client;
    this.request = request;
    this.attempt = attempt;
    this.end = end;
  }
}

/** One exchange on one chain, as its two L7 ends told it. */
export class Exchange {
  readonly ordinal: number;
  /** At the downstream end. */
  sentAt = NEVER;
  doneAt = NEVER;
  doneStatus = 0;
  doneFailure = 0;
  /** At the upstream end. */
  readAt = NEVER;
  answeredAt = NEVER;
  answeredStatus = 0;
  answeredFailure = 0;
  /** Bit i: queue i of the chain gave its connection a slot while the request was on its way. */
  granted = 0;
  grantedAt = NEVER;
  root: Root | null = null;
  /** `root`'s connection counts this exchange among its descendants. */
  counted = false;
  parentEnd: End | null = null;
  /** The end that its parent is on, until the parent is found. */
  orphanOf: { readonly process: number; readonly end: number } | null = null;
  parentOrdinal = 0;

  constructor(ordinal: number) {
    this.ordinal = ordinal;
  }

  get inFlightDownstream(): boolean {
    return this.sentAt !== NEVER && this.doneAt === NEVER;
  }

  get inFlightUpstream(): boolean {
    return this.readAt !== NEVER && this.answeredAt === NEVER;
  }
}
