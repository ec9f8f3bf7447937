/**
 * A TCP connection on node's own handle (tcp-handles.ts), without a `net.Socket` around it.
 *
 *   connecting ──► open ──┬─ our FIN: finishing, finished ─┐
 *                         └─ the peer's FIN: ended ─────────┴─► closing ──► closed
 *
 * A write is tried at once; only what the kernel does not take waits (in libuv; the request
 * keeps the chunk), and then `unsent` counts it. One write request serves all writes of
 * the process that are done at once, which are nearly all.
 */
import { getSystemErrorName } from 'node:util';
import { packAddress } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import {
  lastRead,
  lastWriteIsPending,
  newConnectRequest,
  newShutdownRequest,
  newWriteRequest,
  type Request,
  type SocketName,
  type TcpHandle,
  wasReset,
} from './tcp-handles.ts';
import {
  LINGER_MS,
  READ_BUFFER,
  type Transport,
  type TransportOwner,
  WRITE_HIGH_WATER,
} from './transport.ts';

/** libuv's UV_EOF. */
const END_OF_FILE = -4_095;

/** libuv's UV_EPIPE and UV_ECONNRESET. */
const BROKEN_PIPE = -32;
const CONNECTION_RESET = -104;

/** libuv's UV_ENOTCONN: the connection was gone before our FIN. */
const NOT_CONNECTED = -107;

/** Shared by all writes until one of them is not done at once. */
let writeRequest: Request | null = null;

export class HandleTransport implements Transport {
  unsent = 0;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #handle: TcpHandle;
  readonly #owner: TransportOwner;
  #opener = false;
  #connecting = false;
  #reading = false;
  #ended = false;
  /** Our FIN is asked for; it goes out after what was written. */
  #finishing = false;
  #finished = false;
  #closing = false;
  /** The error of a send, after which only what the peer has still said is read; 0 = none. */
  #broken = 0;
  /** The owner is done; the rest is sent, then the socket closes. */
  #lingering: NodeJS.Timeout | null = null;
  #draining = false;

  constructor(handle: TcpHandle, owner: TransportOwner) {
    this.#handle = handle;
    this.#owner = owner;
    handle.owner = this;
    handle.onread = readFromHandle;
    handle.useUserBuffer(READ_BUFFER);
    handle.setNoDelay(true);
  }

  connect({ address, port }: Endpoint): void {
    const request = newConnectRequest();
    request.oncomplete = (status) => this.#connected(status);
    this.#opener = true;
    this.#connecting = true;
    const handle = this.#handle;
    const isV6 = address.includes(':');
    const error = isV6
      ? handle.connect6(request, address, port)
      : handle.connect(request, address, port);
    // Nobody expects to hear of a failure before connect() has returned.
    if (error !== 0) setImmediate(() => this.#connected(error));
  }

  localAddress(): number {
    const name: SocketName = {};
    if (this.#closing || this.#handle.getsockname(name) !== 0) return 0;
    return packAddress(name.address ?? '', name.port ?? 0);
  }

  remoteAddress(): number {
    const name: SocketName = {};
    if (this.#closing || this.#handle.getpeername(name) !== 0) return 0;
    return packAddress(name.address ?? '', name.port ?? 0);
  }

  pause(): void {
    if (!this.#reading || this.#closing) return;
    this.#reading = false;
    this.#handle.readStop();
  }

  resume(): void {
    if (this.#reading || this.#closing || this.#connecting || this.#ended) return;
    this.#reading = true;
    const error = this.#handle.readStart();
    if (error !== 0) this.#failed(error);
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#closing || this.#finishing || this.#connecting || this.#broken !== 0) return true;
    writeRequest ??= newWriteRequest();
    const request = writeRequest;
    const error =
      typeof chunk === 'string'
        ? this.#handle.writeLatin1String(request, chunk)
        : this.#handle.writeBuffer(request, chunk);
    if (error !== 0) {
      this.#sendFailed(error);
      return true;
    }
    this.bytesWritten += chunk.length;
    if (!lastWriteIsPending()) return true;
    writeRequest = null;
    this.#waitFor(request, chunk);
    if (this.unsent < WRITE_HIGH_WATER) return true;
    this.#draining = true;
    return false;
  }

  pass(buffer: Buffer, from: number, to: number): boolean {
    return this.write(Buffer.from(buffer.subarray(from, to)));
  }

  finish(): void {
    if (this.#finishing || this.#closing || this.#connecting) return;
    this.#finishing = true;
    const request = newShutdownRequest();
    request.oncomplete = () => this.#finSent();
    const error = this.#handle.shutdown(request);
    if (error === NOT_CONNECTED) setImmediate(() => this.#finSent());
    else if (error !== 0) this.#failed(error);
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
    // libuv refuses a reset while a FIN is on its way, and there is nothing to reset before the
    // connection is up.
    const isLate = this.#connecting || (this.#finishing && !this.#finished);
    if (isLate || this.#handle.reset(() => this.#closed()) !== 0) {
      this.#close();
      return;
    }
    this.#beginClosing();
  }

  /** For `readFromHandle` only. */
  hasRead(length: number): void {
    if (this.#closing) return;
    if (length > 0) {
      this.bytesRead += length;
      this.#owner.received(READ_BUFFER, length);
    } else if (length < 0 && this.#broken !== 0) this.#failed(this.#broken);
    else if (length === END_OF_FILE) this.#peerEnded();
    else if (length < 0) this.#failed(length);
  }

  #connected(status: number): void {
    if (this.#closing) return;
    this.#connecting = false;
    if (status !== 0) this.#failed(status);
    else this.#owner.connected();
  }

  #waitFor(request: Request, chunk: Uint8Array | string): void {
    const { length } = chunk;
    this.unsent += length;
    // libuv has only the address: without this, the bytes could be collected and used again.
    request.chunk = chunk;
    request.oncomplete = (status) => {
      this.unsent -= length;
      if (this.#closing) return;
      if (status !== 0) this.#sendFailed(status);
      else if (this.unsent === 0 && this.#draining) {
        this.#draining = false;
        this.#owner.drained();
      }
    };
  }

  /** As in native-transport.ts: what the peer said before it was gone is read first. */
  #sendFailed(error: number): void {
    const isOver = error === BROKEN_PIPE || error === CONNECTION_RESET;
    if (!this.#opener || !this.#reading || !isOver) this.#failed(error);
    else if (this.#broken === 0) {
      this.#broken = error;
      this.#owner.errored(getSystemErrorName(error));
    }
  }

  #peerEnded(): void {
    if (!this.#finishing && wasReset(this.#handle)) {
      this.#failed(CONNECTION_RESET);
      return;
    }
    this.#ended = true;
    this.#reading = false;
    this.#handle.readStop();
    this.#owner.peerEnded();
    if (this.#finished) this.#close();
  }

  #finSent(): void {
    if (this.#closing) return;
    this.#finished = true;
    if (this.#ended || this.#lingering !== null) this.#close();
  }

  #failed(error: number): void {
    if (this.#closing) return;
    if (this.#broken === 0) this.#owner.errored(getSystemErrorName(error));
    this.#close();
  }

  #close(): void {
    if (this.#closing) return;
    this.#beginClosing();
    this.#handle.close(() => this.#closed());
  }

  #beginClosing(): void {
    this.#closing = true;
    this.#reading = false;
    if (this.#lingering !== null) clearTimeout(this.#lingering);
  }

  #closed(): void {
    this.#handle.owner = undefined;
    this.#owner.gone();
  }
}

/** One function for all handles: what was read lies in the shared buffer. */
function readFromHandle(this: TcpHandle): void {
  const { owner } = this;
  if (owner instanceof HandleTransport) owner.hasRead(lastRead());
}
