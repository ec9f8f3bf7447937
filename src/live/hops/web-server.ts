/**
 * The built-in web server: nginx's connection habits in front of the app of its host.
 *
 * Downstream (ngx_http_core_module): `keepalive_timeout` closes an idle connection;
 * `keepalive_requests` and `keepalive_time` make the response that reaches them the last one,
 * with `Connection: close`; a client's FIN behind its request aborts the exchange
 * (`proxy_ignore_client_abort off`). When free `worker_connections` fall to a sixteenth, idle
 * keep-alive connections are closed early, longest idle first, an eighth of them (1 to 32) at each
 * accept (`ngx_drain_connections`); at none free, a new connection is closed at once.
 *
 * Upstream (ngx_http_upstream_module): keep-alive off by default, so a connection per request
 * with `Connection: close`; else up to `upstreamIdleMax` idle ones. nginx closes the least
 * recently used when there are more; here the one just released is closed, which differs only
 * in which of the idle ones goes. A reused connection that turns out closed is tried once more.
 *
 * Health checks come in on the alive link and take the same way to the app.
 * Left out: one worker only, so `max_conns` and per-worker caches coincide with the server's.
 */
import type { Link } from '../../model/run.ts';
import type { Action, WebServerHop } from '../../model/topology.ts';
import type { KeepAliveSettings } from '../../policy/keep-alive.ts';
import { Relay, upstreamLink } from '../relay-http/relay.ts';
import { relayHop } from '../relay-http/relay-hop.ts';
import type { ServerConnection } from '../relay-http/server-connection.ts';
import type { UpstreamPool } from '../relay-http/upstream-pool.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

export function createWebServer(ctx: HopContext<WebServerHop>): LiveHop {
  const server = new WebServer(ctx);
  return relayHop(server.relay, { apply: (action) => server.apply(action) });
}

class WebServer {
  readonly relay: Relay;
  readonly #ctx: HopContext<WebServerHop>;
  readonly #pool: UpstreamPool;
  #settings: WebServerHop;

  constructor(ctx: HopContext<WebServerHop>) {
    const { hop } = ctx;
    this.#ctx = ctx;
    this.#settings = hop;
    const relay = new Relay({
      ctx,
      keepAlive: keepAliveOf(hop),
      rules: {
        responseTimeout: hop.responseTimeout,
        timeoutCovers: 'silence',
        connectTimeout: hop.connectTimeout,
        requestHeadTimeout: hop.requestHeadTimeout,
        requestBodyTimeout: hop.requestBodyTimeout,
        tunnelIdleTimeout: hop.responseTimeout,
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: true,
        closesUpstream: hop.upstreamIdleMax === 0,
        onClientFin: 'abort',
      },
      route: (exchange) => exchange.forward(this.#pool),
    });
    this.relay = relay;
    for (const link of ctx.incoming) this.#listenOn(link);
    this.#pool = relay.addPool('app', upstreamLink(ctx), {
      connectionsMax: 0,
      waitersMax: 0,
      idleTimeout: hop.upstreamIdleTimeout,
      requestsPerConnectionMax: 0,
      reuse: 'lifo',
    });
    this.#pool.idleMax = hop.upstreamIdleMax;
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null) return false;
    this.#settings = changed;
    this.relay.limit(keepAliveOf(changed));
    return true;
  }

  #listenOn(link: Link): void {
    this.relay.addListener(link, (connection) => this.#accepted(connection));
  }

  #accepted(connection: ServerConnection): void {
    const { workerConnections } = this.#settings;
    const free = workerConnections - this.#ctx.ends.live.size;
    if (free > workerConnections / 16) return;
    const { idleConnections } = this.relay;
    this.relay.closeIdle(Math.max(1, Math.min(32, Math.floor(idleConnections / 8))));
    if (free < 0) connection.close('overflow');
  }
}

/** nginx's `keepalive_timeout 0` turns keep-alive off: each response is the connection's last. */
function keepAliveOf(hop: WebServerHop): KeepAliveSettings {
  if (hop.keepAliveTimeout > 0) return hop;
  return { keepAliveTimeout: 0, keepAliveRequests: 1, keepAliveTime: 0 };
}
