/**
 * ConnectionEnd: one side of one TCP connection, and its bookkeeping. Every socket of every
 * hop is one, so that no connection can be opened, used or closed without its event.
 *
 * Two ways to get one: `ends.connect` / `ends.accept` own the socket and read it through a
 * preallocated `onread` buffer (7 x cheaper than streams); `ends.adopt` keeps the books of a
 * socket that somebody else reads (node:http, mysql2).
 *
 *   connect ──► connecting ──► open ──┬─ finish() our FIN ──┐
 *   accept ─────────────────► open ──┤                     ├─► closed (event with cause)
 *                                     └─ peer's FIN: ended ─┘
 *
 * The cause: whoever decides to close says why (`close(cause)`, `reset(cause)`); else the
 * socket tells (`peer_fin`, `peer_rst`). Accepted sockets take `onread` only by wrapping their
 * handle anew; the listener does that (`listener.ts`).
 *
 * Data handed to `onData` lies in a buffer shared by all ends of the process and is valid only
 * during the call: write() copies it, keep nothing else of it.
 */
import net from 'node:net';
import { type CloseCause, closeCauseCode } from '../../model/close-cause.ts';
import {
  EventKind,
  type ExchangeFailure,
  exchangeFailureCode,
  packAddress,
  SlotState,
} from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { EventWriter } from '../../stream/columns.ts';
import type { Clock } from '../runtime/clock.ts';

/** What the owner of an end hears. Calls stop after `onClose`. */
export interface EndHandlers {
  /** Connector only: the connection is up. */
  onConnect?(end: ConnectionEnd): void;
  /** Bytes 0..length of a shared buffer, valid only during the call. */
  onData(end: ConnectionEnd, buffer: Buffer, length: number): void;
  /** The peer sent FIN; we may go on writing. */
  onEnd(end: ConnectionEnd): void;
  /** Everything written has reached the kernel after write() returned false. */
  onDrain(end: ConnectionEnd): void;
  /** The socket is gone. `cause` is what the event says. */
  onClose(end: ConnectionEnd, cause: CloseCause): void;
}

/** Bytes that may wait in user space before write() returns false. */
const WRITE_HIGH_WATER = 64 * 1_024;
const READ_BUFFER = Buffer.allocUnsafe(64 * 1_024);

/** A socket that has not closed by then is left to the end of its process (µs). */
const CLOSE_WITHIN = 5_000_000;

export interface EndNumbers {
  next: number;
}

/** The live ends of one instance. Numbers are unique in the process. */
export class EndRegistry {
  readonly live = new Set<ConnectionEnd>();
  /** Connections accepted, and connects that succeeded, since the start. */
  acceptedTotal = 0;
  connectedTotal = 0;
  /** Accepted connections open now. */
  acceptedOpen = 0;
  readonly clock: Clock;
  readonly #events: EventWriter;
  readonly #instance: number;
  readonly #numbers: EndNumbers;

  constructor(clock: Clock, events: EventWriter, instance: number, numbers: EndNumbers) {
    this.clock = clock;
    this.#events = events;
    this.#instance = instance;
    this.#numbers = numbers;
  }

  emit(kind: number, end: number, exchange: number, a: number, b: number, c: number): void {
    this.#events.write(this.clock.now(), kind, this.#instance, end, exchange, a, b, c);
  }

  number(): number {
    this.#numbers.next += 1;
    return this.#numbers.next;
  }

  /** Opens a connection. Failure shows as onClose without onConnect. */
  connect(link: Link, target: Endpoint, handlers: EndHandlers): ConnectionEnd {
    const end = new ConnectionEnd(this, link, handlers);
    const { address, port } = target;
    this.emit(EventKind.connectStarted, end.number, 0, packAddress(address, port), 0, link.index);
    const socket = net.connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: end.read },
    });
    end.take(socket);
    socket.on('connect', end.connected);
    return end;
  }

  /**
   * Takes an accepted socket made with `onread: end.read` by the listener. Reading starts with
   * resume().
   */
  accept(
    link: Link,
    handlers: EndHandlers,
    make: (onread: net.OnReadOpts) => net.Socket,
  ): ConnectionEnd {
    const end = new ConnectionEnd(this, link, handlers);
    end.take(make({ buffer: READ_BUFFER, callback: end.read }));
    end.accepted();
    return end;
  }

  /** Keeps the books of a socket that another library reads and writes. */
  adopt(link: Link, socket: net.Socket, side: 'connector' | 'acceptor'): ConnectionEnd {
    const end = new ConnectionEnd(this, link, null);
    if (side === 'connector') {
      this.emit(EventKind.connectStarted, end.number, 0, 0, 0, link.index);
    }
    end.take(socket);
    if (side === 'acceptor') end.accepted();
    else if (socket.connecting) socket.on('connect', end.connected);
    else end.connected();
    return end;
  }

  /** Closes every end with cause `shutdown`; resolves when none is left. */
  async closeAll(): Promise<void> {
    const until = this.clock.now() + CLOSE_WITHIN;
    while (this.live.size > 0 && this.clock.now() < until) {
      // Again each time: what was being connected at first may be open now.
      for (const end of [...this.live]) end.reset('shutdown');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Writes one census row per live socket, then their count. */
  census(): void {
    let count = 0;
    for (const end of this.live) {
      if (!end.open) continue;
      this.emit(EventKind.census, end.number, 0, end.inFlight, end.slot, 0);
      count += 1;
    }
    this.emit(EventKind.censusDone, 0, 0, count, 0, 0);
  }
}

export class ConnectionEnd {
  readonly number: number;
  readonly link: Link;
  /** Where an owner keeps what belongs to this end. */
  data: unknown = null;
  /** The address of the other side, packed; 0 while unknown. */
  remote = 0;
  local = 0;
  /** This side accepted the connection (else it opened it). */
  acceptor = false;
  /** Established and not yet closed. */
  open = false;
  /** The peer sent FIN. */
  ended = false;
  /** Our FIN is sent or on its way. */
  finished = false;
  closed = false;
  inFlight = 0;
  exchanges = 0;
  slot: SlotState = SlotState.none;
  handlers: EndHandlers | null;
  readonly #registry: EndRegistry;
  #socket: net.Socket | null = null;
  #cause: CloseCause | null = null;
  #draining = false;

  constructor(registry: EndRegistry, link: Link, handlers: EndHandlers | null) {
    this.#registry = registry;
    this.link = link;
    this.handlers = handlers;
    this.number = registry.number();
    registry.live.add(this);
  }

  get socket(): net.Socket {
    if (this.#socket === null) throw new Error('connection end without a socket');
    return this.#socket;
  }

  /** For the registry and listener only. */
  take(socket: net.Socket): void {
    this.#socket = socket;
    socket.on('error', this.#errored);
    socket.on('close', this.#closed);
    if (this.handlers === null) {
      socket.on('end', () => {
        this.ended = true;
      });
      return;
    }
    socket.on('end', this.#peerEnded);
    socket.on('drain', this.#drained);
  }

  accepted(): void {
    const { socket } = this;
    this.open = true;
    this.acceptor = true;
    this.#registry.acceptedTotal += 1;
    this.#registry.acceptedOpen += 1;
    this.local = packAddress(socket.localAddress ?? '', socket.localPort ?? 0);
    this.remote =
      socket.remoteAddress === undefined
        ? 0
        : packAddress(socket.remoteAddress, socket.remotePort ?? 0);
    this.#registry.emit(
      EventKind.accepted,
      this.number,
      0,
      this.local,
      this.remote,
      this.link.index,
    );
  }

  readonly connected = (): void => {
    const { socket } = this;
    this.open = true;
    this.#registry.connectedTotal += 1;
    this.local = packAddress(socket.localAddress ?? '', socket.localPort ?? 0);
    this.remote = packAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    this.#registry.emit(
      EventKind.connected,
      this.number,
      0,
      this.local,
      this.remote,
      this.link.index,
    );
    if (this.handlers === null) return;
    socket.resume();
    this.handlers.onConnect?.(this);
  };

  readonly read = (length: number, buffer: Uint8Array): boolean => {
    if (this.handlers !== null && !this.closed)
      this.handlers.onData(this, buffer as Buffer, length);
    return true;
  };

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.closed) this.#socket?.resume();
  }

  /** Copies `chunk` and sends it; false when the owner should wait for onDrain. */
  write(chunk: Uint8Array): boolean {
    return this.writeOwned(Buffer.from(chunk));
  }

  /** Sends a chunk that nobody will change (or a latin1 string). */
  writeOwned(chunk: Uint8Array | string): boolean {
    const socket = this.#socket;
    if (socket === null || this.closed || this.finished || socket.destroyed) return true;
    if (typeof chunk === 'string') socket.write(chunk, 'latin1');
    else socket.write(chunk);
    if (socket.writableLength < WRITE_HIGH_WATER) return true;
    this.#draining = true;
    return false;
  }

  /** Sends our FIN after what was written; the other direction stays open. */
  finish(): void {
    if (this.finished || this.closed) return;
    this.finished = true;
    this.#socket?.end();
  }

  /** Why this end will close, if nothing has said so before. */
  blame(cause: CloseCause): void {
    this.#cause ??= cause;
  }

  /** Closes in an orderly way: FIN after what was written, then gone; unread bytes are dropped. */
  close(cause: CloseCause): void {
    this.blame(cause);
    const socket = this.#socket;
    if (socket === null || this.closed) return;
    if (socket.connecting || socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    this.finished = true;
    socket.destroySoon();
  }

  /**
   * Closes with RST, at once: what was written and not yet sent is dropped. Not with node's
   * `resetAndDestroy`, which sends a FIN first: it waits for a peer that does not read, and when
   * the peer closes meanwhile libuv refuses the reset (EINVAL, the FIN is still on its way) and
   * node forgets the socket without closing it. Where our own FIN is on its way it is too late
   * for a reset; the connection is then closed without.
   */
  reset(cause: CloseCause): void {
    this.blame(cause);
    const socket = this.#socket;
    if (socket === null || this.closed) return;
    const isFinishing = socket.writableEnded && !socket.writableFinished;
    if (!socket.connecting && !isFinishing) Reflect.set(socket, 'resetAndClosing', true);
    socket.destroy();
  }

  /**
   * Books the start of an exchange; the parent's meaning is in model/event.ts. Returns its
   * ordinal.
   */
  exchangeStarted(parent: number, a: number, b: number): number {
    this.exchanges += 1;
    this.inFlight += 1;
    this.#registry.emit(EventKind.exchangeStarted, this.number, this.exchanges, a, b, parent);
    return this.exchanges;
  }

  exchangeEnded(exchange: number, status: number, failure: ExchangeFailure): void {
    this.inFlight -= 1;
    this.#registry.emit(
      EventKind.exchangeEnded,
      this.number,
      exchange,
      status,
      exchangeFailureCode(failure),
      0,
    );
  }

  slotChanged(state: SlotState): void {
    this.slot = state;
    this.#registry.emit(EventKind.slot, this.number, 0, state, 0, 0);
  }

  /** This (downstream) end is relayed byte for byte to that upstream end. */
  pairedWith(upstream: ConnectionEnd): void {
    this.#registry.emit(EventKind.paired, this.number, 0, upstream.number, 0, 0);
  }

  readonly #peerEnded = (): void => {
    this.ended = true;
    if (!this.closed) this.handlers?.onEnd(this);
  };

  readonly #drained = (): void => {
    if (!this.#draining || this.closed) return;
    this.#draining = false;
    this.handlers?.onDrain(this);
  };

  readonly #errored = (error: NodeJS.ErrnoException): void => {
    // Refused, reset and broken pipe are the peer's doing; the close event follows.
    this.blame(error.code === 'ETIMEDOUT' ? 'connect_timeout' : 'peer_rst');
  };

  readonly #closed = (): void => {
    const socket = this.socket;
    this.closed = true;
    this.open = false;
    this.#registry.live.delete(this);
    if (this.acceptor) this.#registry.acceptedOpen -= 1;
    const cause = this.#cause ?? (this.ended ? 'peer_fin' : 'unknown');
    this.#registry.emit(
      EventKind.closed,
      this.number,
      0,
      closeCauseCode(cause),
      socket.bytesRead,
      socket.bytesWritten,
    );
    this.handlers?.onClose(this, cause);
  };
}
