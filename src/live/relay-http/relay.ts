/**
 * Relay: what all L7 hops share. It owns the listeners, the downstream connections and their
 * keep-alive limits, and the deadlines; a hop only says where a request goes (`route`).
 *
 *   Listener ─► ServerConnection ─► Exchange ─route()─► UpstreamPool ─► ClientConnection
 */
import type { Endpoint, Link } from '../../model/run.ts';
import type { Hop, PoolSettings } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { KeepAliveSettings } from '../../policy/keep-alive.ts';
import type { RandomStream } from '../../random/stream.ts';
import { acceptorsOf } from '../hops/acceptors.ts';
import { PLAIN_REWRITE, type Rewrite } from '../http/rewrite.ts';
import { TRACEPARENT_LENGTH } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import type { HopContext } from '../runtime/context.ts';
import { ConnectionLimits } from './connection-limits.ts';
import { Deadlines } from './deadlines.ts';
import type { Exchange } from './exchange.ts';
import type { RelayRules } from './rules.ts';
import { ServerConnection } from './server-connection.ts';
import type { TunnelOffer } from './tunnel.ts';
import { UpstreamPool } from './upstream-pool.ts';

/** How long what a client still sends is dropped after our FIN (nginx's lingering_time is 30 s). */
const LINGER: Micros = 1_000_000;

const TRACE_LINE = `traceparent: ${'0'.repeat(TRACEPARENT_LENGTH)}\r\n`;
/** For HTTP/1.0 requests that leave as HTTP/1.1: no authority is known (RFC 9110 section 7.2). */
const HOST_LINE = 'Host:\r\n';
const CLOSE_LINE = 'Connection: close\r\n';
const UPGRADE_LINE = 'Connection: upgrade\r\n';

export interface RelayOptions {
  readonly ctx: HopContext;
  readonly rules: RelayRules;
  readonly keepAlive: KeepAliveSettings;
  /** Sends the exchange on (`exchange.forward`) or answers it (`exchange.answer`). */
  readonly route: (exchange: Exchange) => void;
}

export class Relay {
  readonly ctx: HopContext;
  readonly rules: RelayRules;
  readonly route: (exchange: Exchange) => void;
  readonly responseDeadlines: Deadlines;
  readonly connectDeadlines: Deadlines;
  readonly lingerDeadlines: Deadlines;
  readonly headDeadlines: Deadlines;
  readonly bodyDeadlines: Deadlines;
  readonly tunnelDeadlines: Deadlines;
  readonly listeners: Listener[] = [];
  stopping = false;
  readonly #rewrite: Rewrite;
  readonly #hostlessRewrite: Rewrite;
  readonly #upgradeRewrite: Rewrite;
  readonly #limits: ConnectionLimits;
  readonly #pools: UpstreamPool[] = [];

  constructor({ ctx, rules, keepAlive, route }: RelayOptions) {
    this.ctx = ctx;
    this.rules = rules;
    this.route = route;
    const close = rules.closesUpstream ? CLOSE_LINE : '';
    const trace = ctx.tracesUpstream ? TRACE_LINE : '';
    const withoutTraceparent = ctx.tracesUpstream;
    this.#rewrite =
      close === '' && trace === ''
        ? PLAIN_REWRITE
        : { ...PLAIN_REWRITE, added: close + trace, withoutTraceparent };
    this.#hostlessRewrite = {
      ...PLAIN_REWRITE,
      added: HOST_LINE + close + trace,
      withoutTraceparent,
    };
    this.#upgradeRewrite = {
      ...PLAIN_REWRITE,
      added: UPGRADE_LINE + trace,
      withoutTraceparent,
      withUpgrade: true,
    };
    this.responseDeadlines = new Deadlines(ctx.clock, rules.responseTimeout);
    this.connectDeadlines = new Deadlines(ctx.clock, rules.connectTimeout);
    this.lingerDeadlines = new Deadlines(ctx.clock, LINGER);
    this.headDeadlines = new Deadlines(ctx.clock, rules.requestHeadTimeout);
    this.bodyDeadlines = new Deadlines(ctx.clock, rules.requestBodyTimeout);
    this.tunnelDeadlines = new Deadlines(ctx.clock, rules.tunnelIdleTimeout);
    this.#limits = new ConnectionLimits(ctx, keepAlive);
  }

  /** Adds listeners. `name:port` settings are for the first listener of the first replica. */
  addListener(link: Link, onAccept: (connection: ServerConnection) => void = () => {}): void {
    const { ctx } = this;
    for (let count = acceptorsOf(ctx, link); count > 0; count--) {
      const first = this.listeners.length === 0 && ctx.instance.replica === 0;
      this.listeners.push(
        new Listener({
          instance: ctx.instance.index,
          link,
          listen: first ? ctx.hop.listen : null,
          backlog: 'backlog' in ctx.hop ? ctx.hop.backlog : 0,
          ends: ctx.ends,
          handlers: noHandlers,
          onAccept: (end) => onAccept(this.#accept(end)),
        }),
      );
    }
  }

  /** Adds a pool of connections to one target; by default to any replica of the next hop, drawn. */
  addPool(name: string, link: Link, settings: PoolSettings, target?: () => Endpoint | null) {
    const { ctx, connectDeadlines, rules } = this;
    const draw = ctx.random(`target/${name}`);
    const pool = new UpstreamPool({
      ctx,
      name,
      link,
      target: target ?? (() => drawn(ctx.targets(link), draw)),
      settings,
      connectDeadlines,
      closesUpstream: rules.closesUpstream,
    });
    this.#pools.push(pool);
    return pool;
  }

  listen(): Promise<Endpoint[]> {
    return Promise.all(this.listeners.map((listener) => listener.open()));
  }

  stop(): void {
    this.stopping = true;
    this.responseDeadlines.stop();
    this.connectDeadlines.stop();
    this.lingerDeadlines.stop();
    this.headDeadlines.stop();
    this.bodyDeadlines.stop();
    this.tunnelDeadlines.stop();
    this.#limits.stop();
    for (const pool of this.#pools) pool.stop();
  }

  /** Where the traceparent value goes in a rewritten head of that length; -1 if none is sent. */
  traceAt(headLength: number): number {
    return this.ctx.tracesUpstream ? headLength - 4 - TRACEPARENT_LENGTH : -1;
  }

  /** Changes the keep-alive limits. */
  limit(keepAlive: KeepAliveSettings): void {
    this.#limits.configure(keepAlive);
  }

  /** Downstream connections that wait for a request. */
  get idleConnections(): number {
    return this.#limits.idle;
  }

  /** Closes the longest idle downstream connections. */
  closeIdle(count: number): void {
    this.#limits.closeIdle(count);
  }

  // For ServerConnection

  requestRewrite(hasHost: boolean, offer: TunnelOffer): Rewrite {
    if (offer === 'upgrade') return this.#upgradeRewrite;
    return hasHost ? this.#rewrite : this.#hostlessRewrite;
  }

  exchangeBegun(connection: ServerConnection): void {
    this.#limits.exchangeBegun(connection.number);
  }

  exchangeOver(connection: ServerConnection): void {
    this.#limits.exchangeOver(connection.number);
  }

  connectionClosed(connection: ServerConnection): void {
    this.#limits.closed(connection);
  }

  #accept(end: ConnectionEnd): ServerConnection {
    const connection = this.#limits.add((number) => new ServerConnection(this, end, number));
    end.resume();
    return connection;
  }
}

function drawn(targets: readonly Endpoint[], draw: RandomStream): Endpoint | null {
  const target = targets[targets.length > 1 ? draw.below(targets.length) : 0];
  return target ?? null;
}

/** Downstream connections limited by nothing but how long they may idle. */
export function keptFor(idleTimeout: Micros): KeepAliveSettings {
  return { keepAliveTimeout: idleTimeout, keepAliveRequests: 0, keepAliveTime: 0 };
}

/** The hop that a relay needs behind it, or an error that names the hop without. */
export function upstreamLink(ctx: HopContext<Hop>): Link {
  if (ctx.outgoing === null) throw new Error(`${ctx.hop.name}: a relay needs an upstream`);
  return ctx.outgoing;
}
