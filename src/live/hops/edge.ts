/**
 * The edge (CloudFront) on real sockets: several locations, each with its own listener and its
 * own connections to the origin, because dynamic requests go from each location straight there.
 *
 * As Amazon's developer guide has it ("Request and response behavior for custom origins"):
 * connection attempts (3) with a timeout each; the response timeout runs anew with each packet;
 * GET and HEAD are asked again when it strikes before an answer, other methods never.
 *
 * Left out: caching (every request here is dynamic), origin groups, custom error pages, and
 * Origin Shield. No connection is a 502, no answer a 504, as CloudFront says to its viewers.
 */
import type { Action, EdgeHop } from '../../model/topology.ts';
import type { Exchange } from '../relay-http/exchange.ts';
import { keptFor, Relay, upstreamLink } from '../relay-http/relay.ts';
import { relayHop } from '../relay-http/relay-hop.ts';
import type { UpstreamPool } from '../relay-http/upstream-pool.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

export function createEdge(ctx: HopContext<EdgeHop>): LiveHop {
  const { hop } = ctx;
  const pools: UpstreamPool[] = [];
  const relay = new Relay({
    ctx,
    keepAlive: keptFor(hop.clientIdleTimeout),
    rules: {
      responseTimeout: hop.responseTimeout,
      timeoutCovers: 'silence',
      connectTimeout: hop.connectTimeout,
      requestHeadTimeout: hop.requestHeadTimeout,
      requestBodyTimeout: hop.requestBodyTimeout,
      tunnelIdleTimeout: hop.responseTimeout,
      connectionAttempts: hop.connectionAttempts,
      responseAttempts: hop.responseAttempts,
      retriesStale: true,
      closesUpstream: false,
      onClientFin: 'answer',
    },
    route: (exchange: Exchange) => exchange.forward(poolOf(pools, exchange.server.choice)),
  });
  for (let location = 0; location < hop.locations; location++) {
    pools.push(relay.addPool(`${location}`, upstreamLink(ctx), hop.pool));
    for (const link of ctx.incoming) {
      relay.addListener(link, (connection) => {
        connection.choice = location;
      });
    }
  }
  let present = hop;
  return relayHop(relay, {
    apply(action: Action) {
      const changed = setting(action, present);
      if (changed === null || changed.pool === present.pool) return false;
      present = changed;
      for (const pool of pools) pool.configure(changed.pool);
      return true;
    },
  });
}

function poolOf(pools: readonly UpstreamPool[], location: number): UpstreamPool {
  const pool = pools[location];
  if (pool === undefined) throw new Error(`no location ${location}`);
  return pool;
}
