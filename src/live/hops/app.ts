/**
 * The app: a small REST API on `node:http` and mysql2, standing for a user's Node app.
 *
 *   GET  /items/:id   `queriesPerRequest` point queries, after the service time
 *   POST /items       an insert
 *   GET  /alive       200 without the database: the alive check of the incident
 *
 * Its sockets belong to node:http; their books are kept beside it (`ends.adopt`). A database
 * that refuses, or gives no connection in time, is a 503; a query that fails is a 500.
 */
import http from 'node:http';
import type { Socket } from 'node:net';
import { PARENT_NONE, PARENT_REMOTE } from '../../model/event.ts';
import { hopNamed } from '../../model/plan.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { Action, AppHop } from '../../model/topology.ts';
import {
  type Credentials,
  DatabasePool,
  type Parent,
  type QueryFailure,
} from '../app/database-pool.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { DATABASE_NAME, INSERT_ITEM, ITEM_COUNT, SELECT_ITEM } from '../database/items.ts';
import { Station } from '../database/station.ts';
import { decodeTraceparent } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { LISTEN_BACKLOG, listenOn } from '../io/listener.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

const BODY_BYTES_MAX = 1_048_576;
/** Errors that mean "not now" rather than "your query is wrong". */
const BUSY = new Set(['ER_CON_COUNT_ERROR', 'ACQUIRE_TIMEOUT', 'NO_CONNECTION', 'ECONNREFUSED']);

export function createApp(ctx: HopContext<AppHop>): LiveHop {
  return new App(ctx);
}

class App implements LiveHop {
  readonly #ctx: HopContext<AppHop>;
  readonly #station: Station;
  readonly #servers: { readonly server: http.Server; readonly link: Link }[];
  readonly #ends = new WeakMap<Socket, ConnectionEnd>();
  readonly #restore: WakeTimer;
  #bound: Endpoint[] = [];
  #settings: AppHop;
  #pool: DatabasePool | null = null;

  constructor(ctx: HopContext<AppHop>) {
    this.#ctx = ctx;
    this.#settings = ctx.hop;
    this.#station = new Station(ctx.clock, ctx.hop, ctx.random('service'));
    this.#servers = ctx.incoming.map((link) => ({ link, server: this.#serverFor(link) }));
    this.#restore = new WakeTimer(ctx.clock, () => this.#listenAgain());
  }

  async listen(): Promise<Endpoint[]> {
    const { hop, instance } = this.#ctx;
    this.#bound = await Promise.all(
      this.#servers.map(async ({ server, link }) => {
        const listen = instance.replica === 0 && link.purpose === 'traffic' ? hop.listen : null;
        const { address, port } = await listenOn(server, listen);
        return { instance: instance.index, link: link.index, address, port };
      }),
    );
    return this.#bound;
  }

  begin(): void {}

  endLoad(): void {}

  apply(action: Action): boolean {
    const { hop, instance, ends, clock } = this.#ctx;
    if (action.action === 'slow' && action.hop === hop.name) {
      this.#station.slow(action.factor, action.lasts);
      return true;
    }
    if (action.action === 'stall' && action.hop === hop.name) {
      this.#station.stall(action.lasts);
      return true;
    }
    if (action.action === 'host-down' && instance.host === `${action.hosts}#${action.replica}`) {
      for (const { server } of this.#servers) server.close();
      for (const end of [...ends.live]) end.reset('local_rst');
      this.#restore.wakeAt(clock.now() + action.lasts);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return false;
    if (changed.pool !== this.#settings.pool) this.#pool?.configure(changed.pool);
    else this.#station.configure(changed);
    this.#settings = changed;
    return true;
  }

  async stop(): Promise<void> {
    this.#restore.cancel();
    this.#station.stop();
    this.#pool?.stop();
    for (const { server } of this.#servers) server.close();
    await this.#ctx.ends.closeAll();
  }

  #serverFor(link: Link): http.Server {
    const server = http.createServer(
      { keepAliveTimeout: this.#ctx.hop.keepAliveTimeout / 1_000, noDelay: true },
      (request, response) => this.#request(link, request, response),
    );
    server.on('connection', (socket) => {
      this.#ends.set(socket, this.#ctx.ends.adopt(link, socket, 'acceptor'));
    });
    // node:http closes idle keep-alive connections here unless somebody listens.
    server.on('timeout', (socket) => {
      this.#ends.get(socket)?.close('idle_timeout');
    });
    server.on('clientError', (_error, socket) => {
      const end = socket instanceof Object ? this.#ends.get(socket as Socket) : undefined;
      end?.blame('protocol_error');
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    return server;
  }

  #request(link: Link, request: http.IncomingMessage, response: http.ServerResponse): void {
    const end = this.#ends.get(request.socket);
    if (end === undefined) return;
    const { counters, clock } = this.#ctx;
    const ordinal = this.#book(end, request.headers.traceparent);
    const startedAt = clock.now();
    let over = false;
    const finish = (status: number): void => {
      if (over) return;
      over = true;
      end.exchangeEnded(ordinal, status, status > 0 ? 'none' : 'reset');
      if (status > 0 && link.purpose === 'traffic')
        counters.answer(status, clock.now() - startedAt);
    };
    response.on('finish', () => finish(response.statusCode));
    response.on('close', () => finish(0));
    if (request.headers.connection?.toLowerCase() === 'close') end.blame('max_requests');
    if (link.purpose === 'traffic') counters.requests += 1;
    if (request.url === '/alive' || link.purpose === 'alive') {
      this.#answer(response, 200, 'alive');
      return;
    }
    this.#withBody(request, response, () => {
      const accepted = this.#station.submit(() => this.#serve(request, response, { end, ordinal }));
      if (!accepted) this.#answer(response, 503, 'too many requests wait');
    });
  }

  #book(end: ConnectionEnd, traceparent: string | string[] | undefined): number {
    const traced =
      this.#ctx.tracedDownstream && typeof traceparent === 'string'
        ? decodeTraceparent(traceparent)
        : null;
    if (traced === null) return end.exchangeStarted(PARENT_NONE, 0, 0);
    return end.exchangeStarted(PARENT_REMOTE + traced.process, traced.end, traced.exchange);
  }

  /** Reads the body away, then goes on. */
  #withBody(request: http.IncomingMessage, response: http.ServerResponse, then: () => void): void {
    if (request.method === 'GET') {
      request.resume();
      then();
      return;
    }
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX && !response.headersSent) {
        response.setHeader('Connection', 'close');
        this.#answer(response, 413, 'the body is too large');
      }
    });
    request.on('end', () => {
      if (bytes <= BODY_BYTES_MAX) then();
    });
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse, parent: Parent): void {
    const item = /^\/items\/(\d{1,9})(?:\?.*)?$/.exec(request.url ?? '');
    if (request.method === 'POST' && request.url === '/items') {
      this.#queries(response, parent, INSERT_ITEM, ['new item', 1], 1, 201);
    } else if (request.method === 'GET' && item !== null) {
      const id = 1 + ((Number(item[1]) + ITEM_COUNT - 1) % ITEM_COUNT);
      const { queriesPerRequest } = this.#settings;
      this.#queries(response, parent, SELECT_ITEM, [id], queriesPerRequest, 200);
    } else this.#answer(response, 404, 'not found');
  }

  #queries(
    response: http.ServerResponse,
    parent: Parent,
    sql: string,
    parameters: (string | number)[],
    left: number,
    status: number,
  ): void {
    const pool = this.#database();
    if (left === 0 || pool === null) {
      this.#answer(response, status, 'ok');
      return;
    }
    pool.query(sql, parameters, parent, (failure: QueryFailure | null) => {
      if (failure === null) {
        this.#queries(response, parent, sql, parameters, left - 1, status);
        return;
      }
      this.#ctx.log(`${failure.code}: ${failure.message}`);
      this.#answer(response, BUSY.has(failure.code) ? 503 : 500, failure.code);
    });
  }

  /** The database's place is known only after it listens, which is before the first request. */
  #database(): DatabasePool | null {
    const { outgoing, targets, topology } = this.#ctx;
    if (outgoing === null) return null;
    if (this.#pool !== null) return this.#pool;
    const target = targets(outgoing)[0];
    if (target === undefined) return null;
    const database = hopNamed(topology, outgoing.upstream);
    const url = database.kind === 'database' ? database.url : null;
    this.#pool = new DatabasePool(this.#ctx, outgoing, target, credentialsOf(url));
    return this.#pool;
  }

  #answer(response: http.ServerResponse, status: number, note: string): void {
    if (response.headersSent || response.destroyed) return;
    const filler = Math.max(0, this.#settings.responseBytes - note.length - 22);
    const body = JSON.stringify({ note, filler: '.'.repeat(filler) });
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  }

  #listenAgain(): void {
    this.#servers.forEach(({ server }, index) => {
      const bound = this.#bound[index];
      if (bound === undefined || server.listening) return;
      server.listen({ host: bound.address, port: bound.port, backlog: LISTEN_BACKLOG });
    });
  }
}

function credentialsOf(url: string | null): Credentials {
  if (url === null) {
    return { user: DATABASE_USER, password: DATABASE_PASSWORD, database: DATABASE_NAME };
  }
  const { username, password, pathname } = new URL(url);
  return {
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
  };
}
