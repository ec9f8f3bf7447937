/**
 * The app's HTTP side on node:http, as most Node apps have it: one server per incoming link,
 * whose sockets belong to node:http while their books are kept beside it (`ends.adopt`).
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
 * node:http reads `keepAliveTimeout` as 0 = "never", like the topology, but in whole ms only, and
 * adds a second of its own (in Node 20 a constant, later `keepAliveTimeoutBuffer`). So the time
 * that it sets after a response is set anew, to what the topology says.
 */
import http from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { PARENT_NONE, PARENT_REMOTE } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { AppHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { Suspendable } from '../hops/host-faults.ts';
import { originForm } from '../http/request-line.ts';
import { decodeTraceparent } from '../http/trace-context.ts';
import { type AcceptPause, pauseOf } from '../io/accept-pause.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { listenOn } from '../io/listen-on.ts';
import type { HopContext } from '../runtime/context.ts';
import { type AppFront, BODY_BYTES_MAX, type Body, type Call } from './call.ts';

/** Node's own defaults, written out because they differ between versions. */
const HEADERS_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 300_000;

/** Another process took the port of a suspended server: it is tried again after so long. */
const RESTORE_EVERY_MS = 200;

type Context = HopContext<AppHop>;

export class NodeFront implements AppFront {
  readonly listeners: readonly NodeListener[];
  readonly #ctx: Context;
  readonly #serve: (call: Call) => void;
  #keepAliveTimeout: Micros;
  #stopping = false;

  constructor(ctx: Context, serve: (call: Call) => void) {
    this.#ctx = ctx;
    this.#serve = serve;
    this.#keepAliveTimeout = ctx.hop.keepAliveTimeout;
    this.listeners = ctx.incoming.map(
      (link) =>
        new NodeListener(ctx, link, (end, request, response) =>
          this.#request(link, end, request, response),
        ),
    );
  }

  listen(): Promise<Endpoint[]> {
    const { hop, instance } = this.#ctx;
    return Promise.all(
      this.listeners.map((listener, index) =>
        listener.open(instance.replica === 0 && index === 0 ? hop.listen : null),
      ),
    );
  }

  configure(keepAliveTimeout: Micros): void {
    this.#keepAliveTimeout = keepAliveTimeout;
    for (const listener of this.listeners) listener.configure(keepAliveTimeout);
  }

  stop(): void {
    this.#stopping = true;
  }

  #request(
    { purpose }: Link,
    end: ConnectionEnd,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): void {
    const ordinal = this.#book(end, purpose, request, response);
    const { method = '', url = '' } = request;
    if (method === 'GET' || method === 'HEAD') request.resume();
    this.#serve({
      end,
      ordinal,
      purpose,
      method,
      target: originForm(method, url),
      readBody: (then) => readBody(request, then),
      answer: (status, json, last = false) => {
        if (!last) request.resume();
        sendJson(response, status, json, last);
      },
    });
  }

  /** Books the exchange and its end: the response handed to the kernel, or broken off. */
  #book(
    end: ConnectionEnd,
    purpose: Link['purpose'],
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): number {
    const { counters, clock } = this.#ctx;
    const ordinal = this.#exchange(end, request.headers.traceparent);
    const startedAt = clock.now();
    if (purpose === 'traffic') counters.requests += 1;
    let isOver = false;
    response.on('finish', () => {
      isOver = true;
      end.exchangeEnded(ordinal, response.statusCode, 'none');
      if (!response.shouldKeepAlive) end.blame('max_requests');
      this.#idleFromNow(request.socket);
      if (purpose === 'traffic') counters.answer(response.statusCode, clock.now() - startedAt);
    });
    response.on('close', () => {
      if (isOver) return;
      isOver = true;
      end.exchangeEnded(ordinal, 0, this.#stopping ? 'shutdown' : 'aborted');
      if (purpose === 'traffic') counters.failed += 1;
    });
    return ordinal;
  }

  /** A time is set only where no further request is there already. */
  #idleFromNow(socket: Socket): void {
    if (socket.timeout) socket.setTimeout(this.#keepAliveTimeout / 1_000);
  }

  #exchange(end: ConnectionEnd, traceparent: string | string[] | undefined): number {
    const origin =
      this.#ctx.tracedDownstream && typeof traceparent === 'string'
        ? decodeTraceparent(traceparent)
        : null;
    if (origin === null) return end.exchangeStarted(PARENT_NONE, 0, 0);
    return end.exchangeStarted(PARENT_REMOTE + origin.process, origin.end, origin.exchange);
  }
}

type Handler = (
  end: ConnectionEnd,
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => void;

class NodeListener implements Suspendable {
  readonly #link: Link;
  readonly #ctx: Context;
  readonly #server: http.Server;
  readonly #ends = new WeakMap<Duplex, ConnectionEnd>();
  readonly #backlog: number;
  readonly #pause: AcceptPause;
  #bound: { address: string; port: number } | null = null;
  #restoring: NodeJS.Timeout | null = null;

  constructor(ctx: Context, link: Link, handler: Handler) {
    this.#ctx = ctx;
    this.#link = link;
    const options: http.ServerOptions = {
      keepAliveTimeout: wholeMilliseconds(ctx.hop.keepAliveTimeout),
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      noDelay: true,
    };
    this.#server = http.createServer(options, (request, response) => {
      const end = this.#ends.get(request.socket);
      if (end !== undefined) handler(end, request, response);
    });
    this.#backlog = ctx.hop.backlog;
    this.#pause = pauseOf(
      this.#server,
      { ends: ctx.ends, link, backlog: ctx.hop.backlog },
      () => {},
    );
    this.#server.on('connection', (socket: Socket) => {
      const end = ctx.ends.adopt(link, socket, 'acceptor');
      this.#ends.set(socket, end);
      if (!this.#pause.check()) end.reset('overflow');
    });
    this.#server.on('connect', (request, socket) => this.#connect(request, socket, handler));
    this.#server.on('timeout', (socket: Socket) => this.#idle(socket));
    this.#server.on('clientError', (error, socket) => this.#clientError(error, socket));
  }

  /** @param listen `address:port`, or null for any free port */
  async open(listen: string | null): Promise<Endpoint> {
    const { address, port } = await listenOn(this.#server, listen, this.#backlog);
    this.#bound = { address, port };
    return { instance: this.#ctx.instance.index, link: this.#link.index, address, port };
  }

  configure(keepAliveTimeout: Micros): void {
    this.#server.keepAliveTimeout = wholeMilliseconds(keepAliveTimeout);
  }

  /** Stops listening. node:http closes idle connections too: say why in the same turn. */
  suspend(): void {
    if (this.#restoring !== null) clearTimeout(this.#restoring);
    this.#restoring = null;
    this.#pause.end();
    if (this.#server.listening) this.#server.close();
  }

  restore(): void {
    if (this.#bound === null || this.#server.listening) return;
    const { address, port } = this.#bound;
    const again = (): void => {
      this.#restoring = setTimeout(() => this.restore(), RESTORE_EVERY_MS);
    };
    this.#server.once('error', again);
    this.#server.listen({ host: address, port, backlog: this.#backlog }, () =>
      this.#server.off('error', again),
    );
  }

  close(): Promise<void> {
    this.suspend();
    return Promise.resolve();
  }

  /** Without a listener node drops the connection without a word; a CONNECT is a request too. */
  #connect(request: http.IncomingMessage, socket: Duplex, handler: Handler): void {
    const end = this.#ends.get(socket);
    if (end === undefined || !(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    const response = new http.ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on('finish', () => socket.resume().end());
    handler(end, request, response);
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

function wholeMilliseconds(time: Micros): number {
  return Math.ceil(time / 1_000);
}

function sendJson(response: http.ServerResponse, status: number, json: string, last: boolean) {
  if (response.headersSent || response.destroyed) return;
  const head: http.OutgoingHttpHeaders = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
  };
  if (last) head.Connection = 'close';
  response.writeHead(status, head);
  response.end(json);
}

function readBody(request: http.IncomingMessage, then: (body: Body) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let over = false;
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) {
      chunks.push(chunk);
      return;
    }
    over = true;
    request.pause();
    then({ kind: 'too-large' });
  });
  request.on('end', () => {
    if (!over) then({ kind: 'body', bytes: Buffer.concat(chunks) });
  });
}
