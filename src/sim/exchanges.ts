/**
 * Exchanges on their way through the chain: one request and its answer on the connections that L4
 * relays join between two hops that read HTTP (or between app and database). A row each.
 *
 *   gateway ──exchange──► balancer ──same──► queue ──same──► web server ──another──► app
 *      parent: the exchange of edge and gateway                 parent: this one
 *
 * The sending hop makes it; the hop that reads it keeps here what it knows of it.
 *
 * One whose answer has come is used again at once: it is still in the cache. One that was given up
 * may still be on somebody's list: when many have gathered, those that nobody can reach any more
 * are found, between two events (`sweep`).
 */
import { Rows } from '../policy/rows.ts';
import { LANE_WORDS } from './engine/lanes.ts';

const WORDS = 32;
/** Row `n` begins at word `n << ROW`; doubles are at half of a word's place. */
export const ROW = 5;

export const FLAGS = 0;
/** Status of the answer; 0 = none yet. */
export const STATUS = 1;
/** Who hears what becomes of it: a kind, and which one of that kind. */
export const ASKER = 2;
export const ASKER_NUMBER = 3;
/** The exchange for which this one is made, at the same hop; 0 for clients and checks. */
export const PARENT = 4;
export const POOL = 5;
/** The first connection that it goes out on. */
export const CONNECTION = 6;
/** The connection on which it was read, as long as an answer can go there. */
export const SERVED = 7;
/** What is sent on for it, and by which pool. */
export const UPSTREAM = 8;
export const ROUTE = 9;
/** The hop that reads it. */
export const READER = 10;
/** Whose request is at the root of it: position of the group and 1, client; 0 = nobody's. */
export const ROOT_GROUP = 11;
export const ROOT_CLIENT = 12;
/** What the pool has granted it, until it is sent. */
export const GRANTED = 13;
/** Doubles, notes of those who measure: when it was sent; when its sender gave it up, unread. */
export const SENT_AT = 14;
export const DONE_AT = 16;
export const LANE_COLUMN = 18;
/** In a hole of those: of an answer that says so, when to come back (s). */
export const RETRY_AFTER = 21;
/** Of the pools' policy. */
export const WAITER_COLUMN = 24;
/** The client's request whose attempt it is, and 1; 0 elsewhere. */
export const REQUEST = 28;
/** Who is followed (spread.ts); 0 = nobody. */
export const CARRIERS = 29;
/** Attempts to get a connection (the low 16 bits), and to get an answer. */
export const ATTEMPTS = 30;
/**
 * Of what is read by an app: queries still to be made; by an L7 balancer: the chosen target and 1;
 * of a query: the number of its statement.
 */
export const NOTE = 31;
const NEXT_FREE = 3;
const LAST_WORD = LANE_COLUMN + LANE_WORDS;

// Flags: first what distinguishes requests from one another
export const POST = 1 << 0;
export const ITEM = 1 << 1;
export const ALIVE = 1 << 2;
export const KIND = POST | ITEM | ALIVE;
/** The request says that its connection closes after the answer. */
export const LAST = 1 << 3;
export const OVER = 1 << 4;
export const READ = 1 << 5;
export const GIVEN_UP = 1 << 6;
export const STALE_RETRIED = 1 << 7;
/** The next statement for it inserts. */
export const INSERT = 1 << 8;
/** A client's second attempt, or later. */
export const AGAIN = 1 << 9;
/** Waits at a pool. */
export const WAITS = 1 << 10;
/** Somebody may still hear of it after its answer: it is not used again by itself. */
export const HELD = 1 << 11;
const FREE = 1 << 12;
const REACHED = 1 << 13;

/** Who hears what becomes of an exchange. */
export const Asker = { nobody: 0, client: 1, relay: 2, app: 3 } as const;
export type Asker = (typeof Asker)[keyof typeof Asker];

/** Why a request got no connection. */
export type NotGranted = 'full' | 'refused' | 'timeout' | 'acquire-timeout';

const FIRST_SWEEP = 16_384;

export class Exchanges extends Rows {
  #used = 1;
  #free = 0;
  #sweepAt = FIRST_SWEEP;

  constructor() {
    super(WORDS);
    if (LAST_WORD > WAITER_COLUMN) throw new Error('the columns of exchanges overlap');
  }

  /** `kind`: of its request, as flags. */
  take(asker: Asker, askerNumber: number, parent: number, kind: number): number {
    let exchange = this.#free;
    if (exchange !== 0) this.#free = this.ints[(exchange << ROW) | NEXT_FREE] ?? 0;
    else {
      exchange = this.#used;
      this.#used += 1;
      this.room(exchange);
    }
    const { ints } = this;
    const row = exchange << ROW;
    ints[row] = kind;
    ints[row | STATUS] = 0;
    ints[row | ASKER] = asker;
    ints[row | ASKER_NUMBER] = askerNumber;
    ints[row | PARENT] = parent;
    ints[row | CONNECTION] = 0;
    ints[row | SERVED] = 0;
    ints[row | UPSTREAM] = 0;
    ints[row | ROOT_GROUP] = 0;
    ints[row | GRANTED] = 0;
    ints[row | REQUEST] = 0;
    ints[row | CARRIERS] = 0;
    ints[row | ATTEMPTS] = 1 << 16;
    ints[row | NOTE] = 0;
    ints[row | RETRY_AFTER] = 0;
    ints[row | LANE_COLUMN] = 0;
    return exchange;
  }

  /** Its answer has come to who sent it, and nobody else waits for anything. */
  give(exchange: number): void {
    const row = exchange << ROW;
    if (((this.ints[row] ?? 0) & HELD) !== 0) return;
    this.ints[row] = FREE;
    this.ints[row | NEXT_FREE] = this.#free;
    this.#free = exchange;
  }

  has(exchange: number, flag: number): boolean {
    return ((this.ints[exchange << ROW] ?? 0) & flag) !== 0;
  }

  set(exchange: number, flag: number): void {
    this.ints[exchange << ROW] = (this.ints[exchange << ROW] ?? 0) | flag;
  }

  unset(exchange: number, flag: number): void {
    this.ints[exchange << ROW] = (this.ints[exchange << ROW] ?? 0) & ~flag;
  }

  get(exchange: number, column: number): number {
    return this.ints[(exchange << ROW) | column] ?? 0;
  }

  put(exchange: number, column: number, value: number): void {
    this.ints[(exchange << ROW) | column] = value;
  }

  /** A double. */
  getTime(exchange: number, column: number): number {
    return this.doubles[((exchange << ROW) | column) >> 1] ?? 0;
  }

  putTime(exchange: number, column: number, value: number): void {
    this.doubles[((exchange << ROW) | column) >> 1] = value;
  }

  /** So many have gathered that it is worth looking for those that nobody can reach. */
  get isFull(): boolean {
    return this.#free === 0 && this.#used > this.#sweepAt;
  }

  /**
   * Gives back what nobody can reach: `roots` calls with whatever somebody knows. Between events
   * only, because within one the work in hand knows some, too.
   */
  sweep(roots: (reach: (exchange: number) => void) => void): void {
    roots((exchange) => this.#reach(exchange));
    for (let exchange = 1; exchange < this.#used; exchange++) {
      const isTimed = this.get(exchange, LANE_COLUMN) !== 0;
      if (!this.has(exchange, FREE) && (isTimed || this.has(exchange, HELD | WAITS))) {
        this.#reach(exchange);
      }
    }
    let kept = 0;
    for (let exchange = 1; exchange < this.#used; exchange++) {
      if (this.has(exchange, REACHED)) {
        this.unset(exchange, REACHED);
        kept += 1;
      } else if (!this.has(exchange, FREE)) this.give(exchange);
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, 2 * kept);
  }

  /** It, whoever is to hear of it, and what they have sent on. */
  #reach(exchange: number): void {
    for (let one = exchange; one !== 0 && !this.has(one, REACHED); one = this.get(one, PARENT)) {
      this.set(one, REACHED);
      const upstream = this.get(one, UPSTREAM);
      if (upstream !== 0) this.set(upstream, REACHED);
    }
  }
}
