/**
 * Transport: what a ConnectionEnd needs of a TCP socket, and what it hears from it. Three kinds:
 *
 * - `NativeTransport` (native-transport.ts): system calls and an epoll set of our own, where a C
 *   compiler was there as the project was set up. The least of everything.
 * - `HandleTransport` (handle-transport.ts): node's TCP handle without its streams. A third of
 *   the cost of a short connection on a `net.Socket`.
 * - `SocketTransport` (socket-transport.ts): a `net.Socket`; for sockets that node:http or
 *   mysql2 read, and where this Node has no such handles.
 *
 * All treat a connection alike: the two directions end one by one (RFC 9293 section 3.6), and
 * when both have ended the socket closes by itself.
 */

/**
 * A close that waits for a peer to read waits so long at most, as nginx's `send_timeout` (60 s,
 * nginx.org/en/docs/http/ngx_http_core_module.html#send_timeout); then it resets.
 */
export const LINGER_MS = 60_000;

/** Bytes that may wait in user space before write() returns false. */
export const WRITE_HIGH_WATER = 64 * 1_024;

/** One buffer for all reads of the process: what is read is used or copied at once. */
export const READ_BUFFER = Buffer.allocUnsafe(64 * 1_024);

export interface TransportOwner {
  connected(): void;
  /** Bytes 0..length of a shared buffer, valid only during the call. */
  received(buffer: Buffer, length: number): void;
  peerEnded(): void;
  /** Everything written has reached the kernel after a write() that returned false. */
  drained(): void;
  /** A system error (`ECONNREFUSED`, ...); `gone` follows. */
  errored(code: string): void;
  /** The socket is gone. Comes once, and last. */
  gone(): void;
}

/** A connection that a listener has accepted, before somebody owns it. */
export interface Accepted {
  transport(owner: TransportOwner): Transport;
}

export interface Transport {
  /** Bytes that the kernel has not taken yet. */
  readonly unsent: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Packed addresses (model/event.ts); 0 while unknown. */
  localAddress(): number;
  remoteAddress(): number;
  pause(): void;
  resume(): void;
  /** Sends a chunk that nobody will change, or a latin1 string; false: wait for `drained`. */
  write(chunk: Uint8Array | string): boolean;
  /** Sends buffer[from..to), which is valid only during the call: of READ_BUFFER, mostly. */
  pass(buffer: Buffer, from: number, to: number): boolean;
  /** Sends our FIN after what was written; the other direction stays open. */
  finish(): void;
  /** FIN after what was written, then gone. Bytes not read are dropped. */
  close(): void;
  /** RST, at once, unless our FIN is on its way already: then gone without one. */
  reset(): void;
}
