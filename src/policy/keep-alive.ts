/**
 * KeepAlive: how long one server side keeps its client connections. The rules are those of
 * `KeepAlives`, which is the same for many; this is the face that the live engine uses and that
 * recordings know.
 */
import type { WakePort } from './contract.ts';
import {
  KEEP_ALIVE_WORDS,
  type KeepAliveSettings,
  KeepAlives,
  type KeepAlivesPort,
} from './keep-alives.ts';
import { Rows } from './rows.ts';

export type { KeepAliveSettings } from './keep-alives.ts';

export interface KeepAlivePort extends WakePort {
  /** Answer the present request with `Connection: close`; `causeCode` says why it will close. */
  lastRequest(connection: number, causeCode: number): void;
  /** Close an idle connection. */
  close(connection: number, causeCode: number): void;
}

/** The only one of its machine. */
const SERVER = 0;

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

  readonly #servers: KeepAlives;

  constructor(settings: KeepAliveSettings, port: KeepAlivePort) {
    this.#servers = new KeepAlives(new PortOfOne(port), new Rows(KEEP_ALIVE_WORDS), 0);
    this.#servers.add(settings);
  }

  /** Its number may be in use no longer; throws if it is. */
  opened(now: number, connection: number): void {
    this.#servers.opened(SERVER, now, connection);
  }

  requestStarted(now: number, connection: number): void {
    this.#servers.requestStarted(SERVER, now, connection);
  }

  /** The connection stays open and waits for its next request. */
  responseEnded(now: number, connection: number): void {
    this.#servers.responseEnded(SERVER, now, connection);
  }

  /** The connection is gone, whoever closed it. */
  closed(now: number, connection: number): void {
    this.#servers.closed(SERVER, now, connection);
  }

  /** Closes the longest idle ones: nginx does when free worker_connections run low. */
  closeIdle(now: number, count: number): void {
    this.#servers.closeIdle(SERVER, now, count);
  }

  wake(now: number): void {
    this.#servers.wake(SERVER, now);
  }

  configure(now: number, settings: KeepAliveSettings): void {
    this.#servers.configure(SERVER, now, settings);
  }

  snapshot() {
    return this.#servers.snapshot(SERVER);
  }
}

class PortOfOne implements KeepAlivesPort {
  readonly #port: KeepAlivePort;

  constructor(port: KeepAlivePort) {
    this.#port = port;
  }

  lastRequest(_server: number, connection: number, causeCode: number): void {
    this.#port.lastRequest(connection, causeCode);
  }

  close(_server: number, connection: number, causeCode: number): void {
    this.#port.close(connection, causeCode);
  }

  wakeAt(_server: number, at: number): void {
    this.#port.wakeAt(at);
  }
}
