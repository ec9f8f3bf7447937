/**
 * The web server: nginx's connection habits in front of the app of its host. What distinguishes
 * them is said, with sources, in live/hops/web-server.ts.
 */
import type { Instance } from '../../model/run.ts';
import type { Action, WebServerHop } from '../../model/topology.ts';
import type { KeepAliveSettings } from '../../policy/keep-alive.ts';
import { Relay } from '../relay/relay.ts';
import { CAUSES } from '../relay/server-connections.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class WebServer implements SimHop {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #relay: Relay;
  readonly #faults: HostFaults;
  #settings: WebServerHop;

  constructor(world: World, instance: Instance, hop: WebServerHop) {
    this.#world = world;
    this.#instance = instance;
    this.#settings = hop;
    this.#relay = new Relay({
      world,
      instance,
      keepAlive: keepAliveOf(hop),
      rules: {
        responseTimeout: hop.responseTimeout,
        timeoutCovers: 'silence',
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: true,
        closesUpstream: hop.upstreamIdleMax === 0,
        onClientFin: 'abort',
      },
      idleMax: hop.upstreamIdleMax,
      accepted: (connection) => this.#accepted(connection),
      route: (exchange) => this.#relay.forward(exchange, pool),
    });
    const pool = this.#relay.pool('app', {
      connectionsMax: 0,
      waitersMax: 0,
      idleTimeout: hop.upstreamIdleTimeout,
      requestsPerConnectionMax: 0,
      reuse: 'lifo',
    });
    this.#faults = new HostFaults(world, instance, this.#relay);
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#world.served.configure(this.#instance.index, keepAliveOf(changed));
    return true;
  }

  /** Free worker_connections run low: idle connections go early (ngx_drain_connections). */
  #accepted(connection: number): void {
    const { workerConnections } = this.#settings;
    const { connecting, accepted } = this.#world.place(this.#instance);
    const free = workerConnections - connecting.size - accepted.size;
    if (free > workerConnections / 16) return;
    const { served } = this.#world;
    const { index } = this.#instance;
    served.closeIdle(index, Math.max(1, Math.min(32, Math.floor(served.idle(index) / 8))));
    if (free < 0) served.end(index, connection, CAUSES.overflow);
  }
}

/** nginx's `keepalive_timeout 0` turns keep-alive off: each answer is the connection's last. */
function keepAliveOf(hop: WebServerHop): KeepAliveSettings {
  if (hop.keepAliveTimeout > 0) return hop;
  return { keepAliveTimeout: 0, keepAliveRequests: 1, keepAliveTime: 0 };
}
