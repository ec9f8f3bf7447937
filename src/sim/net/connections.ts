/**
 * TCP connections as both of their ends have them: a row each, known by its number.
 *
 *   connector (downstream)                       acceptor (upstream)
 *     connecting ──► up ──FIN, RST, data──►        accepted
 *     gone ◄── close, reset                        gone ◄── close, reset
 *
 * The network moves what is sent from one side to the other; each side's hop keeps its notes in
 * columns of the row, and so do the policies (policy/rows.ts). Words lie in the order in which a
 * request needs them, 16 to a line of memory: the first line for every request, the second for
 * pools and keep-alive, the third for queues; of the fourth only opening and closing know. Numbers
 * of connections and exchanges begin at 1, so that 0 says that there is none.
 *
 * A row is used again, in a later instant than its connection went, when nobody can ask for it any
 * more: both sockets are gone, nothing is on its way, and so it is with those that relays have
 * joined to it, which are asked for the cause of its closing (root-cause.ts).
 */
import { POOL_CONNECTION_SPARE } from '../../policy/pools.ts';
import { Rows } from '../../policy/rows.ts';
import type { Engine } from '../engine/engine.ts';

const WORDS = 64;
/** Row `n` begins at word `n << ROW`; doubles are at half of a word's place. */
export const ROW = 6;

export const FLAGS = 0;
/** Where it was accepted, or is to be (place.ts). */
export const LISTENER = 1;
/** Who connected: its pool, or FLOW or PROBE. */
export const CONNECTOR = 2;
/** In flight as the sending hop sees it, and as the reading hop does. */
export const EXCHANGE = 3;
export const SERVED = 4;
/** Cause code for which the acceptor's present answer is the last; 0 = it is not. */
export const LAST_CAUSE = 5;
/** Exchanges sent so far, and those read. */
export const ORDINAL = 6;
export const SERVED_ORDINAL = 7;
/** Node, location or target that the acceptor chose for it, and 1; 0 = none. */
export const CHOICE = 8;
/** At the relay that opened it: for which one; at the one that accepted it: what it opened. */
export const BELOW = 9;
export const ABOVE = 10;
/** Slot state as it was told last. */
export const SLOT = 11;
/** At a queue: the request in flight on it. */
export const ASKED = 12;
/** What came from the client and was not passed on, read or not. */
export const KEPT = 13;
/** A double: when bytes of it moved last, at a balancer. */
export const LAST_MOVED = 14;

/** Columns of the policies, and where a free row has the next. */
export const POOL_COLUMN = 16;
/** Which rules its pool has (connection-pools.ts). */
export const POOL_RULES = POOL_COLUMN + POOL_CONNECTION_SPARE;
export const KEEP_ALIVE_COLUMN = 24;
export const QUEUE_COLUMN = 32;
const NEXT_FREE = 3;

/** The replica that connected. */
export const PLACE = 48;
/** Numbers of its ends among the events. */
export const CONNECTOR_END = 49;
export const ACCEPTOR_END = 50;
/** Its places among the live sockets of either side (place.ts). */
export const CONNECTING_INDEX = 51;
export const ACCEPTED_INDEX = 52;
/** The cause of the end that decided to close it, and what its ends saw otherwise, and 1. */
export const DECIDED_BY = 53;
export const SEEN_CAUSE = 54;
/** Statements prepared on it: a bit each. */
export const PREPARED = 55;
/** What is on its way on it. */
const IN_TRANSIT = 56;
/** How often the row was used. */
export const STAMP = 57;
/** Doubles. */
export const ADDRESS = 58;
export const OPENED_AT = 60;
export const DECIDED_AT = 62;

/** Connectors that are no pool. */
export const FLOW = -1;
export const PROBE = -2;

// Flags
export const CONNECTOR_OPEN = 1 << 0;
export const ACCEPTOR_OPEN = 1 << 1;
/** The FIN of that side has been sent (or its RST). */
export const CONNECTOR_FIN = 1 << 2;
export const ACCEPTOR_FIN = 1 << 3;
/** The connector's connect has succeeded. */
export const UP = 1 << 4;
/** The acceptor reads its socket: else FIN, RST and data wait in the kernel. */
export const READING = 1 << 5;
export const GATED = 1 << 6;
/** It was counted as opened; the acceptor's socket has come and gone. */
export const COUNTED = 1 << 7;
export const ACCEPTOR_GONE = 1 << 8;
/** Its connector sent RST: no TIME_WAIT follows. */
export const CONNECTOR_RESET = 1 << 9;
/** At a queue: the request has passed, is served, waits; one of its has waited too long. */
export const PASSED = 1 << 10;
export const BUSY = 1 << 11;
export const WAITING = 1 << 12;
export const STARVED = 1 << 13;
/** A database let it in: as the connector knows, and as the database does. */
export const GREETED = 1 << 14;
export const LET_IN = 1 << 15;
export const FIN_WAITS = 1 << 16;
export const RST_WAITS = 1 << 17;
/** It is a flow of the relay that accepted it; it is served by the hop that did. */
export const IN_FLOWS = 1 << 18;
export const KEPT_ALIVE = 1 << 19;
/** Its pool knows it still. */
export const POOLED = 1 << 20;
/** What became of the acceptor before the connector knew that it is up. */
export const EARLY_FIN = 1 << 21;
export const EARLY_RST = 1 << 22;
/** Somebody follows what carries its requests (spread.ts). */
export const FOLLOWED = 1 << 23;
const DEAD = 1 << 24;

export class Connections extends Rows {
  readonly #engine: Engine;
  /** Called with the number of a row that is about to be used again. */
  readonly #forget: (connection: number) => void;
  #used = 1;
  #free = 0;
  /** Those that went in the instant `#goneAt`: whoever is at work still looks at them. */
  readonly #gone: number[] = [];
  #goneAt = 0.5;

  constructor(engine: Engine, forget: (connection: number) => void) {
    super(WORDS);
    this.#engine = engine;
    this.#forget = forget;
    this.#goneAt = 0;
  }

  /** Rows that were ever used are those before this one. */
  get end(): number {
    return this.#used;
  }

  /** A number for a connection that begins. */
  take(): number {
    if (this.#gone.length > 0 && this.#engine.now > this.#goneAt) this.#release();
    let connection = this.#free;
    if (connection !== 0) this.#free = this.ints[(connection << ROW) | NEXT_FREE] ?? 0;
    else {
      connection = this.#used;
      this.#used += 1;
      this.room(connection);
    }
    const stamp = this.get(connection, STAMP);
    this.clear(connection);
    this.put(connection, STAMP, (stamp + 1) | 0);
    return connection;
  }

  /** A number that was not used for a connection after all. */
  giveBack(connection: number): void {
    this.#give(connection);
  }

  has(connection: number, flag: number): boolean {
    return ((this.ints[connection << ROW] ?? 0) & flag) !== 0;
  }

  set(connection: number, flag: number): void {
    this.ints[connection << ROW] = (this.ints[connection << ROW] ?? 0) | flag;
  }

  unset(connection: number, flag: number): void {
    this.ints[connection << ROW] = (this.ints[connection << ROW] ?? 0) & ~flag;
  }

  get(connection: number, column: number): number {
    return this.ints[(connection << ROW) | column] ?? 0;
  }

  put(connection: number, column: number, value: number): void {
    this.ints[(connection << ROW) | column] = value;
  }

  /** A double. */
  getTime(connection: number, column: number): number {
    return this.doubles[((connection << ROW) | column) >> 1] ?? 0;
  }

  putTime(connection: number, column: number, value: number): void {
    this.doubles[((connection << ROW) | column) >> 1] = value;
  }

  /** Exchanges that live connections know. */
  reach(reach: (exchange: number) => void): void {
    for (let connection = 1; connection < this.#used; connection++) {
      if (!this.has(connection, CONNECTOR_OPEN | ACCEPTOR_OPEN)) continue;
      for (const column of [EXCHANGE, SERVED, ASKED, KEPT]) {
        const exchange = this.get(connection, column);
        if (exchange !== 0) reach(exchange);
      }
    }
  }

  /** Something sets out on it, or a timer looks at it. */
  departs(connection: number): void {
    this.put(connection, IN_TRANSIT, this.get(connection, IN_TRANSIT) + 1);
  }

  arrives(connection: number): void {
    this.put(connection, IN_TRANSIT, this.get(connection, IN_TRANSIT) - 1);
    if (this.has(connection, DEAD)) this.#bury(connection);
  }

  /** Both of its sockets are gone. */
  over(connection: number): void {
    this.set(connection, DEAD);
    const row = connection << ROW;
    if (this.ints[row | BELOW] === 0 && this.ints[row | ABOVE] === 0) {
      if (this.ints[row | IN_TRANSIT] === 0) this.#give(connection);
    } else this.#bury(connection);
  }

  /** Gives back all that are joined, if all of them are over. */
  #bury(connection: number): void {
    let lowest = connection;
    for (let one = connection; one !== 0; one = this.get(one, BELOW)) lowest = one;
    for (let one = lowest; one !== 0; one = this.get(one, ABOVE)) {
      if (!this.has(one, DEAD) || this.get(one, IN_TRANSIT) !== 0) return;
    }
    for (let one = lowest; one !== 0; ) {
      const above = this.get(one, ABOVE);
      this.#give(one);
      one = above;
    }
  }

  #give(connection: number): void {
    if (this.#gone.length > 0 && this.#engine.now > this.#goneAt) this.#release();
    this.#goneAt = this.#engine.now;
    this.unset(connection, DEAD);
    this.#gone.push(connection);
  }

  #release(): void {
    for (let gone = this.#gone.pop(); gone !== undefined; gone = this.#gone.pop()) {
      this.#forget(gone);
      this.put(gone, NEXT_FREE, this.#free);
      this.#free = gone;
    }
  }
}
