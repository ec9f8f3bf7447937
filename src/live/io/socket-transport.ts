/**
 * A TCP connection on a `net.Socket`: sockets that node:http or mysql2 made and read themselves
 * (`own` is false: only the books are kept), and ours where this Node has no bare handles.
 * Ours are read through a preallocated `onread` buffer, several times cheaper than streams.
 */
import net from 'node:net';
import { packAddress } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import { isTcpHandle, wasReset } from './tcp-handles.ts';
import {
  LINGER_MS,
  READ_BUFFER,
  type Transport,
  type TransportOwner,
  WRITE_HIGH_WATER,
} from './transport.ts';

export class SocketTransport implements Transport {
  readonly #socket: net.Socket;
  readonly #owner: TransportOwner;
  #draining = false;

  constructor(socket: net.Socket, owner: TransportOwner, own: boolean) {
    this.#socket = socket;
    this.#owner = owner;
    socket.on('error', (error: NodeJS.ErrnoException) => owner.errored(error.code ?? ''));
    socket.on('close', () => owner.gone());
    socket.on('end', () => this.#peerEnded(own));
    if (own) socket.on('drain', () => this.#drained());
    if (socket.connecting) socket.on('connect', () => owner.connected());
  }

  static connect({ address, port }: Endpoint, owner: TransportOwner): SocketTransport {
    const socket = net.connect({
      host: address,
      port,
      allowHalfOpen: true,
      noDelay: true,
      onread: onreadOf(owner),
    });
    socket.pause();
    return new SocketTransport(socket, owner, true);
  }

  /** Around the handle of an accepted socket: the only way for those to get `onread`. */
  static accepted(handle: unknown, owner: TransportOwner): SocketTransport {
    const options: net.SocketConstructorOpts & { handle: unknown; onread: net.OnReadOpts } = {
      handle,
      allowHalfOpen: true,
      onread: onreadOf(owner),
    };
    const socket = new net.Socket(options);
    // A socket made around a handle reads at once; ours are not touched until resume(): what a
    // held connection has sent must stay in the kernel, and its end unseen.
    socket.pause();
    socket.setNoDelay(true);
    return new SocketTransport(socket, owner, true);
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  localAddress(): number {
    return packAddress(this.#socket.localAddress ?? '', this.#socket.localPort ?? 0);
  }

  remoteAddress(): number {
    return packAddress(this.#socket.remoteAddress ?? '', this.#socket.remotePort ?? 0);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  write(chunk: Uint8Array | string): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    if (typeof chunk === 'string') socket.write(chunk, 'latin1');
    else socket.write(chunk);
    if (socket.writableLength < WRITE_HIGH_WATER) return true;
    this.#draining = true;
    return false;
  }

  pass(buffer: Buffer, from: number, to: number): boolean {
    return this.write(Buffer.from(buffer.subarray(from, to)));
  }

  finish(): void {
    this.#socket.end();
  }

  close(): void {
    const socket = this.#socket;
    if (socket.connecting || socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    const limit = setTimeout(() => this.reset(), LINGER_MS).unref();
    socket.once('close', () => clearTimeout(limit));
    socket.destroySoon();
  }

  /**
   * Not with node's `resetAndDestroy`, which sends a FIN first: it waits for a peer that does
   * not read, and when the peer closes meanwhile libuv refuses the reset (EINVAL, the FIN is
   * still on its way) and node forgets the socket without closing it. Where our own FIN is on
   * its way it is too late for a reset; the connection is then closed without.
   */
  reset(): void {
    const socket = this.#socket;
    const isFinishing = socket.writableEnded && !socket.writableFinished;
    if (!socket.connecting && !isFinishing) Reflect.set(socket, 'resetAndClosing', true);
    socket.destroy();
  }

  #peerEnded(own: boolean): void {
    const socket = this.#socket;
    const handle: unknown = Reflect.get(socket, '_handle');
    if (!socket.writableEnded && isTcpHandle(handle) && wasReset(handle)) {
      this.#owner.errored('ECONNRESET');
      // Others hear of an end, and do what they always do.
      if (own) socket.destroy();
      return;
    }
    this.#owner.peerEnded();
  }

  #drained(): void {
    if (!this.#draining) return;
    this.#draining = false;
    this.#owner.drained();
  }
}

function onreadOf(owner: TransportOwner): net.OnReadOpts {
  return {
    buffer: READ_BUFFER,
    callback: (length) => {
      owner.received(READ_BUFFER, length);
      return true;
    },
  };
}
