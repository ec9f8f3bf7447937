/**
 * KeepAlive: how long a server side keeps its client connections, in nginx's three settings
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
 * Timeouts are equal for all connections, so a list in order of idling and one wake-up do.
 * Budget: O(1) per input, no allocation.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { Micros } from '../model/units.ts';
import type { WakePort } from './contract.ts';
import { IntList } from './int-list.ts';
import { IntTable } from './int-table.ts';
import { WakeUp } from './wake-up.ts';

export interface KeepAliveSettings {
  /** 0 = never. */
  readonly keepAliveTimeout: Micros;
  /** 0 = without limit. */
  readonly keepAliveRequests: number;
  /** 0 = without limit. */
  readonly keepAliveTime: Micros;
}

export interface KeepAlivePort extends WakePort {
  /** Answer the present request with `Connection: close`; `causeCode` says why it will close. */
  lastRequest(connection: number, causeCode: number): void;
  /** Close an idle connection. */
  close(connection: number, causeCode: number): void;
}

const MAX_REQUESTS = closeCauseCode('max_requests');
const MAX_AGE = closeCauseCode('max_age');
const IDLE_TIMEOUT = closeCauseCode('idle_timeout');

/** Columns of a connection; a list takes two. */
const STATE = 0;
const OPENED_AT = 1;
const REQUESTS = 2;
const IDLE_SINCE = 3;
const IDLE_LIST = 4;
const COLUMNS = 6;

const State = { gone: 0, waiting: 1, busy: 2, closing: 3 } as const;

export class KeepAlive {
  static readonly inputs = [
    'opened',
    'requestStarted',
    'responseEnded',
    'closed',
    'closeIdle',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['lastRequest', 'close', 'wakeAt'] as const;

  #settings: KeepAliveSettings;
  readonly #port: KeepAlivePort;
  readonly #wakeUp: WakeUp;
  readonly #rows: IntTable;
  readonly #idle: IntList;
  #open = 0;

  /** Those whose connections have different numbers may share the table that they are noted in. */
  constructor(settings: KeepAliveSettings, port: KeepAlivePort, rows = keepAliveTable()) {
    this.#settings = settings;
    this.#port = port;
    this.#rows = rows;
    this.#idle = new IntList(rows, IDLE_LIST);
    this.#wakeUp = new WakeUp(port);
  }

  /** Its number may be in use no longer; throws if it is. */
  opened(now: number, connection: number): void {
    if (this.#rows.get(connection, STATE) !== State.gone) {
      throw new Error(`connection ${connection} is open already`);
    }
    this.#open += 1;
    this.#rows.set(connection, OPENED_AT, now);
    this.#rows.set(connection, REQUESTS, 0);
    this.#becameIdle(now, connection);
  }

  requestStarted(now: number, connection: number): void {
    if (!this.#rows.has(connection)) return;
    const { values, shift } = this.#rows;
    const row = connection << shift;
    const state = values[row | STATE];
    if (state !== State.waiting && state !== State.busy) return;
    this.#idle.remove(connection);
    values[row | STATE] = State.busy;
    const requests = (values[row | REQUESTS] ?? 0) + 1;
    values[row | REQUESTS] = requests;
    const { keepAliveRequests, keepAliveTime } = this.#settings;
    if (keepAliveRequests > 0 && requests >= keepAliveRequests) {
      this.#port.lastRequest(connection, MAX_REQUESTS);
    } else if (keepAliveTime > 0 && now - (values[row | OPENED_AT] ?? 0) >= keepAliveTime) {
      this.#port.lastRequest(connection, MAX_AGE);
    }
  }

  /** The connection stays open and waits for its next request. */
  responseEnded(now: number, connection: number): void {
    if (this.#rows.get(connection, STATE) === State.busy) this.#becameIdle(now, connection);
  }

  /** The connection is gone, whoever closed it. */
  closed(_now: number, connection: number): void {
    if (this.#rows.get(connection, STATE) === State.gone) return;
    this.#rows.set(connection, STATE, State.gone);
    this.#open -= 1;
    this.#idle.remove(connection);
  }

  /** Closes the longest idle ones: nginx does when free worker_connections run low. */
  closeIdle(_now: number, count: number): void {
    for (let left = count; left > 0 && this.#idle.head !== -1; left--) this.#close(this.#idle.head);
    this.#arm();
  }

  wake(now: number): void {
    this.#wakeUp.fired();
    this.#closeOverdue(now);
  }

  configure(now: number, settings: KeepAliveSettings): void {
    this.#settings = settings;
    this.#closeOverdue(now);
  }

  snapshot() {
    return { open: this.#open, idle: this.#idle.size };
  }

  #closeOverdue(now: number): void {
    const { keepAliveTimeout } = this.#settings;
    while (keepAliveTimeout > 0 && this.#idle.head !== -1) {
      if (this.#rows.get(this.#idle.head, IDLE_SINCE) + keepAliveTimeout > now) break;
      this.#close(this.#idle.head);
    }
    this.#arm();
  }

  #becameIdle(now: number, connection: number): void {
    const { values, shift } = this.#rows;
    const row = connection << shift;
    values[row | STATE] = State.waiting;
    values[row | IDLE_SINCE] = now;
    this.#idle.push(connection);
    // The first to become idle is the first that is due.
    if (this.#wakeUp.at === Number.POSITIVE_INFINITY) this.#arm();
  }

  #close(connection: number): void {
    this.#idle.remove(connection);
    this.#rows.set(connection, STATE, State.closing);
    this.#port.close(connection, IDLE_TIMEOUT);
  }

  #arm(): void {
    const { keepAliveTimeout } = this.#settings;
    const head = this.#idle.head;
    const none = keepAliveTimeout === 0 || head === -1;
    this.#wakeUp.ask(
      none ? Number.POSITIVE_INFINITY : this.#rows.get(head, IDLE_SINCE) + keepAliveTimeout,
    );
  }
}

/** Where connections are noted. */
export function keepAliveTable(): IntTable {
  return new IntTable(COLUMNS);
}
