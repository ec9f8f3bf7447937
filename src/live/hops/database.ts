/**
 * The embedded database: speaks the MySQL protocol over real TCP, so that a real driver with its
 * pool, prepared statements and errors talks to it. Limited connections ("Too many connections",
 * error 1040), limited CPU, service times, slowness and stalls as faults.
 */
import type { Endpoint } from '../../model/run.ts';
import type { Action, DatabaseHop } from '../../model/topology.ts';
import { type DatabaseShared, Session } from '../database/session.ts';
import { Reply } from '../database/wire.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { Station } from '../runtime/station.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';

export function createDatabase(ctx: HopContext<DatabaseHop>): LiveHop {
  return new EmbeddedDatabase(ctx);
}

class EmbeddedDatabase implements LiveHop, DatabaseShared {
  readonly #ctx: HopContext<DatabaseHop>;
  readonly #station: Station;
  readonly #listeners: Listener[];
  readonly #faults: HostFaults;
  #settings: DatabaseHop;
  #threads = 0;
  #prepared = 0;
  #insertId = 1_000;

  constructor(ctx: HopContext<DatabaseHop>) {
    this.#ctx = ctx;
    this.#settings = ctx.hop;
    this.#station = new Station(ctx.clock, ctx.hop, ctx.random('service'));
    this.#listeners = ctx.incoming.map(
      (link) =>
        new Listener({
          instance: ctx.instance.index,
          link,
          listen: ctx.hop.listen,
          ends: ctx.ends,
          handlers: noHandlers,
          onAccept: (end) => this.#accept(end),
        }),
    );
    this.#faults = new HostFaults(ctx, this.#listeners);
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
    if (action.action === 'stall' && action.hop === name) {
      this.#station.stall(action.lasts);
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
    await this.#faults.stop();
  }

  // DatabaseShared

  serve(done: () => void): boolean {
    this.#ctx.counters.requests += 1;
    return this.#station.submit(done);
  }

  takeStatement(): boolean {
    if (this.#prepared >= this.#settings.preparedStatementsMax) return false;
    this.#prepared += 1;
    return true;
  }

  giveStatements(count: number): void {
    this.#prepared -= count;
  }

  nextInsertId(): number {
    this.#insertId += 1;
    return this.#insertId;
  }

  answered(status: number, startedAt: number): void {
    this.#ctx.counters.answer(status, this.now() - startedAt);
  }

  now(): number {
    return this.#ctx.clock.now();
  }

  #accept(end: ConnectionEnd): void {
    if (this.#ctx.ends.acceptedOpen > this.#settings.connectionsMax) {
      end.writeOwned(new Reply(0).error(1_040, '08004', 'Too many connections').bytes());
      end.close('overflow');
      return;
    }
    this.#threads += 1;
    end.handlers = new Session(end, this.#threads, this);
    end.resume();
  }
}
