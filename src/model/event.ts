/**
 * ConnectionEvent: the one stream that both engines and every capture reader produce, and the
 * only thing that measures, findings, diagrams and reports read.
 *
 * An event is a row of numbers (see `stream/columns.ts`), because an object per event costs
 * fifteen times more:
 *
 *   at        µs on the machine's monotonic clock, shared by all processes
 *   kind      EventKind
 *   instance  index into `RunPlan.instances`: which replica of which hop reports
 *   end       number of the connection end in its process, from 1; 0 = not about a connection
 *   exchange  ordinal of the exchange on that end, from 1; 0 = not about an exchange
 *   a, b, c   payload, by kind (below)
 *
 * Every process numbers its events from 0 without gaps (`sequence`, implicit in a segment's
 * first number and the row's index), so a lost event is always visible. An *end* is one side of
 * one TCP connection; the ledger joins two ends into a connection by 4-tuple and incarnation.
 *
 * Life of an end:
 *
 *   connector:  connectStarted ── connected ──┐                   ┌── closed
 *   acceptor:                     accepted  ──┴─ exchanges, slot ─┘   (or census at the strike)
 *
 * An address is packed into one number: IPv4 as an unsigned 32-bit integer x 65536 + port.
 */
export const EventKind = {
  /** A connect was issued. a = remote address, c = link. */
  connectStarted: 1,
  /** The connect succeeded. a = local address, b = remote address, c = link. */
  connected: 2,
  /**
   * A connection was accepted. a = local address, b = remote address (0 = reset before it could be
   * read), c = link.
   */
  accepted: 3,
  /** This end's socket is gone. a = CloseCause code, b = bytes received, c = bytes sent. */
  closed: 4,
  /** Slot state of a connection that a queue accepted changed. a = SlotState. */
  slot: 5,
  /** An L4 relay (balancer, queue) opened the upstream end `a` for the downstream end `end`. */
  paired: 6,
  /**
   * An exchange began on this end. Connector: the request is handed to the socket; acceptor: its
   * head has been read. Says whose request it carries (the parent):
   *   c = 0: nobody's (health checks, external clients);
   *   c = 1: a = end, b = exchange: the downstream exchange at the same hop (L7 relays, app ->
   *     database);
   *   c = 2: a = client number in this instance's group, b = request number of that client
   *     (clients only);
   *   c = 3 + p: a = end, b = exchange of process p, learned from a `traceparent` header (behind
   *     foreign hops).
   */
  exchangeStarted: 7,
  /**
   * The exchange is over on this end. a = status (HTTP status; databases 200 or 500; 0 = no
   * answer), b = ExchangeFailure code (0 = none).
   */
  exchangeEnded: 8,
  /**
   * A client wants an answer. a = client number, b = request number (from 1 per client), c =
   * intended start (µs, same clock).
   */
  requestSent: 9,
  /**
   * The client is done with it. a = client number, b = request number, c = status, or
   * -(ExchangeFailure code).
   */
  requestDone: 10,
  /** A balancer's view of a target changed. a = target instance, b = 1 healthy, 0 unhealthy. */
  health: 11,
  /** Something happened that charts should show. a = index into RunInfo.marks. */
  mark: 12,
  /**
   * At the strike, one per live socket, from the sockets themselves. a = exchanges in flight, b =
   * SlotState.
   */
  census: 13,
  /** At the strike, one per instance, after its census rows. a = live sockets counted. */
  censusDone: 14,
  /** Events were lost before this row (recorder slower than events). a = how many. */
  lost: 15,
  /**
   * The service of an app or a database took or finished a piece of work, or let one wait.
   * a = pieces being served now, b = pieces that wait, c = µs since it was really over (a live
   * engine's timers are late, its books of who is busy since when are not).
   */
  station: 16,
  /**
   * The simulator only, whose links may delay: the request of a client has come as far as this
   * queue, or is there no more; a = Passing. A connection of which this is told (it begins with
   * `answered`) is busy by it, not by what the sending hop knows.
   */
  passing: 17,
} as const;

export const Passing = {
  /** Nothing of its client is at the queue. */
  answered: 0,
  asked: 1,
  /** The client has gone. */
  left: 2,
} as const;

export type EventKind = (typeof EventKind)[keyof typeof EventKind];

export const EVENT_KIND_NAMES: readonly string[] = [
  '',
  ...Object.entries(EventKind)
    .sort((x, y) => x[1] - y[1])
    .map(([name]) => name),
];

/** Slot states of a connection at a queue. 0 = the end is not at a queue. */
export const SlotState = { none: 0, held: 1, active: 2, yielded: 3 } as const;
export type SlotState = (typeof SlotState)[keyof typeof SlotState];

/** Why an exchange (or a client's request) got no complete answer. Index = code. */
export const EXCHANGE_FAILURES = [
  'none',
  'timeout',
  'reset',
  'refused',
  'aborted',
  'protocol_error',
  'no_connection',
  'shutdown',
] as const;
export type ExchangeFailure = (typeof EXCHANGE_FAILURES)[number];

export function exchangeFailureCode(failure: ExchangeFailure): number {
  return EXCHANGE_FAILURES.indexOf(failure);
}

export const PARENT_NONE = 0;
export const PARENT_SAME_HOP = 1;
export const PARENT_CLIENT = 2;
/** c = PARENT_REMOTE + process number. */
export const PARENT_REMOTE = 3;

/** Packs an IPv4 address and port into one integer below 2^48; 0 for what is not IPv4. */
export function packAddress(address: string, port: number): number {
  const v4 = address.startsWith('::ffff:') ? address.slice(7) : address;
  const parts = v4.split('.');
  if (parts.length !== 4) return 0;
  let ip = 0;
  for (const part of parts) ip = ip * 256 + Number(part);
  return ip * 65_536 + port;
}

export function unpackAddress(packed: number): string {
  const port = packed % 65_536;
  const ip = (packed - port) / 65_536;
  return `${(ip / 2 ** 24) & 255}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}:${port}`;
}
