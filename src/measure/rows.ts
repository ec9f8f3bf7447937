/**
 * The rows that measuring hands out: connections, exchanges and per-second values, each a flat
 * object of numbers and short strings, so that they go into Parquet columns as they are.
 *
 * null always means "cannot be known from this input" or "does not apply", never zero. Times
 * are µs on the events' clock. A row is handed out once, when nothing more can change it: a
 * connection when everything it is relayed to has closed, an exchange when both of its ends
 * have answered or its connection is gone, the rest at the strike. So rows come in order of
 * completion, not of time.
 */
import type { CloseCause } from '../model/close-cause.ts';
import type { ExchangeFailure } from '../model/event.ts';
import type { Micros } from '../model/units.ts';

/**
 * How a connection stood at the strike. `failed`: the connect never succeeded (not counted as
 * opened). `unaccounted`: neither closed by an event nor found among the live sockets.
 */
export type ConnectionOutcome = 'closed' | 'open' | 'failed' | 'unaccounted';

/** One TCP connection, both ends joined. */
export interface ConnectionRow {
  /** Unique in the run, from 1, in the order in which connections were first seen. */
  readonly connection: number;
  /** Index into `RunPlan.links`. */
  readonly link: number;
  /** Index into `RunPlan.instances`; null where that end is foreign or was never seen. */
  readonly connectorInstance: number | null;
  readonly acceptorInstance: number | null;
  /** Packed as in `model/event.ts`; null where no end of ours told. */
  readonly connectorAddress: number | null;
  readonly acceptorAddress: number | null;
  readonly openedAt: Micros | null;
  /** When its last end closed; null while open. */
  readonly closedAt: Micros | null;
  /** The cause of the end that decided, looked up through L4 relays; null while open. */
  readonly closedBy: CloseCause | null;
  readonly outcome: ConnectionOutcome;
  /** Bytes toward the database, and toward the client. */
  readonly bytesUp: number | null;
  readonly bytesDown: number | null;
  /** Exchanges that reached this connection. */
  readonly exchanges: number | null;
  /** The connection that an L4 relay joined it to: on the next link, and on the former. */
  readonly upstreamConnection: number | null;
  readonly downstreamConnection: number | null;
  /** At a connection queue: time with a slot, and of that with an exchange in flight. */
  readonly slotTime: Micros | null;
  readonly slotBusyTime: Micros | null;
  /** At a connection queue: longest time that a request waited for the slot. */
  readonly waitedMax: Micros | null;
}

/**
 * One request and its response on one connection. An exchange that goes through L4 relays has
 * a row for each link that it reached.
 */
export interface ExchangeRow {
  readonly link: number;
  readonly connection: number;
  /** From 1 on each connection. */
  readonly ordinal: number;
  /** The request was handed to this link (after a queue: when its connection had a slot). */
  readonly startedAt: Micros;
  /** The request's head was read at the nearest upstream L7 end. */
  readonly readAt: Micros | null;
  /** The nearest upstream L7 end was done with it. */
  readonly answeredAt: Micros | null;
  /** The nearest downstream L7 end was done with it; where that is foreign, equal to answeredAt. */
  readonly endedAt: Micros | null;
  /**
   * As the nearest downstream L7 end saw it, else the upstream one; 0 = no answer, null = in
   * flight.
   */
  readonly status: number | null;
  /** Why there was no complete answer; null = there was one, or in flight. */
  readonly failure: ExchangeFailure | null;
  /** The exchange that caused this one, on the link before. */
  readonly parentLink: number | null;
  readonly parentConnection: number | null;
  readonly parentOrdinal: number | null;
  /** Name of the clients hop at the root, and which request of which client it is. */
  readonly clientGroup: string | null;
  readonly client: number | null;
  readonly request: number | null;
  /** From 1; retries are further attempts of the same request. */
  readonly attempt: number | null;
  /** The connection on the clients' own link; null where the root is unknown. */
  readonly clientConnection: number | null;
}

/**
 * One value of one series. `scope` is `link:apigw->nlb`, `hop:queue`, `host:ec2#3` or
 * `clients:mobile`; the measures of each scope are listed in `series.ts`.
 */
export interface SecondRow {
  /** Whole seconds since the start of the load; negative before it. */
  readonly second: number;
  readonly scope: string;
  readonly measure: string;
  readonly value: number | null;
}

/** A connection's slot at a queue changed. */
export interface SlotRow {
  readonly connection: number;
  readonly at: Micros;
  /** As `SlotState` in `model/event.ts`; 0 = the connection is gone. */
  readonly state: number;
}

/** Where rows go. Every callback may be left out. */
export interface RowSinks {
  onConnection?(row: ConnectionRow): void;
  onExchange?(row: ExchangeRow): void;
  onSecond?(row: SecondRow): void;
  /** As they happen, in the order of time. */
  onSlot?(row: SlotRow): void;
}
