/**
 * The app: a small REST API on `node:http` and mysql2, standing for a user's Node app.
 *
 *   GET  /items/:id   `queriesPerRequest` selects, one after another, after the service time
 *   POST /items       an insert first, then selects of what it inserted
 *   GET  /alive       200 without the database: the alive check of the incident. So is every
 *                     path that a health check of the topology asks for.
 *
 * Each query takes a connection from the pool and gives it back, as Sequelize does outside of
 * transactions. A database that refuses, or gives no connection in time, is a 503; a query that
 * fails is a 500; an item that is not there is a 404. Without a database every item is there.
 *
 * A client that leaves does not stop the work for its request, as in most Node apps.
 */
import type http from 'node:http';
import { PARENT_NONE, PARENT_REMOTE } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import type { Action, AppHop } from '../../model/topology.ts';
import { insertIdOf, itemJson, itemOf, sendError, sendJson } from '../app/answers.ts';
import {
  type Credentials,
  DatabasePool,
  type Parent,
  type QueryFailure,
} from '../app/database-pool.ts';
import { HttpFront } from '../app/http-front.ts';
import { newItemOf, readBody } from '../app/request-body.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { DATABASE_NAME, INSERT_ITEM, initialItem, SELECT_ITEM } from '../database/items.ts';
import { Station } from '../database/station.ts';
import { decodeTraceparent } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

const ITEM_PATH = /^\/items\/(\d{1,10})(?:\?.*)?$/;
/** Errors that mean "not now" rather than "your query is wrong". */
const BUSY = new Set([
  'ER_CON_COUNT_ERROR',
  'ACQUIRE_TIMEOUT',
  'NO_CONNECTION',
  'ECONNREFUSED',
  'ETIMEDOUT',
]);

/** One request on its way through the app. */
interface Job {
  readonly parent: Parent;
  readonly response: http.ServerResponse;
  /** Queries that it still has to make. */
  left: number;
  readonly status: 200 | 201;
  id: number;
  /** An item to insert first. */
  insert: { readonly name: string; readonly price: number } | null;
}

export function createApp(ctx: HopContext<AppHop>): LiveHop {
  return new App(ctx);
}

class App implements LiveHop {
  readonly #ctx: HopContext<AppHop>;
  readonly #station: Station;
  readonly #fronts: HttpFront[];
  readonly #restore: WakeTimer;
  readonly #alivePaths: ReadonlySet<string>;
  readonly #failures = new Map<string, number>();
  #settings: AppHop;
  #pool: DatabasePool | null = null;
  #stopping = false;

  constructor(ctx: HopContext<AppHop>) {
    const { hop, clock, topology } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    this.#station = new Station(clock, hop, ctx.random('service'));
    this.#fronts = ctx.incoming.map(
      (link) =>
        new HttpFront(ctx, link, hop.keepAliveTimeout, (end, request, response) =>
          this.#request(link.purpose, end, request, response),
        ),
    );
    this.#restore = new WakeTimer(clock, () => {
      for (const front of this.#fronts) front.restore();
    });
    const checks = topology.hops.flatMap((one) => ('healthCheck' in one ? [one.healthCheck] : []));
    this.#alivePaths = new Set(['/alive', ...checks.map((check) => check.path)]);
  }

  listen(): Promise<Endpoint[]> {
    const { hop, instance } = this.#ctx;
    return Promise.all(
      this.#fronts.map((front, index) =>
        front.listen(instance.replica === 0 && index === 0 ? hop.listen : null),
      ),
    );
  }

  begin(): void {}

  endLoad(): void {}

  apply(action: Action): boolean {
    const { hop } = this.#ctx;
    if (action.action === 'slow' && action.hop === hop.name) {
      this.#station.slow(action.factor, action.lasts);
      return true;
    }
    if (action.action === 'stall' && action.hop === hop.name) {
      this.#station.stall(action.lasts);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#fault(action);
    this.#settings = changed;
    this.#station.configure(changed);
    this.#pool?.configure(changed.pool);
    for (const front of this.#fronts) front.configure(changed.keepAliveTimeout);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#restore.cancel();
    this.#station.stop();
    this.#pool?.stop();
    for (const front of this.#fronts) front.suspend();
    await this.#ctx.ends.closeAll();
  }

  #fault(action: Action): boolean {
    const { hop, instance, ends, clock, random } = this.#ctx;
    if (action.action === 'host-down') {
      if (instance.host !== `${action.hosts}#${action.replica}`) return false;
      for (const end of [...ends.live]) end.reset('local_rst');
      for (const front of this.#fronts) front.suspend();
      this.#restore.wakeAt(clock.now() + action.lasts);
      return true;
    }
    if (action.action !== 'reset-connections' || action.hop !== hop.name) return false;
    const stream = random('reset-connections');
    for (const end of [...ends.live]) {
      if (end.acceptor && stream.unit() < action.share) end.reset('local_rst');
    }
    return true;
  }

  #request(
    purpose: 'traffic' | 'alive',
    end: ConnectionEnd,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): void {
    const ordinal = this.#book(end, purpose, request, response);
    if (purpose === 'alive' || this.#alivePaths.has(request.url ?? '')) {
      request.resume();
      sendJson(response, 200, Buffer.from('{"alive":true}'));
      return;
    }
    const job = { parent: { end, ordinal }, response, left: this.#settings.queriesPerRequest };
    const item = ITEM_PATH.exec(request.url ?? '');
    if (request.method === 'GET' && item !== null) {
      request.resume();
      this.#serve({ ...job, status: 200, id: Number(item[1]), insert: null });
    } else if (request.method === 'POST' && request.url === '/items') {
      readBody(request, (body) => {
        const insert = body.kind === 'body' ? newItemOf(body.bytes) : null;
        if (insert !== null) this.#serve({ ...job, status: 201, id: 0, insert });
        else if (body.kind === 'body') sendError(response, 400, 'the body is no JSON object');
        else {
          // The rest of the body stays unread, so this connection cannot be used again.
          end.blame('protocol_error');
          response.setHeader('Connection', 'close');
          sendError(response, 413, 'the body is too large');
        }
      });
    } else {
      request.resume();
      sendError(response, 404, 'there is nothing here');
    }
  }

  /** Books the exchange and its end: the response handed to the kernel, or broken off. */
  #book(
    end: ConnectionEnd,
    purpose: 'traffic' | 'alive',
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

  #exchange(end: ConnectionEnd, traceparent: string | string[] | undefined): number {
    const origin =
      this.#ctx.tracedDownstream && typeof traceparent === 'string'
        ? decodeTraceparent(traceparent)
        : null;
    if (origin === null) return end.exchangeStarted(PARENT_NONE, 0, 0);
    return end.exchangeStarted(PARENT_REMOTE + origin.process, origin.end, origin.exchange);
  }

  #serve(job: Job): void {
    const taken = this.#station.submit(() => {
      this.#count();
      this.#queries(job);
    });
    if (!taken) sendError(job.response, 503, 'too many requests wait');
    this.#count();
  }

  #queries(job: Job): void {
    const pool = job.left === 0 ? null : this.#database();
    if (pool === null) {
      const { id, insert } = job;
      const item = insert === null ? initialItem(id) : { id, ...insert };
      sendJson(job.response, job.status, itemJson(item, this.#settings.responseBytes));
      return;
    }
    const { insert } = job;
    if (insert === null) {
      this.#select(job, pool);
      return;
    }
    job.left -= 1;
    pool.query(INSERT_ITEM, [insert.name, insert.price], job.parent, (failure, result) => {
      if (failure !== null) {
        this.#failed(job, failure);
        return;
      }
      job.id = insertIdOf(result);
      if (job.left > 0) this.#select(job, pool);
      else this.#queries(job);
    });
  }

  #select(job: Job, pool: DatabasePool): void {
    job.left -= 1;
    pool.query(SELECT_ITEM, [job.id], job.parent, (failure, rows) => {
      if (failure !== null) {
        this.#failed(job, failure);
        return;
      }
      const item = itemOf(rows);
      if (item === null) sendError(job.response, 404, 'there is no such item');
      else if (job.left > 0) this.#select(job, pool);
      else sendJson(job.response, job.status, itemJson(item, this.#settings.responseBytes));
    });
  }

  #failed(job: Job, { code, message }: QueryFailure): void {
    const times = (this.#failures.get(code) ?? 0) + 1;
    this.#failures.set(code, times);
    // The first, the tenth, the hundredth: a failing database must not drown the log.
    if (/^10*$/.test(String(times))) this.#ctx.log(`${code} (${times} so far): ${message}`);
    sendError(job.response, BUSY.has(code) ? 503 : 500, code);
  }

  /** The database's place is known only after it listens, which is before the first request. */
  #database(): DatabasePool | null {
    const { outgoing, targets, topology } = this.#ctx;
    if (outgoing === null || this.#pool !== null) return this.#pool;
    const target = targets(outgoing)[0];
    if (target === undefined) throw new Error(`${outgoing.name}: no database listens`);
    const database = topology.hops.find((hop) => hop.name === outgoing.upstream);
    const url = database?.kind === 'database' ? database.url : null;
    this.#pool = new DatabasePool(this.#ctx, outgoing, target, credentialsOf(url));
    this.#pool.configure(this.#settings.pool);
    return this.#pool;
  }

  #count(): void {
    this.#ctx.counters.active = this.#station.serving;
    this.#ctx.counters.held = this.#station.waiting;
  }
}

/** Those of a given URL; else the ones that both our databases know. */
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
