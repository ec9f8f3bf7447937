/**
 * The app: a small REST API with a database behind it, standing for a user's Node app.
 *
 *   GET  /items/:id   `queriesPerRequest` selects, one after another, after the service time
 *   POST /items       an insert first, then selects of what it inserted
 *   GET  /alive       200 without the database: the alive check of the incident. So is every
 *                     path that a health check of the topology asks for.
 *
 * `implementation: node` reads HTTP with node:http and speaks to the database with mysql2, as
 * such apps do. `builtin` uses our own framing and client, at a third of the cost.
 *
 * Each query takes a connection from the pool and gives it back, as Sequelize does outside of
 * transactions. A database that refuses, or gives no connection in time, is a 503; a query that
 * fails is a 500; an item that is not there is a 404. Without a database every item is there.
 *
 * A client that leaves does not stop the work for its request, as in most Node apps.
 */
import type { Endpoint } from '../../model/run.ts';
import type { Action, AppHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import { itemJson, newItemOf } from '../app/answers.ts';
import { BuiltinFront } from '../app/builtin-front.ts';
import { BuiltinSession } from '../app/builtin-session.ts';
import type { AppFront, Call } from '../app/call.ts';
import { DatabasePool } from '../app/database-pool.ts';
import type { Credentials, DatabaseSession, QueryFailure } from '../app/database-session.ts';
import { NodeFront } from '../app/node-front.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { DATABASE_NAME, INSERT_ITEM, initialItem, selectItem } from '../database/items.ts';
import { Station } from '../database/station.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import { stationWitness } from './station-witness.ts';

const ITEM_PATH = /^\/items\/(\d{1,10})(?:\?.*)?$/;
/** Errors that mean "not now" rather than "your query is wrong". */
const BUSY = new Set([
  'ER_CON_COUNT_ERROR',
  'ACQUIRE_TIMEOUT',
  'NO_CONNECTION',
  'ECONNREFUSED',
  'ETIMEDOUT',
]);

type SessionClass = new (...given: ConstructorParameters<typeof BuiltinSession>) => DatabaseSession;

/** One request on its way through the app. */
interface Job {
  readonly call: Call;
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
  readonly #front: AppFront;
  readonly #bursts: RandomStream;
  readonly #statements: RandomStream;
  readonly #faults: HostFaults;
  readonly #alivePaths: ReadonlySet<string>;
  readonly #failures = new Map<string, number>();
  #settings: AppHop;
  #pool: DatabasePool | null = null;
  #Session: SessionClass = BuiltinSession;

  constructor(ctx: HopContext<AppHop>) {
    const { hop, clock, topology } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    this.#bursts = ctx.random('slow-requests');
    this.#statements = ctx.random('statements');
    this.#station = new Station(clock, hop, ctx.random('service'), stationWitness(ctx));
    const Front = hop.implementation === 'node' ? NodeFront : BuiltinFront;
    this.#front = new Front(ctx, (call) => this.#request(call));
    this.#faults = new HostFaults(ctx, this.#front.listeners);
    const checks = topology.hops.flatMap((one) => ('healthCheck' in one ? [one.healthCheck] : []));
    this.#alivePaths = new Set(['/alive', ...checks.map((check) => check.path)]);
  }

  async listen(): Promise<Endpoint[]> {
    await this.#loadDriver();
    return this.#front.listen();
  }

  begin(): void {}

  endLoad(): void {}

  apply(action: Action): boolean {
    const { hop } = this.#ctx;
    if (action.action === 'slow' && action.hop === hop.name) {
      this.#station.slow(action.factor, action.lasts);
      return true;
    }
    if (action.action === 'slow-requests' && action.hop === hop.name) {
      this.#station.burst(action, this.#bursts);
      return true;
    }
    if (action.action === 'stall' && action.hop === hop.name) {
      this.#station.stall(action.lasts);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#station.configure(changed);
    this.#pool?.configure(changed.pool);
    this.#front.configure(changed.keepAliveTimeout);
    return true;
  }

  async stop(): Promise<void> {
    this.#station.stop();
    this.#pool?.stop();
    this.#front.stop();
    await this.#faults.stop();
  }

  #request(call: Call): void {
    const { method, target } = call;
    if (call.purpose === 'alive' || this.#alivePaths.has(target)) {
      call.answer(200, '{"alive":true}');
      return;
    }
    if (method === 'CONNECT') {
      // What follows may be meant for a tunnel, and must not be read as requests (RFC 9931).
      call.answer(501, errorJson('this app opens no tunnels'), true);
      return;
    }
    const left = this.#settings.queriesPerRequest;
    const reads = method === 'GET' || method === 'HEAD';
    const item = reads ? ITEM_PATH.exec(target) : null;
    if (item !== null) {
      this.#serve({ call, left, status: 200, id: Number(item[1]), insert: null });
    } else if (method === 'POST' && target === '/items') {
      call.readBody((body) => {
        const insert = body.kind === 'body' ? newItemOf(body.bytes) : null;
        if (insert !== null) this.#serve({ call, left, status: 201, id: 0, insert });
        else if (body.kind === 'body') refuse(call, 400, 'the body is no JSON object');
        else {
          // The rest of the body stays unread, so this connection cannot be used again.
          call.end.blame('protocol_error');
          call.answer(413, errorJson('the body is too large'), true);
        }
      });
    } else refuse(call, 404, 'there is nothing here');
  }

  #serve(job: Job): void {
    const taken = this.#station.submit(() => {
      this.#count();
      this.#queries(job);
    });
    if (!taken) refuse(job.call, 503, 'too many requests wait');
    this.#count();
  }

  #queries(job: Job): void {
    const pool = job.left === 0 ? null : this.#database();
    if (pool === null) {
      const { id, insert } = job;
      const item = insert === null ? initialItem(id) : { id, ...insert };
      job.call.answer(job.status, itemJson(item, this.#settings.responseBytes));
      return;
    }
    const { insert } = job;
    if (insert === null) {
      this.#select(job, pool);
      return;
    }
    job.left -= 1;
    pool.query(INSERT_ITEM, [insert.name, insert.price], job.call, (failure, result) => {
      if (failure !== null) {
        this.#failed(job, failure);
        return;
      }
      job.id = result.insertId;
      if (job.left > 0) this.#select(job, pool);
      else this.#queries(job);
    });
  }

  #select(job: Job, pool: DatabasePool): void {
    job.left -= 1;
    const { statements } = this.#settings;
    const text = statements === 1 ? 0 : this.#statements.below(statements);
    pool.query(selectItem(text), [job.id], job.call, (failure, { item }) => {
      if (failure !== null) {
        this.#failed(job, failure);
        return;
      }
      if (item === null) refuse(job.call, 404, 'there is no such item');
      else if (job.left > 0) this.#select(job, pool);
      else job.call.answer(job.status, itemJson(item, this.#settings.responseBytes));
    });
  }

  #failed(job: Job, { code, message }: QueryFailure): void {
    const times = (this.#failures.get(code) ?? 0) + 1;
    this.#failures.set(code, times);
    // The first, the tenth, the hundredth: a failing database must not drown the log.
    if (/^10*$/.test(String(times))) this.#ctx.log(`${code} (${times} so far): ${message}`);
    refuse(job.call, BUSY.has(code) ? 503 : 500, code);
  }

  /** mysql2 takes long to load: only where a database is asked through it. */
  async #loadDriver(): Promise<void> {
    if (this.#ctx.outgoing === null || this.#settings.implementation !== 'node') return;
    this.#Session = (await import('../app/mysql2-session.ts')).Mysql2Session;
  }

  /** The database's place is known only after it listens, which is before the first request. */
  #database(): DatabasePool | null {
    const { outgoing, targets, topology } = this.#ctx;
    if (outgoing === null || this.#pool !== null) return this.#pool;
    const target = targets(outgoing)[0];
    if (target === undefined) throw new Error(`${outgoing.name}: no database listens`);
    const database = topology.hops.find((hop) => hop.name === outgoing.upstream);
    const url = database?.kind === 'database' ? database.url : null;
    const credentials = credentialsOf(url);
    const { ends } = this.#ctx;
    this.#pool = new DatabasePool(
      this.#ctx,
      (owner) => new this.#Session(ends, outgoing, target, credentials, owner),
    );
    this.#pool.configure(this.#settings.pool);
    return this.#pool;
  }

  #count(): void {
    this.#ctx.counters.active = this.#station.serving;
    this.#ctx.counters.held = this.#station.waiting;
  }
}

function errorJson(error: string): string {
  return JSON.stringify({ error });
}

function refuse(call: Call, status: number, error: string): void {
  call.answer(status, errorJson(error));
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
