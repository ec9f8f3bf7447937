/**
 * A listener of one link: accepts every connection, takes its handle before (or, without bare
 * handles, out of) the `net.Socket` that node would read it with, and hands out
 * ConnectionEnds, not yet reading.
 */
import net from 'node:net';
import { packAddress } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import { AcceptPause } from './accept-pause.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from './connection-end.ts';
import { handlesAvailable } from './tcp-handles.ts';

/** As many as Linux grants by default (net.core.somaxconn); for listeners that are no hop's. */
const LISTEN_BACKLOG = 4_096;

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
  /** Connections that may wait in the kernel's accept queue. */
  readonly backlog: number;
  readonly ends: EndRegistry;
  readonly handlers: EndHandlers;
  /** Called with each accepted end; call `end.resume()` to start reading. */
  readonly onAccept: (end: ConnectionEnd) => void;
}

/** Takes the handle out of a socket, so that another owner can have it. */
function detach(socket: net.Socket): unknown {
  const handle: unknown = Reflect.get(socket, '_handle');
  Reflect.set(socket, '_handle', null);
  // Destroying the empty shell only tells the server to count one connection less.
  socket.destroy();
  return handle;
}

/** node's listening handle. */
interface ServerHandle {
  onconnection: (error: number, handle?: unknown) => void;
}

function isServerHandle(value: unknown): value is ServerHandle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'onconnection' in value &&
    typeof value.onconnection === 'function'
  );
}

/** Another process took the port of a suspended listener: it is tried again after so long. */
const RESTORE_EVERY_MS = 200;

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: net.Server;
  #bound: { address: string; port: number } | null = null;
  /** Where connections are accepted, packed; 0 where that is known only one by one. */
  #local = 0;
  #restoring: NodeJS.Timeout | null = null;
  readonly #pause: AcceptPause;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (shell) => {
      this.#accept(detach(shell));
    });
    this.#pause = pauseOf(this.#server, options, () => this.#takeHandles());
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES) when it cannot listen. */
  open(): Promise<Endpoint> {
    const { listen, backlog, instance, link } = this.#options;
    return listenOn(this.#server, listen, backlog).then(({ address, port }) => {
      this.#bound = { address, port };
      this.#local = address === '0.0.0.0' ? 0 : packAddress(address, port);
      this.#takeHandles();
      return { instance, link: link.index, address, port };
    });
  }

  /** Stops listening for a while: connects are refused, as when the host is gone. */
  suspend(): void {
    this.#endRestoring();
    this.#pause.end();
    if (this.#server.listening) this.#server.close();
  }

  /** Listens again at the same place after `suspend`, as soon as it is free. */
  restore(): void {
    this.#endRestoring();
    if (this.#bound === null || this.#server.listening) return;
    const { address, port } = this.#bound;
    const { backlog } = this.#options;
    const again = (): void => {
      this.#restoring = setTimeout(() => this.restore(), RESTORE_EVERY_MS);
    };
    this.#server.once('error', again);
    this.#server.listen({ host: address, port, backlog }, () => {
      this.#server.off('error', again);
      this.#takeHandles();
    });
  }

  close(): Promise<void> {
    this.#endRestoring();
    this.#pause.end();
    return new Promise((resolve) => {
      if (!this.#server.listening) resolve();
      else this.#server.close(() => resolve());
    });
  }

  #endRestoring(): void {
    if (this.#restoring !== null) clearTimeout(this.#restoring);
    this.#restoring = null;
  }

  /**
   * Where bare handles are used, they are taken as the kernel gives them, before a `net.Socket`
   * is made around each.
   */
  #takeHandles(): void {
    const handle: unknown = Reflect.get(this.#server, '_handle');
    if (!handlesAvailable || !isServerHandle(handle)) return;
    handle.onconnection = (error, accepted) => {
      // An error is one connection that the kernel could not give (EMFILE, ECONNABORTED).
      if (error === 0 && accepted !== undefined) this.#accept(accepted);
    };
  }

  #accept(handle: unknown): void {
    const { ends, link, handlers, onAccept } = this.#options;
    const end = ends.accept(link, handlers, handle, this.#local);
    if (this.#pause.check()) onAccept(end);
    else end.reset('overflow');
  }
}

/** @param resumed called when the server listens again */
export function pauseOf(
  server: net.Server,
  { ends, link, backlog }: Pick<ListenerOptions, 'ends' | 'link' | 'backlog'>,
  resumed: () => void,
): AcceptPause {
  return new AcceptPause(server, link, ends.descriptors, (handle) => {
    server.listen(handle, backlog, resumed);
  });
}

/** Listens on `address:port` or any free loopback port; for node:http servers too. */
export function listenOn(
  server: net.Server,
  listen: string | null,
  backlog = LISTEN_BACKLOG,
): Promise<{ address: string; port: number }> {
  const colon = listen?.lastIndexOf(':') ?? -1;
  const host = listen === null ? '127.0.0.1' : listen.slice(0, colon);
  const port = listen === null ? 0 : Number(listen.slice(colon + 1));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('not a TCP listener'));
      else resolve({ address: bound.address, port: bound.port });
    });
  });
}
