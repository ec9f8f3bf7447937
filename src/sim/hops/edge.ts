/**
 * The edge (CDN): several locations, each with its own connections to the origin. A client
 * connection lands on any location. Rules as CloudFront's (live/hops/edge.ts names the sources).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, EdgeHop } from '../../model/topology.ts';
import * as at from '../exchanges.ts';
import * as of from '../net/connections.ts';
import { Relay } from '../relay/relay.ts';
import { keptFor } from '../relay/server-connections.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export function createEdge(world: World, instance: Instance, hop: EdgeHop): SimHop {
  const { connections, exchanges } = world;
  const pools: number[] = [];
  const location = world.random(instance, 'location');
  const relay: Relay = new Relay({
    world,
    instance,
    keepAlive: keptFor(hop.clientIdleTimeout),
    rules: {
      responseTimeout: hop.responseTimeout,
      timeoutCovers: 'silence',
      connectionAttempts: hop.connectionAttempts,
      responseAttempts: hop.responseAttempts,
      retriesStale: true,
      closesUpstream: false,
      onClientFin: 'answer',
    },
    accepted: (connection) => {
      const chosen = pools.length > 1 ? location.below(pools.length) : 0;
      connections.put(connection, of.CHOICE, chosen + 1);
    },
    route: (exchange) => {
      const connection = exchanges.get(exchange, at.SERVED);
      const pool = pools[connections.get(connection, of.CHOICE) - 1];
      if (pool !== undefined) relay.forward(exchange, pool);
    },
  });
  for (let number = 0; number < hop.locations; number++) {
    pools.push(relay.pool(`${number}`, hop.pool));
  }
  const faults = new HostFaults(world, instance, relay);
  let present = hop;
  return {
    apply(action: Action) {
      const changed = setting(action, present);
      if (changed === null) return faults.apply(action);
      if (changed.pool === present.pool) return false;
      present = changed;
      for (const pool of pools) world.pools.configure(pool, changed.pool);
      return true;
    },
  };
}
