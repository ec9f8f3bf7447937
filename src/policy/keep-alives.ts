/**
 * KeepAlives: how long server sides keep their client connections, in nginx's three settings
 * (ngx_http_core_module): `keepalive_timeout` (idle), `keepalive_requests` and `keepalive_time`.
 *
 *   opened ──► waiting ──requestStarted──► busy ──responseEnded──► waiting ──► closing ──► gone
 *                                           │                        idle_timeout   closed
 *                                           ▼
 *                 lastRequest ("Connection: close"): request number keepAliveRequests,
 *                 or one that starts when the connection is keepAliveTime old
 *
 * A connection that never sent a request is idle from its opening (nginx applies
 * `client_header_timeout` there; the same figure is used here). A timeout of 0 means never;
 * nginx's `keepalive_timeout 0` (close after each response) is `keepAliveRequests` 1 here.
 * Timeouts are equal for all connections of a server, so a list in order of idling and one
 * wake-up do.
 *
 * Many servers are one machine: what is known of a connection are KEEP_ALIVE_WORDS of its row in
 * a table of somebody else's, what is known of a server is a row here. A connection belongs to
 * the server that it was opened for until it is closed there; then its number may be anybody's.
 * For one server with a table of its own there is `KeepAlive`.
 * Budget: O(1) per input, no allocation.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { Micros } from '../model/units.ts';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

export interface KeepAliveSettings {
  /** 0 = never. */
  readonly keepAliveTimeout: Micros;
  /** 0 = without limit. */
  readonly keepAliveRequests: number;
  /** 0 = without limit. */
  readonly keepAliveTime: Micros;
}

export interface KeepAlivesPort {
  /** Answer the present request with `Connection: close`; `causeCode` says why it will close. */
  lastRequest(server: number, connection: number, causeCode: number): void;
  /** Close an idle connection. */
  close(server: number, connection: number, causeCode: number): void;
  /** Ask for `wake` of this server (`WakePort`). */
  wakeAt(server: number, at: number): void;
}

const MAX_REQUESTS = closeCauseCode('max_requests');
const MAX_AGE = closeCauseCode('max_age');
const IDLE_TIMEOUT = closeCauseCode('idle_timeout');

/** What a connection's row has to have for this machine, from an even column on. */
export const KEEP_ALIVE_WORDS = 8;
/** Words of a connection, behind its state; then doubles, behind half of that. */
const REQUESTS = 1;
const IDLE_LINKS = 2;
const OPENED_AT = 2;
const IDLE_SINCE = 3;

/** Words of a server; then its doubles. */
const SERVER_WORDS = 16;
const IDLE = 0;
const OPEN = 3;
const WAKE_AT = 2;
const TIMEOUT = 3;
const REQUESTS_MAX = 4;
const TIME_MAX = 5;

const State = { gone: 0, waiting: 1, busy: 2, closing: 3 } as const;
const NEVER = Number.POSITIVE_INFINITY;

export class KeepAlives {
  readonly #port: KeepAlivesPort;
  readonly #connections: Rows;
  readonly #column: number = 0;
  readonly #servers = new Rows(SERVER_WORDS);
  /** Of each server, the longest idle first. */
  readonly #idle: RowList;
  #count = 0;

  /** Its words are those from `column` on, an even one, of the row of each connection. */
  constructor(port: KeepAlivesPort, connections: Rows, column: number) {
    this.#port = port;
    this.#connections = connections;
    this.#column = column;
    this.#idle = new RowList(connections, column + IDLE_LINKS, this.#servers, IDLE);
  }

  /** The number of a new server. */
  add(settings: KeepAliveSettings): number {
    const server = this.#count++;
    this.#servers.room(server);
    const { doubles, shift } = this.#servers;
    doubles[(server << (shift - 1)) | WAKE_AT] = NEVER;
    this.#set(server, settings);
    return server;
  }

  /** Its number may be in use no longer; throws if it is. */
  opened(server: number, now: number, connection: number): void {
    this.#connections.room(connection);
    const { ints, doubles, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    if (ints[row] !== State.gone) throw new Error(`connection ${connection} is open already`);
    ints[row + REQUESTS] = 0;
    ints[row + IDLE_LINKS] = 0;
    doubles[(row >> 1) + OPENED_AT] = now;
    this.#addOpen(server, 1);
    this.#becameIdle(server, now, connection);
  }

  requestStarted(server: number, now: number, connection: number): void {
    const { ints, doubles, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const state = ints[row] ?? 0;
    if (state !== State.waiting && state !== State.busy) return;
    if (state === State.waiting) this.#idle.remove(server, connection);
    ints[row] = State.busy;
    const requests = ((ints[row + REQUESTS] ?? 0) + 1) | 0;
    ints[row + REQUESTS] = requests;
    const { doubles: limits, shift: width } = this.#servers;
    const own = server << (width - 1);
    const requestsMax = limits[own | REQUESTS_MAX] ?? 0;
    const timeMax = limits[own | TIME_MAX] ?? 0;
    if (requestsMax > 0 && requests >= requestsMax) {
      this.#port.lastRequest(server, connection, MAX_REQUESTS);
    } else if (timeMax > 0 && now - (doubles[(row >> 1) + OPENED_AT] ?? 0) >= timeMax) {
      this.#port.lastRequest(server, connection, MAX_AGE);
    }
  }

  /** The connection stays open and waits for its next request. */
  responseEnded(server: number, now: number, connection: number): void {
    const { ints, shift } = this.#connections;
    const state = ints[(connection << shift) | this.#column];
    if (state === State.busy) this.#becameIdle(server, now, connection);
  }

  /** The connection is gone, whoever closed it. */
  closed(server: number, _now: number, connection: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const state = ints[row] ?? 0;
    if (state === State.gone) return;
    ints[row] = State.gone;
    this.#addOpen(server, -1);
    if (state === State.waiting) this.#idle.remove(server, connection);
  }

  /** Closes the longest idle ones: nginx does when free worker_connections run low. */
  closeIdle(server: number, _now: number, count: number): void {
    for (let left = count; left > 0; left--) {
      const head = this.#idle.head(server);
      if (head === -1) break;
      this.#close(server, head);
    }
    this.#arm(server);
  }

  wake(server: number, now: number): void {
    const { doubles, shift } = this.#servers;
    doubles[(server << (shift - 1)) | WAKE_AT] = NEVER;
    this.#closeOverdue(server, now);
  }

  configure(server: number, now: number, settings: KeepAliveSettings): void {
    this.#set(server, settings);
    this.#closeOverdue(server, now);
  }

  /** How many wait for a request. */
  idle(server: number): number {
    return this.#idle.size(server);
  }

  /** Reads what its next request will need (`RowList.glance`). */
  glance(connection: number): number {
    return this.#idle.glance(connection);
  }

  snapshot(server: number) {
    const { ints, shift } = this.#servers;
    return { open: ints[(server << shift) | OPEN] ?? 0, idle: this.idle(server) };
  }

  /** In the server's row: it is read with every request, together with the list's ends. */
  #set(server: number, settings: KeepAliveSettings): void {
    const { doubles, shift } = this.#servers;
    const row = server << (shift - 1);
    doubles[row | TIMEOUT] = settings.keepAliveTimeout;
    doubles[row | REQUESTS_MAX] = settings.keepAliveRequests;
    doubles[row | TIME_MAX] = settings.keepAliveTime;
  }

  #addOpen(server: number, more: number): void {
    const { ints, shift } = this.#servers;
    const word = (server << shift) | OPEN;
    ints[word] = (ints[word] ?? 0) + more;
  }

  #closeOverdue(server: number, now: number): void {
    for (let due = this.#dueAt(server); due <= now; due = this.#dueAt(server)) {
      this.#close(server, this.#idle.head(server));
    }
    this.#arm(server);
  }

  #becameIdle(server: number, now: number, connection: number): void {
    const { ints, doubles, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    ints[row] = State.waiting;
    doubles[(row >> 1) + IDLE_SINCE] = now;
    this.#idle.push(server, connection);
    const { doubles: own, shift: width } = this.#servers;
    // The first to become idle is the first that is due.
    if (own[(server << (width - 1)) | WAKE_AT] === NEVER) this.#arm(server);
  }

  #close(server: number, connection: number): void {
    this.#idle.remove(server, connection);
    const { ints, shift } = this.#connections;
    ints[(connection << shift) | this.#column] = State.closing;
    this.#port.close(server, connection, IDLE_TIMEOUT);
  }

  /** When the longest idle one is to be closed. */
  #dueAt(server: number): number {
    const { doubles: own, shift: width } = this.#servers;
    const timeout = own[(server << (width - 1)) | TIMEOUT] ?? 0;
    const head = this.#idle.head(server);
    if (timeout === 0 || head === -1) return NEVER;
    const { doubles, shift } = this.#connections;
    const row = (head << shift) | this.#column;
    return (doubles[(row >> 1) + IDLE_SINCE] ?? 0) + timeout;
  }

  /** Asks only when the time has changed: that costs a timer or a place in an event queue. */
  #arm(server: number): void {
    const at = this.#dueAt(server);
    const { doubles, shift } = this.#servers;
    const word = (server << (shift - 1)) | WAKE_AT;
    if (doubles[word] === at) return;
    doubles[word] = at;
    this.#port.wakeAt(server, at);
  }
}
