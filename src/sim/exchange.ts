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
import type { LoadRequest } from './load/load-request.ts';
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

/** A number that nobody who waits has. */
export const NOT_WAITING = -1;
const NOBODY: Asker = { sent() {}, notGranted() {}, answered() {}, broken() {} };

/**
 * Fields in the order in which a request needs them: what is read together lies together. Times
 * begin as fractions, because a field that has only ever held small integers is of another kind
 * to the engine, and would change it for all exchanges after half an hour.
 */
export class Exchange extends Timeout {
  asker: Asker = NOBODY;
  /** The exchange for which this one is made, at the same hop; null for clients and checks. */
  parent: Exchange | null = null;
  kind: RequestKind = GET_NOTHING;
  /** Status of the answer; 0 = none yet. */
  status = 0;
  /** The request says that its connection closes after the answer. */
  last = false;
  over = false;
  read = false;
  /** Somebody may still hear of it after its answer: it is not used again. */
  kept = false;

  // At the hop that sends it
  pool: ConnectionPool | null = null;
  /** Waits at the pool under this number. */
  waiter = NOT_WAITING;
  /** The first connection that it goes out on. */
  connection: Connection | null = null;

  // At the hop that reads it
  reader: Reader | null = null;
  /** The connection on which it was read, as long as an answer can go there. */
  served: Connection | null = null;
  /** What is sent on for it. */
  upstream: Exchange | null = null;
  /** Where it is sent on to. */
  route: ConnectionPool | null = null;

  /** Notes of those who measure: when it was sent; when its sender gave it up, unread. */
  sentAt: Micros = 0.5;
  doneAt: Micros = 0.5;
  givenUp = false;
  /** Whose request is at the root of it: position of the group, client; -1 = nobody's. */
  rootGroup = -1;
  rootClient = 0;
  spread: Carriers | null = null;
  /** A client's second attempt, or later. */
  again = false;

  connectionAttempts = 0;
  responseAttempts = 1;
  staleRetried = false;
  /** Queries still to be made. */
  left = 0;
  /** The next statement for it inserts. */
  insert = false;
  /** Number of the statement that it executes, of a query. */
  statement = 0;
  /** Target chosen for it by a balancer; -1 = none. */
  target = -1;
  retryAfter = 0;
  /** What the pool has granted it, until it is sent. */
  granted: Connection | null = null;
  /** End and ordinal by which the events know it. */
  readEnd = 0;
  readOrdinal = 0;
  /** Whose request it is: of a client's attempt; 0 elsewhere. */
  client = 0;
  request = 0;
  /** Of a client's attempt. */
  load: LoadRequest | null = null;

  expired(): void {
    this.reader?.expired(this);
  }

  /** As if it were new. */
  begin(asker: Asker, parent: Exchange | null, kind: RequestKind): void {
    this.asker = asker;
    this.parent = parent;
    this.kind = kind;
    this.status = 0;
    this.last = false;
    this.over = false;
    this.read = false;
    this.connection = null;
    this.reader = null;
    this.served = null;
    this.upstream = null;
    this.givenUp = false;
    this.rootGroup = -1;
    this.spread = null;
    this.connectionAttempts = 0;
    this.responseAttempts = 1;
    this.staleRetried = false;
    this.insert = false;
    this.target = -1;
    this.retryAfter = 0;
    this.client = 0;
    this.load = null;
  }
}

/**
 * Exchanges are used again: the next request takes what the last one left in the cache. One that
 * was given up may still be on somebody's list, and is left to the garbage collector.
 */
export class Exchanges {
  readonly #free: Exchange[] = [];

  take(asker: Asker, parent: Exchange | null, kind: RequestKind): Exchange {
    const exchange = this.#free.pop() ?? new Exchange();
    exchange.begin(asker, parent, kind);
    return exchange;
  }

  /** Its answer has come to who sent it, and nobody else waits for anything. */
  give(exchange: Exchange): void {
    if (!exchange.kept) this.#free.push(exchange);
  }
}
