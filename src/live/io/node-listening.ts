/**
 * Listening with a server of node's: each connection's handle is taken before (or, without bare
 * handles, out of) the `net.Socket` that node would read it with.
 */
import net from 'node:net';
import { type AcceptPause, pauseOf } from './accept-pause.ts';
import { HandleTransport } from './handle-transport.ts';
import { listenOn } from './listen-on.ts';
import { type Accepting, type Listening, type Place, RESTORE_EVERY_MS } from './listening.ts';
import { SocketTransport } from './socket-transport.ts';
import { handlesAvailable, isTcpHandle } from './tcp-handles.ts';

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

export class NodeListening implements Listening {
  readonly #for: Accepting;
  readonly #server: net.Server;
  #bound: Place | null = null;
  #restoring: NodeJS.Timeout | null = null;
  readonly #pause: AcceptPause;

  constructor(accepting: Accepting) {
    this.#for = accepting;
    this.#server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, (shell) => {
      this.#accept(detach(shell));
    });
    this.#pause = pauseOf(this.#server, accepting, () => this.#takeHandles());
  }

  async open(): Promise<Place> {
    const { place, backlog } = this.#for;
    this.#bound = await listenOn(this.#server, `${place.address}:${place.port}`, backlog);
    this.#takeHandles();
    return this.#bound;
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
    const { address: host, port } = this.#bound;
    const { backlog } = this.#for;
    const again = (): void => {
      this.#restoring = setTimeout(() => this.restore(), RESTORE_EVERY_MS);
    };
    this.#server.once('error', again);
    this.#server.listen({ host, port, backlog }, () => {
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
    const end = this.#for.accepted({
      transport: (owner) =>
        handlesAvailable && isTcpHandle(handle)
          ? new HandleTransport(handle, owner)
          : SocketTransport.accepted(handle, owner),
    });
    if (this.#pause.check()) this.#for.begun(end);
    else end.reset('overflow');
  }
}
