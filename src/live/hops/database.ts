/**
 * The embedded database: speaks the MySQL protocol over real TCP, so that a real driver with its
 * pool, prepared statements and errors talks to it. Limited connections ("Too many connections",
 * error 1040), limited CPU, service times, slowness and stalls as faults.
 *
 * During a stall connections are still accepted and greeted, as by a server whose disk hangs:
 * that is how an app's pool can grow to its limit meanwhile. Left out: locks, transactions,
 * whatever makes one query slower than another; service times are drawn.
 */
import type { Endpoint } from '../../model/run.ts';
import type { Action, DatabaseHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import { DATABASE_USER, SERVER_VERSION } from '../database/handshake.ts';
import { DATABASE_NAME, ItemTable } from '../database/items.ts';
import { DatabaseConnection, type DatabaseShared } from '../database/session.ts';
import type { Session } from '../database/statements.ts';
import { Station, type StationSettings } from '../database/station.ts';
import { variablesOf } from '../database/variables.ts';
import { Reply } from '../database/wire.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import { Deadlines } from '../relay-http/deadlines.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import { stationWitness } from './station-witness.ts';

/** MySQL's `connect_timeout`: a client must have authenticated within this. */
const CONNECT_TIMEOUT = 10_000_000;

export function createDatabase(ctx: HopContext<DatabaseHop>): LiveHop {
  return new EmbeddedDatabase(ctx);
}

/** For what is answered without waiting for the CPU. */
const AT_ONCE: StationSettings = {
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 0,
  waitingMax: 100_000,
  contention: 0,
};

class EmbeddedDatabase implements LiveHop, DatabaseShared {
  readonly #ctx: HopContext<DatabaseHop>;
  readonly #station: Station;
  /** Session statements: no service time, no limit, but the same stalls. */
  readonly #desk: Station;
  readonly #items = new ItemTable();
  readonly #connectDeadlines: Deadlines;
  readonly #listeners: Listener[];
  readonly #bursts: RandomStream;
  readonly #faults: HostFaults;
  #settings: DatabaseHop;
  /** Connections that were let in and are open. */
  #connected = 0;
  #threads = 0;
  #prepared = 0;
  #questions = 0;

  constructor(ctx: HopContext<DatabaseHop>) {
    const { hop, clock } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    this.#bursts = ctx.random('slow-requests');
    this.#station = new Station(clock, hop, ctx.random('service'), stationWitness(ctx));
    this.#desk = new Station(clock, AT_ONCE, ctx.random('desk'), () => {});
    this.#connectDeadlines = new Deadlines(clock, CONNECT_TIMEOUT);
    this.#listeners = ctx.incoming.map(
      (link, index) =>
        new Listener({
          instance: ctx.instance.index,
          link,
          // One fixed place serves one link; the others get ports of their own.
          listen: index === 0 ? hop.listen : null,
          backlog: hop.backlog,
          ends: ctx.ends,
          handlers: noHandlers,
          onAccept: (end) => this.#accept(end),
        }),
    );
    this.#faults = new HostFaults(ctx, this.#listeners);
  }

  get statementsMax(): number {
    return this.#settings.preparedStatementsMax;
  }

  listen(): Promise<Endpoint[]> {
    return Promise.all(this.#listeners.map((listener) => listener.open()));
  }

  begin(): void {}

  endLoad(): void {}

  apply(action: Action): boolean {
    const { name } = this.#ctx.hop;
    if (action.action === 'slow' && action.hop === name) {
      this.#station.slow(action.factor, action.lasts);
      return true;
    }
    if (action.action === 'slow-requests' && action.hop === name) {
      this.#station.burst(action, this.#bursts);
      return true;
    }
    if (action.action === 'stall' && action.hop === name) {
      this.#station.stall(action.lasts);
      this.#desk.stall(action.lasts);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#station.configure(changed);
    return true;
  }

  async stop(): Promise<void> {
    this.#station.stop();
    this.#desk.stop();
    this.#connectDeadlines.stop();
    await this.#faults.stop();
  }

  // DatabaseShared

  serve(done: () => void): boolean {
    const taken = this.#station.submit(done);
    this.#questions += 1;
    this.#ctx.counters.requests += 1;
    this.#count();
    return taken;
  }

  serveAtOnce(done: () => void): boolean {
    this.#questions += 1;
    this.#ctx.counters.requests += 1;
    return this.#desk.submit(done);
  }

  takeStatement(): boolean {
    if (this.#prepared >= this.#settings.preparedStatementsMax) return false;
    this.#prepared += 1;
    return true;
  }

  giveStatements(count: number): void {
    this.#prepared -= count;
  }

  sessionOf(thread: number): Session {
    return {
      items: this.#items,
      calls: {
        database: DATABASE_NAME,
        version: SERVER_VERSION,
        user: `${DATABASE_USER}@127.0.0.1`,
        connection_id: thread,
      },
      variable: (name) => variablesOf(this.#settings)[name],
      listing: (what) => this.#listing(what),
    };
  }

  answered(status: number, startedAt: number): void {
    this.#ctx.counters.answer(status, this.now() - startedAt);
    this.#count();
  }

  closed(): void {
    this.#connected -= 1;
  }

  now(): number {
    return this.#ctx.clock.now();
  }

  #accept(end: ConnectionEnd): void {
    if (this.#connected >= this.#settings.connectionsMax) {
      // Before the greeting no protocol is agreed on; all clients take this form, with the state.
      end.writeOwned(new Reply(0).error(1_040, '08004', 'Too many connections').bytes());
      end.close('overflow');
      return;
    }
    this.#connected += 1;
    this.#threads += 1;
    const connection = new DatabaseConnection(end, this.#threads, this);
    this.#connectDeadlines.set(connection);
    end.handlers = connection;
    end.resume();
  }

  #listing(what: 'variables' | 'status'): readonly (readonly [string, string])[] {
    if (what === 'variables') {
      const all = Object.entries(variablesOf(this.#settings));
      return all.sort().map(([name, value]) => [name, String(value)] as const);
    }
    return [
      ['Prepared_stmt_count', String(this.#prepared)],
      ['Questions', String(this.#questions)],
      ['Threads_connected', String(this.#connected)],
      ['Threads_running', String(this.#station.serving)],
    ];
  }

  #count(): void {
    this.#ctx.counters.active = this.#station.serving;
    this.#ctx.counters.held = this.#station.waiting;
  }
}
