/**
 * ConnectionEnd: one side of one TCP connection, and its bookkeeping. Every socket of every
 * hop is one, so that no connection can be opened, used or closed without its event.
 *
 * Two ways to get one: `ends.connect` / `ends.accept` own the socket (transport.ts);
 * `ends.adopt` keeps the books of a socket that somebody else reads (node:http, mysql2).
 *
 *   connect ──► connecting ──► open ──┬─ finish() our FIN ──┐
 *   accept ─────────────────► open ──┤                     ├─► closed (event with cause)
 *                                     └─ peer's FIN: ended ─┘
 *
 * The cause: whoever decides to close says why (`close(cause)`, `reset(cause)`); else the
 * socket tells (`peer_fin`, `peer_rst`).
 *
 * Data handed to `onData` lies in a buffer shared by all ends of the process and is valid only
 * during the call: give it to write(), keep nothing of it.
 */
import type net from 'node:net';
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
import { type Descriptors, unlimitedDescriptors } from './accept-pause.ts';
import { HandleTransport } from './handle-transport.ts';
import { nativeSockets } from './native-sockets.ts';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import { handlesAvailable, newTcpHandle } from './tcp-handles.ts';
import type { Accepted, Transport, TransportOwner } from './transport.ts';

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

/** System errors that are this machine's own limits: no port, descriptor or memory is left. */
const LIMITS = new Set(['EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN']);

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
  readonly descriptors: Descriptors;

  constructor(
    clock: Clock,
    events: EventWriter,
    instance: number,
    numbers: EndNumbers,
    descriptors: Descriptors = unlimitedDescriptors(),
  ) {
    this.descriptors = descriptors;
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
    end.remote = packAddress(address, port);
    this.emit(EventKind.connectStarted, end.number, 0, end.remote, 0, link.index);
    if (!this.descriptors.budget.take()) {
      end.errored('EMFILE');
      setImmediate(() => end.gone());
      return end;
    }
    end.hasDescriptor = true;
    if (nativeSockets !== null) {
      const transport = new NativeTransport(nativeSockets, end);
      end.take(transport);
      transport.connect(target);
    } else if (handlesAvailable) {
      const transport = new HandleTransport(newTcpHandle(), end);
      end.take(transport);
      transport.connect(target);
    } else end.take(SocketTransport.connect(target, end));
    return end;
  }

  /**
   * Takes an accepted connection. Reading starts with resume().
   * @param local the packed address that it was accepted at; 0 = ask the system
   */
  accept(link: Link, handlers: EndHandlers, socket: Accepted, local: number): ConnectionEnd {
    const end = new ConnectionEnd(this, link, handlers);
    this.#tookDescriptor(end);
    end.take(socket.transport(end));
    end.accepted(local);
    return end;
  }

  /** Keeps the books of a socket that another library reads and writes. */
  adopt(link: Link, socket: net.Socket, side: 'connector' | 'acceptor'): ConnectionEnd {
    const end = new ConnectionEnd(this, link, null);
    if (side === 'connector') {
      this.emit(EventKind.connectStarted, end.number, 0, 0, 0, link.index);
    }
    this.#tookDescriptor(end);
    end.take(new SocketTransport(socket, end, false));
    if (side === 'acceptor') end.accepted(0);
    else if (!socket.connecting) end.connected();
    return end;
  }

  /** For the ends only: it was accepted; it is gone. */
  began({ link }: ConnectionEnd): void {
    this.acceptedTotal += 1;
    this.acceptedOpen += 1;
    if (this.descriptors.entries.has(link.index)) this.descriptors.budget.entered();
  }

  ended({ acceptor, link, hasDescriptor }: ConnectionEnd): void {
    const { budget, entries } = this.descriptors;
    if (acceptor) this.acceptedOpen -= 1;
    if (acceptor && entries.has(link.index)) budget.left();
    if (hasDescriptor) budget.give();
  }

  /** It has a descriptor of the process, which has to be counted. */
  #tookDescriptor(end: ConnectionEnd): void {
    this.descriptors.budget.took();
    end.hasDescriptor = true;
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

export class ConnectionEnd implements TransportOwner {
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
  /** For the registry only: it counts in the process's budget. */
  hasDescriptor = false;
  inFlight = 0;
  exchanges = 0;
  slot: SlotState = SlotState.none;
  handlers: EndHandlers | null;
  readonly #registry: EndRegistry;
  #transport: Transport | null = null;
  #cause: CloseCause | null = null;

  constructor(registry: EndRegistry, link: Link, handlers: EndHandlers | null) {
    this.#registry = registry;
    this.link = link;
    this.handlers = handlers;
    this.number = registry.number();
    registry.live.add(this);
  }

  /** Bytes written that the kernel has not taken yet. */
  get unsent(): number {
    return this.#transport?.unsent ?? 0;
  }

  get bytesRead(): number {
    return this.#transport?.bytesRead ?? 0;
  }

  /** For the registry only, as is `accepted`. */
  take(transport: Transport): void {
    this.#transport = transport;
  }

  accepted(local: number): void {
    this.open = true;
    this.acceptor = true;
    this.#registry.began(this);
    this.#established(EventKind.accepted, local);
  }

  pause(): void {
    this.#transport?.pause();
  }

  resume(): void {
    if (!this.closed) this.#transport?.resume();
  }

  /** Sends what was just read; false when the owner should wait for onDrain. */
  write(buffer: Buffer, from: number, to: number): boolean {
    if (this.closed || this.finished) return true;
    return this.#transport?.pass(buffer, from, to) ?? true;
  }

  /** Sends a chunk that nobody will change (or a latin1 string). */
  writeOwned(chunk: Uint8Array | string): boolean {
    if (this.closed || this.finished) return true;
    return this.#transport?.write(chunk) ?? true;
  }

  /** Sends our FIN after what was written; the other direction stays open. */
  finish(): void {
    if (this.finished || this.closed) return;
    this.finished = true;
    this.#transport?.finish();
  }

  /** Why this end will close, if nothing has said so before. */
  blame(cause: CloseCause): void {
    this.#cause ??= cause;
  }

  /** Closes in an orderly way: FIN after what was written, then gone; unread bytes are dropped. */
  close(cause: CloseCause): void {
    this.blame(cause);
    if (this.closed) return;
    if (this.unsent > 0) this.finished = true;
    this.#transport?.close();
  }

  /** Closes with RST, at once: what was written and not yet sent is dropped. */
  reset(cause: CloseCause): void {
    this.blame(cause);
    if (!this.closed) this.#transport?.reset();
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

  // TransportOwner

  connected(): void {
    this.open = true;
    this.#registry.connectedTotal += 1;
    this.#established(EventKind.connected, 0);
    if (this.handlers === null) return;
    this.resume();
    this.handlers.onConnect?.(this);
  }

  received(buffer: Buffer, length: number): void {
    if (!this.closed) this.handlers?.onData(this, buffer, length);
  }

  peerEnded(): void {
    this.ended = true;
    if (!this.closed) this.handlers?.onEnd(this);
  }

  drained(): void {
    if (!this.closed) this.handlers?.onDrain(this);
  }

  errored(code: string): void {
    // Refused, reset and broken pipe are the peer's doing; the close event follows.
    if (code === 'ETIMEDOUT') this.blame('connect_timeout');
    else this.blame(LIMITS.has(code) ? 'overflow' : 'peer_rst');
  }

  gone(): void {
    this.closed = true;
    this.open = false;
    this.#registry.live.delete(this);
    this.#registry.ended(this);
    const cause = this.#cause ?? (this.ended ? 'peer_fin' : 'unknown');
    const { bytesRead = 0, bytesWritten = 0 } = this.#transport ?? {};
    const code = closeCauseCode(cause);
    this.#registry.emit(EventKind.closed, this.number, 0, code, bytesRead, bytesWritten);
    this.handlers?.onClose(this, cause);
  }

  #established(kind: EventKind, local: number): void {
    this.local = local === 0 ? (this.#transport?.localAddress() ?? 0) : local;
    if (this.remote === 0) this.remote = this.#transport?.remoteAddress() ?? 0;
    this.#registry.emit(kind, this.number, 0, this.local, this.remote, this.link.index);
  }
}
