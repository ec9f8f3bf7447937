/**
 * Transport: what a ConnectionEnd needs of a TCP socket, and what it hears from it. Two kinds:
 *
 * - `HandleTransport` (handle-transport.ts): node's TCP handle without its streams. A third of
 *   the cost of a short connection, and the least of a request.
 * - `SocketTransport` (socket-transport.ts): a `net.Socket`; for sockets that node:http or
 *   mysql2 read, and where this Node has no such handles.
 *
 * Both treat a connection alike: the two directions end one by one (RFC 9293 section 3.6), and
 * when both have ended the socket closes by itself.
 */

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
  /** Sends our FIN after what was written; the other direction stays open. */
  finish(): void;
  /** FIN after what was written, then gone. Bytes not read are dropped. */
  close(): void;
  /** RST, at once, unless our FIN is on its way already: then gone without one. */
  reset(): void;
}
