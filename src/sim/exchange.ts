/**
 * An exchange on its way through the chain: one request and its answer on the connections that
 * L4 relays join between two hops that read HTTP (or between app and database).
 *
 *   gateway ──exchange──► balancer ──same──► queue ──same──► web server ──another──► app
 *      parent: the exchange of edge and gateway                 parent: this one
 *
 * The sending hop makes it; the hop that reads it keeps here what it knows of it.
 */
import type { Micros } from '../model/units.ts';
import { Timeout } from './engine/lane.ts';
import type { Connection } from './net/connection.ts';
import type { ConnectionPool } from './net/connection-pool.ts';
import type { Carriers } from './spread.ts';

/** The hop that reads an exchange, as far as its timeouts need it. */
export interface Reader {
  expired(exchange: Exchange): void;
}

/** Why a request got no connection. */
export type NotGranted = 'full' | 'refused' | 'timeout' | 'acquire-timeout';

/** The hop that sends an exchange hears what becomes of it. */
export interface Asker {
  /** It has a connection, and the request is on its way. */
  sent(exchange: Exchange): void;
  notGranted(exchange: Exchange, why: NotGranted): void;
  /** The answer is there: `exchange.status`. */
  answered(exchange: Exchange): void;
  /** There will be none: the connection broke. `stale`: reused, and not a byte came back. */
  broken(exchange: Exchange, stale: boolean): void;
}

export class Exchange extends Timeout {
  readonly kind: RequestKind;
  readonly asker: Asker;
  /** The exchange for which this one is made, at the same hop; null for clients and checks. */
  readonly parent: Exchange | null;
  /** Whose request it is: of a client's attempt; 0 elsewhere. */
  client = 0;
  request = 0;
  /** Status of the answer; 0 = none yet. */
  status = 0;
  retryAfter = 0;
  /** The request says that its connection closes after the answer. */
  last = false;

  /** Notes of those who measure: when it was sent; when its sender was done with it. */
  sentAt: Micros = 0;
  doneAt: Micros = Number.POSITIVE_INFINITY;
  read = false;
  /** Whose request is at the root of it: position of the group, client; -1 = nobody's. */
  rootGroup = -1;
  rootClient = 0;
  spread: Carriers | null = null;
  /** A client's second attempt, or later. */
  again = false;

  // At the hop that sends it
  pool: ConnectionPool | null = null;
  /** Waits at the pool under this number; -1 = it does not wait. */
  waiter = -1;
  /** What the pool has granted it, until it is sent. */
  granted: Connection | null = null;
  /** The first connection that it goes out on. */
  connection: Connection | null = null;

  // At the hop that reads it
  reader: Reader | null = null;
  /** The connection on which it was read, as long as an answer can go there. */
  served: Connection | null = null;
  /** End and ordinal by which the events know it. */
  readEnd = 0;
  readOrdinal = 0;
  /** What is sent on for it. */
  upstream: Exchange | null = null;
  connectionAttempts = 0;
  responseAttempts = 1;
  staleRetried = false;
  over = false;
  /** Target chosen for it by a balancer; -1 = none. */
  target = -1;
  /** Where it is sent on to. */
  route: ConnectionPool | null = null;
  /** The next statement for it inserts. */
  insert = false;
  /** Queries still to be made. */
  left = 0;

  constructor(asker: Asker, parent: Exchange | null, kind: RequestKind) {
    super();
    this.asker = asker;
    this.parent = parent;
    this.kind = kind;
  }

  expired(): void {
    this.reader?.expired(this);
  }
}

/** What distinguishes requests from one another. */
export interface RequestKind {
  readonly post: boolean;
  readonly item: boolean;
  readonly alive: boolean;
}

export const GET_ITEM: RequestKind = { post: false, item: true, alive: false };
export const GET_NOTHING: RequestKind = { post: false, item: false, alive: false };
export const POST_ITEM: RequestKind = { post: true, item: true, alive: false };
export const ALIVE_CHECK: RequestKind = { post: false, item: false, alive: true };
