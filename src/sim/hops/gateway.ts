/**
 * The gateway (API-GW): a throttle, then any of several nodes, each with pools of connections of
 * its own. One client connection becomes many behind it (live/hops/gateway.ts).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, GatewayHop } from '../../model/topology.ts';
import { Throttle } from '../../policy/throttle.ts';
import type { RandomStream } from '../../random/stream.ts';
import * as at from '../exchanges.ts';
import * as of from '../net/connections.ts';
import { Relay } from '../relay/relay.ts';
import { keptFor } from '../relay/server-connections.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class Gateway implements SimHop {
  readonly #world: World;
  readonly #relay: Relay;
  readonly #throttle: Throttle;
  readonly #faults: HostFaults;
  readonly #nodeDraw: RandomStream;
  readonly #poolDraw: RandomStream;
  readonly #nodes: number[][] = [];
  #settings: GatewayHop;
  #poolsMade = 0;
  #nextReplaced = 0;
  #requests = 0;
  /** What the throttle said last: 0 = pass, else seconds to stay away. */
  #retryAfter = 0;

  constructor(world: World, instance: Instance, hop: GatewayHop) {
    this.#world = world;
    this.#settings = hop;
    this.#nodeDraw = world.random(instance, 'node');
    this.#poolDraw = world.random(instance, 'pool');
    const name = `${hop.name}/${instance.replica}/throttle`;
    this.#throttle = world.policy(name, Throttle, hop.throttle, {
      accept: () => {
        this.#retryAfter = 0;
      },
      reject: (_request, seconds) => {
        this.#retryAfter = seconds;
      },
    });
    this.#relay = new Relay({
      world,
      instance,
      keepAlive: keptFor(hop.clientIdleTimeout),
      rules: {
        responseTimeout: hop.integrationTimeout,
        timeoutCovers: 'whole',
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: false,
        closesUpstream: false,
        onClientFin: 'answer',
      },
      route: (exchange) => this.#route(exchange),
    });
    this.#faults = new HostFaults(world, instance, this.#relay);
    for (let node = 0; node < hop.nodes; node++) this.#nodes.push(this.#makeNode());
  }

  apply(action: Action): boolean {
    if (action.action === 'replace-nodes') {
      if (action.hop !== this.#settings.name) return false;
      this.#replace(action.count);
      return true;
    }
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    const former = this.#settings;
    this.#settings = changed;
    if (changed.throttle !== former.throttle) {
      this.#throttle.configure(this.#world.engine.now, changed.throttle);
    } else if (changed.pool !== former.pool) {
      for (const pool of this.#nodes.flat()) this.#world.pools.configure(pool, changed.pool);
    } else return changed.spread !== former.spread;
    return true;
  }

  #route(exchange: number): void {
    this.#requests += 1;
    this.#throttle.admit(this.#world.engine.now, this.#requests);
    if (this.#retryAfter > 0) {
      this.#relay.answer(exchange, 429, this.#retryAfter);
      return;
    }
    const pools = this.#nodes[this.#node(exchange)] ?? [];
    const pool = pools[pools.length > 1 ? this.#poolDraw.below(pools.length) : 0];
    if (pool !== undefined) this.#relay.forward(exchange, pool);
  }

  #node(exchange: number): number {
    const count = this.#nodes.length;
    if (this.#settings.spread === 'request') return this.#nodeDraw.below(count);
    const { connections, exchanges } = this.#world;
    const connection = exchanges.get(exchange, at.SERVED);
    if (connection === 0) return 0;
    if (connections.get(connection, of.CHOICE) === 0) {
      connections.put(connection, of.CHOICE, this.#nodeDraw.below(count) + 1);
    }
    return connections.get(connection, of.CHOICE) - 1;
  }

  /** Nodes are replaced in turn, so that replacing all of them one by one spares none. */
  #replace(count: number): void {
    for (let i = 0; i < Math.min(count, this.#nodes.length); i++) {
      const place = this.#nextReplaced % this.#nodes.length;
      this.#nextReplaced = place + 1;
      for (const pool of this.#nodes[place] ?? []) this.#world.pools.replaced(pool);
    }
  }

  #makeNode(): number[] {
    return Array.from({ length: this.#settings.poolsPerNode }, () => {
      this.#poolsMade += 1;
      return this.#relay.pool(`${this.#poolsMade - 1}`, this.#settings.pool);
    });
  }
}
