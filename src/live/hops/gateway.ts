/**
 * The gateway (API Gateway) on real sockets: requests land on any of several nodes, each with
 * pools of connections of its own, so that one client connection becomes many behind it.
 *
 *   client connection ──► throttle ──► node (drawn) ──► one of its pools (drawn) ──► upstream
 *                            └─ 429 with Retry-After
 *
 * What AWS documents: the token bucket, and the integration timeout (29 s, the whole exchange)
 * answered with 504. What it does not: nodes, pools, reuse of connections. Those are settings
 * of the topology. Also undocumented is what becomes of a request whose reused connection
 * closes before an answer: here it is a 502, not a second try, so that the books show it.
 *
 * All nodes live in one instance and share its listeners: which node a request lands on is
 * drawn for each request or each client connection (`spread`). A replaced node loses its pools:
 * idle connections close at once, busy ones when they are done, with cause `drain`.
 */
import type { Action, GatewayHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Exchange } from '../relay-http/exchange.ts';
import { keptFor, Relay, upstreamLink } from '../relay-http/relay.ts';
import { relayHop } from '../relay-http/relay-hop.ts';
import { ThrottleGate } from '../relay-http/throttle-gate.ts';
import type { UpstreamPool } from '../relay-http/upstream-pool.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

/** API Gateway quotas, WebSocket APIs: idle connection timeout 10 minutes. */
const TUNNEL_IDLE_TIMEOUT: Micros = 600_000_000;

export function createGateway(ctx: HopContext<GatewayHop>): LiveHop {
  const gateway = new Gateway(ctx);
  return relayHop(gateway.relay, { apply: (action) => gateway.apply(action) });
}

class Gateway {
  readonly relay: Relay;
  readonly #ctx: HopContext<GatewayHop>;
  readonly #throttle: ThrottleGate;
  readonly #nodeDraw: RandomStream;
  readonly #poolDraw: RandomStream;
  readonly #nodes: UpstreamPool[][] = [];
  #settings: GatewayHop;
  #poolsMade = 0;
  #nextReplaced = 0;

  constructor(ctx: HopContext<GatewayHop>) {
    const { hop } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    this.#nodeDraw = ctx.random('node');
    this.#poolDraw = ctx.random('pool');
    this.#throttle = new ThrottleGate(ctx, hop.throttle);
    this.relay = new Relay({
      ctx,
      keepAlive: keptFor(hop.clientIdleTimeout),
      rules: {
        responseTimeout: hop.integrationTimeout,
        timeoutCovers: 'whole',
        connectTimeout: hop.connectTimeout,
        requestHeadTimeout: hop.requestHeadTimeout,
        requestBodyTimeout: hop.requestBodyTimeout,
        tunnelIdleTimeout: TUNNEL_IDLE_TIMEOUT,
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: false,
        closesUpstream: false,
        onClientFin: 'answer',
      },
      route: (exchange) => this.#route(exchange),
    });
    for (const link of ctx.incoming) this.relay.addListener(link);
    for (let node = 0; node < hop.nodes; node++) this.#nodes.push(this.#makeNode());
  }

  apply(action: Action): boolean {
    if (action.action === 'replace-nodes') {
      if (action.hop !== this.#settings.name) return false;
      this.#replace(action.count);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return false;
    const former = this.#settings;
    this.#settings = changed;
    if (changed.throttle !== former.throttle) this.#throttle.configure(changed.throttle);
    else if (changed.pool !== former.pool) {
      for (const pool of this.#nodes.flat()) pool.configure(changed.pool);
    } else {
      // `spread` is read at each request; everything else stays as it was at the start.
      return changed.spread !== former.spread;
    }
    return true;
  }

  #route(exchange: Exchange): void {
    const retryAfter = this.#throttle.admit();
    if (retryAfter > 0) {
      exchange.answer({ status: 429, reason: 'throttled', retryAfter });
      return;
    }
    const pools = this.#nodes[this.#node(exchange)] ?? [];
    const pool = pools[pools.length > 1 ? this.#poolDraw.below(pools.length) : 0];
    if (pool === undefined) throw new Error(`${this.#ctx.hop.name}: a node without a pool`);
    exchange.forward(pool);
  }

  #node({ server }: Exchange): number {
    if (this.#settings.spread === 'request') return this.#nodeDraw.below(this.#nodes.length);
    if (server.choice < 0) server.choice = this.#nodeDraw.below(this.#nodes.length);
    return server.choice;
  }

  /** Nodes are replaced in turn, so that replacing all of them one by one spares none. */
  #replace(count: number): void {
    for (let i = 0; i < Math.min(count, this.#nodes.length); i++) {
      const place = this.#nextReplaced % this.#nodes.length;
      this.#nextReplaced = place + 1;
      for (const pool of this.#nodes[place] ?? []) pool.replaced();
    }
  }

  #makeNode(): UpstreamPool[] {
    return Array.from({ length: this.#settings.poolsPerNode }, () => {
      this.#poolsMade += 1;
      const name = `${this.#poolsMade - 1}`;
      return this.relay.addPool(name, upstreamLink(this.#ctx), this.#settings.pool);
    });
  }
}
