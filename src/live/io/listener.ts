/**
 * A listener of one link: accepts every connection, wraps its handle in a socket with `onread`
 * (the only way for accepted sockets to get one) and hands out ConnectionEnds, not yet reading.
 */
import net from 'node:net';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from './connection-end.ts';

/** Connections that may wait in the kernel's accept queue. */
export const LISTEN_BACKLOG = 4_096;

/** For owners that set `end.handlers` for each end in `onAccept`. */
export const noHandlers: EndHandlers = {
  onData() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
};

export interface ListenerOptions {
  readonly instance: number;
  readonly link: Link;
  /** `address:port`, or null for any free port of 127.0.0.1. */
  readonly listen: string | null;
  readonly ends: EndRegistry;
  readonly handlers: EndHandlers;
  /** Called with each accepted end; call `end.resume()` to start reading. */
  readonly onAccept: (end: ConnectionEnd) => void;
}

interface WithHandle {
  _handle: unknown;
}

/** Takes the handle out of a socket, so that another socket can own it. */
function detach(socket: net.Socket): unknown {
  const holder = socket as unknown as WithHandle;
  const handle = holder._handle;
  holder._handle = null;
  // Destroying the empty shell only tells the server to count one connection less.
  socket.destroy();
  return handle;
}

function wrap(handle: unknown, onread: net.OnReadOpts): net.Socket {
  const options: net.SocketConstructorOpts & { handle: unknown; onread: net.OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    onread,
  };
  const socket = new net.Socket(options);
  // A socket made around a handle reads at once; ours are not touched until resume(): what a
  // held connection has sent must stay in the kernel, and its end unseen.
  socket.pause();
  socket.setNoDelay(true);
  return socket;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: net.Server;
  #bound: { address: string; port: number } | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (shell) => {
      const handle = detach(shell);
      const { ends, link, handlers } = this.#options;
      this.#options.onAccept(ends.accept(link, handlers, (onread) => wrap(handle, onread)));
    });
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES) when it cannot listen. */
  open(): Promise<Endpoint> {
    const { listen, instance, link } = this.#options;
    return listenOn(this.#server, listen).then(({ address, port }) => {
      this.#bound = { address, port };
      return { instance, link: link.index, address, port };
    });
  }

  /** Stops listening for a while: connects are refused, as when the host is gone. */
  suspend(): void {
    if (this.#server.listening) this.#server.close();
  }

  /** Listens again at the same place after `suspend`. */
  restore(): void {
    if (this.#bound === null || this.#server.listening) return;
    const { address, port } = this.#bound;
    this.#server.listen({ host: address, port, backlog: LISTEN_BACKLOG });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#server.listening) resolve();
      else this.#server.close(() => resolve());
    });
  }
}

/** Listens on `address:port` or any free loopback port; for node:http servers too. */
export function listenOn(
  server: net.Server,
  listen: string | null,
): Promise<{ address: string; port: number }> {
  const colon = listen?.lastIndexOf(':') ?? -1;
  const host = listen === null ? '127.0.0.1' : listen.slice(0, colon);
  const port = listen === null ? 0 : Number(listen.slice(colon + 1));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('not a TCP listener'));
      else resolve({ address: bound.address, port: bound.port });
    });
  });
}
