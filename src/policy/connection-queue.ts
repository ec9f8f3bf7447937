/**
 * ConnectionQueue: one L4 connection limiter. The rules are those of `ConnectionQueues`, which is
 * the same for many; this is the face that the live engine uses and that recordings know.
 */
import {
  type ConnectionQueueSettings,
  ConnectionQueues,
  type ConnectionQueuesPort,
  QUEUE_WORDS,
} from './connection-queues.ts';
import type { WakePort } from './contract.ts';
import { Rows } from './rows.ts';

export { type ConnectionQueueSettings, SILENT_FACTOR } from './connection-queues.ts';

export interface ConnectionQueuePort extends WakePort {
  /** The connection has a slot: its bytes may move. */
  grant(connection: number): void;
  /** Its slot is taken back; both sides stay open, bytes toward the client still pass. */
  yield(connection: number): void;
  /** It has no slot and waits for one (or, under `watch`, for its first bytes). */
  hold(connection: number): void;
  /** Close it; the driver answers with `peerClosed` once it is gone. */
  close(connection: number, causeCode: number): void;
}

/** The only one of its machine. */
const QUEUE = 0;

/** The power of two that has room for QUEUE_WORDS. */
const ROW = 1 << (32 - Math.clz32(QUEUE_WORDS - 1));

export class ConnectionQueue {
  static readonly inputs = [
    'opened',
    'bytesUp',
    'bytesDown',
    'peerClosed',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['grant', 'yield', 'hold', 'close', 'wakeAt'] as const;

  readonly #queues: ConnectionQueues;

  constructor(settings: ConnectionQueueSettings, port: ConnectionQueuePort) {
    this.#queues = new ConnectionQueues(new PortOfOne(port), new Rows(ROW), 0);
    this.#queues.add(settings);
  }

  /** A connection was accepted. Its number may be in use no longer; throws if it is. */
  opened(now: number, connection: number): void {
    this.#queues.opened(QUEUE, now, connection);
  }

  /** Bytes came from the client; under `watch` also from a held one, which is then read. */
  bytesUp(now: number, connection: number): void {
    this.#queues.bytesUp(QUEUE, now, connection);
  }

  /** Bytes moved toward the client. */
  bytesDown(now: number, connection: number): void {
    this.#queues.bytesDown(QUEUE, now, connection);
  }

  /** The connection is gone, whoever closed it. */
  peerClosed(now: number, connection: number): void {
    this.#queues.peerClosed(QUEUE, now, connection);
  }

  wake(now: number): void {
    this.#queues.wake(QUEUE, now);
  }

  configure(now: number, settings: ConnectionQueueSettings): void {
    this.#queues.configure(QUEUE, now, settings);
  }

  snapshot() {
    return this.#queues.snapshot(QUEUE);
  }
}

class PortOfOne implements ConnectionQueuesPort {
  readonly #port: ConnectionQueuePort;

  constructor(port: ConnectionQueuePort) {
    this.#port = port;
  }

  grant(_queue: number, connection: number): void {
    this.#port.grant(connection);
  }

  yield(_queue: number, connection: number): void {
    this.#port.yield(connection);
  }

  hold(_queue: number, connection: number): void {
    this.#port.hold(connection);
  }

  close(_queue: number, connection: number, causeCode: number): void {
    this.#port.close(connection, causeCode);
  }

  wakeAt(_queue: number, at: number): void {
    this.#port.wakeAt(at);
  }
}
