/**
 * The L4 balancer (NLB): each flow goes to one target for its whole life. After the idle timeout
 * the flow is forgotten without a word; whoever sends next gets an RST, and the other side still
 * hears nothing: a target keeps what its client has lost (live/hops/l4-balancer.ts).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, L4BalancerHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import * as of from '../net/connections.ts';
import { Role } from '../net/place.ts';
import type { FlowHop } from '../relay/flows.ts';
import { CAUSES } from '../relay/server-connections.ts';
import { Targets } from '../relay/targets.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import type { SimHop } from './sim-hop.ts';

export class L4Balancer implements FlowHop, SimHop {
  readonly book = null;
  readonly #world: World;
  readonly #instance: Instance;
  readonly #hop: L4BalancerHop;
  readonly #sequence: RandomStream;
  readonly #faults: HostFaults;
  #targets: Targets | null = null;

  constructor(world: World, instance: Instance, hop: L4BalancerHop) {
    this.#world = world;
    this.#instance = instance;
    this.#hop = hop;
    for (const link of world.incoming(hop)) world.listen(instance, link, Role.balancer);
    world.flows.serve(instance.index, this);
    this.#sequence = world.random(instance, 'tcp-sequence');
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => world.flows.reset(connection, CAUSES.localRst),
    });
  }

  begin(): void {
    const world = this.#world;
    this.#targets = new Targets({
      world,
      instance: this.#instance,
      hop: this.#hop,
      closeFlows: (target) => {
        for (const downstream of world.place(this.#instance).accepted.all()) {
          if (world.connections.get(downstream, of.CHOICE) === target + 1) {
            world.flows.close(downstream, CAUSES.drain);
          }
        }
      },
    });
  }

  apply(action: Action): boolean {
    return this.#targets?.apply(action) === true || this.#faults.apply(action);
  }

  begun(downstream: number): void {
    const { connections, network, engine, flows } = this.#world;
    const from = connections.getTime(downstream, of.ADDRESS);
    const to = network.listenerOf(downstream).address;
    const hash = flowHash(from, to, this.#sequence.uint32());
    const target = this.#targets?.choose(downstream, hash) ?? -1;
    const listener = this.#targets?.listeners[target];
    if (listener === undefined) {
      flows.reset(downstream, CAUSES.localRst);
      return;
    }
    connections.put(downstream, of.CHOICE, target + 1);
    connections.putTime(downstream, of.LAST_MOVED, engine.now);
    flows.open(downstream, listener);
  }

  bytesUp(downstream: number): void {
    this.#world.connections.putTime(downstream, of.LAST_MOVED, this.#world.engine.now);
  }

  bytesDown(downstream: number): void {
    this.#world.connections.putTime(downstream, of.LAST_MOVED, this.#world.engine.now);
  }

  /** Nothing moves on a forgotten flow, so that it stays forgotten. */
  forgot(downstream: number): boolean {
    const { idleTimeout } = this.#hop;
    if (idleTimeout === 0) return false;
    const { connections, engine } = this.#world;
    return engine.now - connections.getTime(downstream, of.LAST_MOVED) > idleTimeout;
  }

  leftWhileGated(): void {}

  gone(downstream: number): void {
    const { connections } = this.#world;
    const target = connections.get(downstream, of.CHOICE) - 1;
    if (target >= 0) this.#targets?.ended(target);
    connections.put(downstream, of.CHOICE, 0);
  }
}

/** FNV-1a over both addresses and the stand-in for the sequence number, evened out. */
function flowHash(from: number, to: number, sequence: number): number {
  let hash = 0x811c9dc5;
  for (const packed of [from, to, sequence]) {
    let rest = packed;
    for (let i = 0; i < 6; i++) {
      const byte = rest % 256;
      hash = Math.imul(hash ^ byte, 0x01000193);
      rest = (rest - byte) / 256;
    }
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
