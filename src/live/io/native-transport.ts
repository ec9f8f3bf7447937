/**
 * A TCP connection on a native socket (native-sockets.ts).
 *
 *   connecting ──► open ──┬─ our FIN: finishing, finished ─┐
 *                         └─ the peer's FIN: ended ─────────┴─► closing ──► closed
 *
 * The kernel tells of each change once. `#readable` keeps that something may be there to be
 * read, while the owner does not want it: a paused connection costs nothing, and its end stays
 * unseen, which is what `whileHeld: unread` is about. A read that did not fill the buffer has
 * taken everything, unless the peer's FIN or RST is there as well: then another one finds it.
 *
 * A send that fails because the peer is gone ends the connection; where we had opened it, only
 * after what the peer said before was read: an answer to a request that it did not want to hear
 * to its end. (Linux keeps what was received when an RST comes.)
 *
 * Writes are tried at once; only what the kernel does not take is kept, in `#waiting`. As with the
 * other transports, nobody hears `gone` before the call that caused it has returned.
 */
import { getSystemErrorName } from 'node:util';
import type { Endpoint } from '../../model/run.ts';
import {
  afterwards,
  FAILED,
  firstAfterwards,
  HUNG_UP,
  hears,
  hearsNoMore,
  nextToken,
  PEER_ENDED,
  READABLE,
  type SocketCalls,
  TEXT_MAX,
  type Watched,
  WRITABLE,
} from './native-sockets.ts';
import {
  LINGER_MS,
  READ_BUFFER,
  type Transport,
  type TransportOwner,
  WRITE_HIGH_WATER,
} from './transport.ts';

/** libuv's and Linux's numbers. */
const TRY_AGAIN = -11;
const NOT_CONNECTED = -107;
const BROKEN_PIPE = -32;
const CONNECTION_RESET = -104;

/** Reads of one connection in a row, before others have their turn. */
const READS_MAX = 16;
const SOMETHING_TO_READ = READABLE | PEER_ENDED | HUNG_UP | FAILED;

export class NativeTransport implements Transport, Watched {
  readonly token: number;
  unsent = 0;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #calls: SocketCalls;
  readonly #owner: TransportOwner;
  #socket = -1;
  #opener = false;
  #connecting = false;
  #reading = false;
  /** Bytes, an end or a failure may be there. */
  #readable = false;
  /** The peer's FIN or RST is there, perhaps behind bytes. */
  #hasEnd = false;
  #ended = false;
  /** Our FIN is asked for; it goes out after what was written. */
  #finishing = false;
  #finished = false;
  #closing = false;
  /** The error of a send, after which only what the peer has still said is read; 0 = none. */
  #broken = 0;
  /** The kernel was asked to say when it takes more. */
  #watchesWrites = false;
  #draining = false;
  #waiting: Uint8Array[] | null = null;
  /** The owner is done; the rest is sent, then the socket closes. */
  #lingering: NodeJS.Timeout | null = null;

  constructor(calls: SocketCalls, owner: TransportOwner, token = nextToken()) {
    this.#calls = calls;
    this.#owner = owner;
    this.token = token;
  }

  /** An accepted connection; `token` is the one that it was accepted with. */
  static accepted(calls: SocketCalls, owner: TransportOwner, token: number, socket: number) {
    const transport = new NativeTransport(calls, owner, token);
    transport.#opened(socket);
    return transport;
  }

  connect({ address, port }: Endpoint): void {
    const socket = this.#calls.connect(address, port, this.token);
    this.#opener = true;
    this.#connecting = true;
    this.#watchesWrites = true;
    // Nobody expects to hear of a failure before connect() has returned.
    if (socket < 0) afterwards(() => this.#connected(socket));
    else this.#opened(socket);
  }

  localAddress(): number {
    return this.#closing || this.#socket < 0 ? 0 : this.#calls.localAddress(this.#socket);
  }

  remoteAddress(): number {
    return this.#closing || this.#socket < 0 ? 0 : this.#calls.remoteAddress(this.#socket);
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closing || this.#connecting || this.#ended) return;
    this.#reading = true;
    if (this.#readable) this.#again();
  }

  write(chunk: Uint8Array | string): boolean {
    if (!this.#takes) return true;
    this.bytesWritten += chunk.length;
    if (this.#waiting !== null) return this.#keep(bytesOf(chunk));
    let sent: number;
    if (typeof chunk !== 'string') sent = this.#calls.sendBytes(this.#socket, chunk);
    else if (chunk.length <= TEXT_MAX) sent = this.#calls.sendText(this.#socket, chunk);
    else sent = this.#calls.sendBytes(this.#socket, bytesOf(chunk));
    if (sent === chunk.length) return true;
    if (!this.#hasSent(sent)) return true;
    return this.#keep(bytesOf(chunk).subarray(Math.max(sent, 0)));
  }

  pass(buffer: Buffer, from: number, to: number): boolean {
    if (buffer !== READ_BUFFER || this.#waiting !== null) {
      return this.write(Buffer.from(buffer.subarray(from, to)));
    }
    if (!this.#takes) return true;
    this.bytesWritten += to - from;
    const sent = this.#calls.sendInput(this.#socket, from, to - from);
    if (sent === to - from) return true;
    if (!this.#hasSent(sent)) return true;
    return this.#keep(Buffer.from(buffer.subarray(from + Math.max(sent, 0), to)));
  }

  finish(): void {
    if (this.#finishing || this.#closing || this.#connecting) return;
    this.#finishing = true;
    if (this.#waiting === null) this.#sendFin();
  }

  close(): void {
    if (this.#closing) return;
    if (this.#connecting || this.unsent === 0) {
      this.#close();
      return;
    }
    if (this.#lingering !== null) return;
    this.#lingering = setTimeout(() => this.reset(), LINGER_MS).unref();
    this.finish();
  }

  reset(): void {
    if (this.#closing) return;
    // There is nothing to reset before the connection is up.
    if (!this.#connecting && this.#socket >= 0) {
      this.#calls.reset(this.#socket);
      this.#forget(afterwards);
    } else this.#close();
  }

  /** For native-sockets.ts only. */
  ready(events: number): void {
    if (this.#connecting) {
      if ((events & (WRITABLE | HUNG_UP | FAILED)) === 0) return;
      this.#connected(this.#calls.failure(this.#socket));
    } else if ((events & WRITABLE) !== 0 && this.#waiting !== null) this.#sendWaiting();
    if ((events & SOMETHING_TO_READ) === 0) return;
    this.#readable = true;
    if ((events & (PEER_ENDED | HUNG_UP | FAILED)) !== 0) this.#hasEnd = true;
    if (this.#reading) this.#read();
  }

  get #takes(): boolean {
    return !this.#closing && !this.#finishing && !this.#connecting && this.#broken === 0;
  }

  #opened(socket: number): void {
    this.#socket = socket;
    hears(socket, this);
  }

  #connected(status: number): void {
    if (this.#closing) return;
    this.#connecting = false;
    if (status !== 0) this.#failed(status);
    else this.#owner.connected();
  }

  #read(): void {
    for (let reads = 0; reads < READS_MAX; reads++) {
      const length = this.#calls.read(this.#socket);
      if (length <= 0) {
        if (this.#broken !== 0) this.#failed(this.#broken);
        else if (length === 0) this.#peerEnded();
        else if (length !== TRY_AGAIN) this.#failed(length);
        else this.#readable = false;
        return;
      }
      const isAll = length < READ_BUFFER.length && !this.#hasEnd;
      if (isAll) this.#readable = false;
      this.bytesRead += length;
      this.#owner.received(READ_BUFFER, length);
      if (isAll || this.#closing || !this.#reading) return;
    }
    this.#again();
  }

  #peerEnded(): void {
    this.#ended = true;
    this.#readable = false;
    this.#reading = false;
    this.#owner.peerEnded();
    if (this.#finished) this.#close();
  }

  /** The outcome of a send: false when the connection has failed. */
  #hasSent(sent: number): boolean {
    if (sent >= 0 || sent === TRY_AGAIN) return true;
    const isOver = sent === BROKEN_PIPE || sent === CONNECTION_RESET;
    if (this.#opener && this.#reading && isOver) this.#broke(sent);
    else this.#failed(sent);
    return false;
  }

  #broke(error: number): void {
    if (this.#closing || this.#broken !== 0) return;
    this.#broken = error;
    this.#waiting = null;
    this.unsent = 0;
    this.#owner.errored(getSystemErrorName(error));
    // The kernel tells of the reset once more, as readable.
    if (!this.#closing) this.#again();
  }

  /** Keeps what the kernel does not take now. */
  #keep(rest: Uint8Array): boolean {
    this.#waiting ??= [];
    this.#waiting.push(rest);
    this.unsent += rest.length;
    if (!this.#watchesWrites) {
      this.#watchesWrites = true;
      this.#again();
    }
    if (this.unsent < WRITE_HIGH_WATER) return true;
    this.#draining = true;
    return false;
  }

  #sendWaiting(): void {
    const waiting = this.#waiting ?? [];
    while (waiting.length > 0) {
      const chunk = waiting[0]!;
      const sent = this.#calls.sendBytes(this.#socket, chunk);
      if (!this.#hasSent(sent)) return;
      if (sent > 0) this.unsent -= sent;
      if (sent !== chunk.length) {
        if (sent > 0) waiting[0] = chunk.subarray(sent);
        return;
      }
      waiting.shift();
    }
    this.#waiting = null;
    if (this.#finishing) this.#sendFin();
    if (!this.#draining || this.#closing) return;
    this.#draining = false;
    this.#owner.drained();
  }

  #sendFin(): void {
    const error = this.#calls.finish(this.#socket);
    if (error !== 0 && error !== NOT_CONNECTED) {
      this.#failed(error);
      return;
    }
    this.#finished = true;
    if (this.#ended || this.#lingering !== null) this.#close();
  }

  #again(): void {
    this.#calls.again(this.#socket, this.token, this.#watchesWrites ? 1 : 0);
  }

  #failed(error: number): void {
    if (this.#closing) return;
    if (this.#broken === 0) this.#owner.errored(getSystemErrorName(error));
    if (this.#closing) return;
    if (this.#socket >= 0) this.#calls.close(this.#socket);
    this.#forget(firstAfterwards);
  }

  #close(): void {
    if (this.#closing) return;
    if (this.#socket >= 0) this.#calls.close(this.#socket);
    this.#forget(afterwards);
  }

  #forget(then: (call: () => void) => void): void {
    this.#closing = true;
    this.#reading = false;
    this.#waiting = null;
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    if (this.#socket >= 0) hearsNoMore(this.#socket);
    then(() => this.#owner.gone());
  }
}

function bytesOf(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk;
}
