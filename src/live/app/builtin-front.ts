/**
 * The app's HTTP side on our own framing: the same app at a third of node:http's cost, so that
 * a small machine can carry the load of a large one (bench/RESULTS.md).
 *
 * Time limits are node:http's: `keepAliveTimeout` between requests, 60 s for a first request
 * and 300 s for a request under way (nodejs.org/api/http.html, server.headersTimeout and
 * server.requestTimeout); what is late is answered with 408.
 */
import type { Endpoint } from '../../model/run.ts';
import type { AppHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import { Deadlines } from '../relay-http/deadlines.ts';
import type { HopContext } from '../runtime/context.ts';
import { BuiltinConnection, type ConnectionOwner } from './builtin-connection.ts';
import type { AppFront, Call } from './call.ts';

const REQUEST_TIMEOUT: Micros = 60_000_000;
const LINGER: Micros = 1_000_000;

export class BuiltinFront implements AppFront, ConnectionOwner {
  readonly listeners: readonly Listener[];
  readonly requestDeadlines: Deadlines;
  readonly lingerDeadlines: Deadlines;
  readonly tracedDownstream: boolean;
  readonly serve: (call: Call) => void;
  idleDeadlines: Deadlines;
  stopping = false;
  readonly #ctx: HopContext<AppHop>;

  constructor(ctx: HopContext<AppHop>, serve: (call: Call) => void) {
    this.#ctx = ctx;
    this.tracedDownstream = ctx.tracedDownstream;
    this.idleDeadlines = new Deadlines(ctx.clock, ctx.hop.keepAliveTimeout);
    this.requestDeadlines = new Deadlines(ctx.clock, REQUEST_TIMEOUT);
    this.lingerDeadlines = new Deadlines(ctx.clock, LINGER);
    this.serve = (call) => {
      if (call.purpose === 'traffic') ctx.counters.requests += 1;
      serve(call);
    };
    this.listeners = ctx.incoming.map(
      (link, index) =>
        new Listener({
          instance: ctx.instance.index,
          link,
          listen: ctx.instance.replica === 0 && index === 0 ? ctx.hop.listen : null,
          backlog: ctx.hop.backlog,
          ends: ctx.ends,
          handlers: noHandlers,
          onAccept: (end) => new BuiltinConnection(this, end),
        }),
    );
  }

  listen(): Promise<Endpoint[]> {
    return Promise.all(this.listeners.map((listener) => listener.open()));
  }

  /** Connections that are idle already keep the limit that they began with. */
  configure(keepAliveTimeout: Micros): void {
    if (keepAliveTimeout === this.idleDeadlines.delay) return;
    this.idleDeadlines = new Deadlines(this.#ctx.clock, keepAliveTimeout);
  }

  stop(): void {
    this.stopping = true;
    for (const deadlines of [this.idleDeadlines, this.requestDeadlines, this.lingerDeadlines]) {
      deadlines.stop();
    }
  }

  now(): Micros {
    return this.#ctx.clock.now();
  }

  answered(end: ConnectionEnd, status: number, startedAt: Micros): void {
    if (end.link.purpose === 'alive') return;
    this.#ctx.counters.answer(status, this.#ctx.clock.now() - startedAt);
  }

  broken(end: ConnectionEnd): void {
    if (end.link.purpose === 'traffic') this.#ctx.counters.failed += 1;
  }
}
