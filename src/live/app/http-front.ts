/**
 * The app's HTTP side: one `node:http` server per incoming link, whose sockets belong to
 * node:http while their books are kept beside it (`ends.adopt`).
 *
 * Why node:http closes a connection, and how that is told:
 * - idle for `keepAliveTimeout`: its 'timeout' event, emitted for nothing else as long as
 *   `server.timeout` is 0; who listens to it closes the socket. → idle_timeout
 * - after a response to a request with `Connection: close` → max_requests, as the web servers
 *   before us book it: the connection was meant for one request
 * - 'clientError': malformed → protocol_error; head or body not in time → request_timeout; else
 *   the socket itself tells (peer_rst, peer_fin)
 * - a request left unread (413) → protocol_error
 *
 * node:http reads `keepAliveTimeout` in ms and 0 as "never", like the topology.
 */
import http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint, Link } from '../../model/run.ts';
import type { Micros } from '../../model/units.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { LISTEN_BACKLOG, listenOn } from '../io/listener.ts';
import type { HopContext } from '../runtime/context.ts';

/** Node's own defaults, written out because they differ between versions. */
const HEADERS_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 300_000;

export type Handler = (
  end: ConnectionEnd,
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => void;

export class HttpFront {
  readonly link: Link;
  readonly #ctx: HopContext;
  readonly #server: http.Server;
  readonly #ends = new WeakMap<Duplex, ConnectionEnd>();
  #bound: { address: string; port: number } | null = null;

  constructor(ctx: HopContext, link: Link, keepAliveTimeout: Micros, handler: Handler) {
    this.#ctx = ctx;
    this.link = link;
    const options: http.ServerOptions = {
      keepAliveTimeout: keepAliveTimeout / 1_000,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      noDelay: true,
    };
    this.#server = http.createServer(options, (request, response) => {
      const end = this.#ends.get(request.socket);
      if (end !== undefined) handler(end, request, response);
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#ends.set(socket, ctx.ends.adopt(link, socket, 'acceptor'));
    });
    this.#server.on('timeout', (socket: Socket) => this.#idle(socket));
    this.#server.on('clientError', (error, socket) => this.#clientError(error, socket));
  }

  /** @param listen `address:port`, or null for any free port */
  async listen(listen: string | null): Promise<Endpoint> {
    const { address, port } = await listenOn(this.#server, listen);
    this.#bound = { address, port };
    return { instance: this.#ctx.instance.index, link: this.link.index, address, port };
  }

  configure(keepAliveTimeout: Micros): void {
    this.#server.keepAliveTimeout = keepAliveTimeout / 1_000;
  }

  /** Stops listening. node:http closes idle connections too: say why in the same turn. */
  suspend(): void {
    if (this.#server.listening) this.#server.close();
  }

  restore(): void {
    if (this.#bound === null || this.#server.listening) return;
    const { address, port } = this.#bound;
    this.#server.listen({ host: address, port, backlog: LISTEN_BACKLOG });
  }

  #idle(socket: Socket): void {
    // Between two counts of the strike nothing may close by itself.
    if (this.#ctx.clock.frozen) return;
    const end = this.#ends.get(socket);
    if (end === undefined) socket.destroy();
    else end.close('idle_timeout');
  }

  #clientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const end = this.#ends.get(socket);
    const code = error.code ?? '';
    const isLate = code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const isMalformed = code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE';
    if (isLate) end?.blame('request_timeout');
    else if (isMalformed) end?.blame('protocol_error');
    const answers = (isLate || isMalformed) && socket.writable;
    if (!answers) socket.destroy();
    else {
      const status = isLate ? '408 Request Timeout' : '400 Bad Request';
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
        socket.destroy(),
      );
    }
  }
}
