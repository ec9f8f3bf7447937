/**
 * The L7 balancer (ALB) on real sockets: terminates HTTP and routes each request by itself,
 * to one of the targets that health checks and deregistration allow, over a pool of its own
 * connections to that target.
 *
 * As the ALB user guide says: least outstanding requests or round robin; no target is a 503;
 * a target that closes or resets before its answer is a 502, without a second try; a connect
 * that takes too long (10 s) or a silence beyond the idle timeout is a 504; when all targets
 * are unhealthy, all are used (fail open). A deregistered target gets no new requests; what
 * is still in flight when the delay has passed is cut off, and idle connections to it are left
 * to the pool's idle timeout.
 *
 * Left out: slow start, stickiness, weights, HTTP/2.
 */
import type { Endpoint } from '../../model/run.ts';
import type { Action, L7BalancerHop } from '../../model/topology.ts';
import type { Exchange } from '../relay-http/exchange.ts';
import { keptFor, Relay, upstreamLink } from '../relay-http/relay.ts';
import { relayHop } from '../relay-http/relay-hop.ts';
import type { UpstreamPool } from '../relay-http/upstream-pool.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';
import { Targets } from './targets.ts';

export function createL7Balancer(ctx: HopContext<L7BalancerHop>): LiveHop {
  const balancer = new L7Balancer(ctx);
  return relayHop(balancer.relay, {
    begin: () => balancer.targets().begin(),
    apply: (action) => balancer.apply(action),
    stop: () => balancer.targets().stop(),
  });
}

class L7Balancer {
  readonly relay: Relay;
  readonly #ctx: HopContext<L7BalancerHop>;
  readonly #pools = new Map<number, UpstreamPool>();
  readonly #hash;
  #settings: L7BalancerHop;
  #targets: Targets | null = null;

  constructor(ctx: HopContext<L7BalancerHop>) {
    const { hop } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    this.#hash = ctx.random('flow-hash');
    this.relay = new Relay({
      ctx,
      keepAlive: keptFor(hop.clientIdleTimeout),
      rules: {
        responseTimeout: hop.responseTimeout,
        timeoutCovers: 'silence',
        connectTimeout: hop.connectTimeout,
        requestHeadTimeout: hop.requestHeadTimeout,
        requestBodyTimeout: hop.requestBodyTimeout,
        tunnelIdleTimeout: hop.responseTimeout,
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: false,
        closesUpstream: false,
        onClientFin: 'answer',
      },
      route: (exchange) => this.#route(exchange),
    });
    for (const link of ctx.incoming) this.relay.addListener(link);
  }

  /** Endpoints of targets are known only after everything upstream listens. */
  targets(): Targets {
    this.#targets ??= new Targets(this.#ctx, {
      algorithm: this.#ctx.hop.algorithm,
      closeFlows: (target) => this.#pools.get(target)?.closeAll('drain'),
    });
    return this.#targets;
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) {
      return this.targets().apply(action);
    }
    this.#settings = changed;
    for (const pool of this.#pools.values()) pool.configure(changed.pool);
    return true;
  }

  #route(exchange: Exchange): void {
    const targets = this.targets();
    const target = targets.choose(exchange.server.number, this.#hash.uint32());
    if (target === null) {
      exchange.answer({ status: 503, reason: 'no target', retryAfter: null });
      return;
    }
    exchange.whenOver = () => targets.ended(target.instance);
    exchange.forward(this.#poolOf(target));
  }

  #poolOf(target: Endpoint): UpstreamPool {
    const known = this.#pools.get(target.instance);
    if (known !== undefined) return known;
    const pool = this.relay.addPool(
      `target-${target.instance}`,
      upstreamLink(this.#ctx),
      this.#settings.pool,
      () => target,
    );
    this.#pools.set(target.instance, pool);
    return pool;
  }
}
