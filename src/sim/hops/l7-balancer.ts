/**
 * The L7 balancer (ALB): routes each request by itself, over a pool of its own connections to
 * the target chosen (live/hops/l7-balancer.ts).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, L7BalancerHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import * as at from '../exchanges.ts';
import { Relay } from '../relay/relay.ts';
import { CAUSES, keptFor } from '../relay/server-connections.ts';
import { Targets } from '../relay/targets.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class L7Balancer implements SimHop {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #relay: Relay;
  readonly #faults: HostFaults;
  readonly #pools: number[] = [];
  readonly #hash: RandomStream;
  #settings: L7BalancerHop;
  #targets: Targets | null = null;

  constructor(world: World, instance: Instance, hop: L7BalancerHop) {
    this.#world = world;
    this.#instance = instance;
    this.#settings = hop;
    this.#hash = world.random(instance, 'flow-hash');
    this.#relay = new Relay({
      world,
      instance,
      keepAlive: keptFor(hop.clientIdleTimeout),
      rules: {
        responseTimeout: hop.responseTimeout,
        timeoutCovers: 'silence',
        connectionAttempts: 1,
        responseAttempts: 1,
        retriesStale: false,
        closesUpstream: false,
        onClientFin: 'answer',
      },
      route: (exchange) => this.#route(exchange),
      over: (exchange) => {
        const target = world.exchanges.get(exchange, at.NOTE) - 1;
        if (target >= 0) this.#targets?.ended(target);
        world.exchanges.put(exchange, at.NOTE, 0);
      },
    });
    this.#faults = new HostFaults(world, instance, this.#relay);
  }

  begin(): void {
    this.#targets = new Targets({
      world: this.#world,
      instance: this.#instance,
      hop: this.#settings,
      closeFlows: (target) => {
        const pool = this.#pools[target];
        if (pool !== undefined) this.#world.pools.closeAll(pool, CAUSES.drain);
      },
    });
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) {
      return this.#targets?.apply(action) === true || this.#faults.apply(action);
    }
    this.#settings = changed;
    for (const pool of this.#pools) {
      if (pool !== undefined) this.#world.pools.configure(pool, changed.pool);
    }
    return true;
  }

  #route(exchange: number): void {
    const targets = this.#targets;
    const number = this.#world.exchanges.get(exchange, at.SERVED);
    const target = targets === null ? -1 : targets.choose(number, this.#hash.uint32());
    if (target === -1) {
      this.#relay.answer(exchange, 503, 0);
      return;
    }
    this.#world.exchanges.put(exchange, at.NOTE, target + 1);
    this.#relay.forward(exchange, this.#poolOf(target));
  }

  #poolOf(target: number): number {
    const known = this.#pools[target];
    if (known !== undefined) return known;
    const listener = this.#targets?.listeners[target] ?? null;
    const instance = listener?.place.instance ?? target;
    const made = this.#relay.pool(`target-${instance}`, this.#settings.pool, () => listener);
    this.#pools[target] = made;
    return made;
  }
}
