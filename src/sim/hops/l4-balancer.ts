/**
 * The L4 balancer (NLB): each flow goes to one target for its whole life. After the idle timeout
 * the flow is forgotten without a word; whoever sends next gets an RST, and the other side still
 * hears nothing: a target keeps what its client has lost (live/hops/l4-balancer.ts).
 */
import type { Instance } from '../../model/run.ts';
import type { Action, L4BalancerHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Connection } from '../net/connection.ts';
import { CAUSES } from '../relay/keep-alive.ts';
import { L4Relay } from '../relay/l4.ts';
import { Targets } from '../relay/targets.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import type { SimHop } from './sim-hop.ts';

export class L4Balancer extends L4Relay implements SimHop {
  readonly #instance: Instance;
  readonly #hop: L4BalancerHop;
  readonly #sequence: RandomStream;
  readonly #faults: HostFaults;
  #targets: Targets | null = null;

  constructor(world: World, instance: Instance, hop: L4BalancerHop) {
    super(world, instance);
    this.#instance = instance;
    this.#hop = hop;
    this.#sequence = world.random(instance, 'tcp-sequence');
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => this.reset(connection, CAUSES.localRst),
    });
  }

  begin(): void {
    this.#targets = new Targets({
      world: this.world,
      instance: this.#instance,
      hop: this.#hop,
      closeFlows: (target) => {
        for (const downstream of this.place.accepted.all()) {
          if (downstream.choice === target) this.close(downstream, CAUSES.drain);
        }
      },
    });
  }

  apply(action: Action): boolean {
    return this.#targets?.apply(action) === true || this.#faults.apply(action);
  }

  protected begun(downstream: Connection): void {
    const hash = flowHash(downstream, this.#sequence.uint32());
    const target = this.#targets?.choose(downstream.serverNumber, hash) ?? -1;
    const listener = this.#targets?.listeners[target];
    if (listener === undefined) {
      this.reset(downstream, CAUSES.localRst);
      return;
    }
    downstream.choice = target;
    downstream.lastMoved = this.world.engine.now;
    this.open(downstream, listener);
  }

  protected bytesUp(downstream: Connection): void {
    downstream.lastMoved = this.world.engine.now;
  }

  protected bytesDown(downstream: Connection): void {
    downstream.lastMoved = this.world.engine.now;
  }

  /** Nothing moves on a forgotten flow, so that it stays forgotten. */
  protected forgot(downstream: Connection): boolean {
    const { idleTimeout } = this.#hop;
    return idleTimeout > 0 && this.world.engine.now - downstream.lastMoved > idleTimeout;
  }

  protected leftWhileGated(): void {}

  protected gone(downstream: Connection): void {
    if (downstream.choice >= 0) this.#targets?.ended(downstream.choice);
    downstream.choice = -1;
  }
}

/** FNV-1a over both addresses and the stand-in for the sequence number, evened out. */
function flowHash({ connectorAddress, listener }: Connection, sequence: number): number {
  let hash = 0x811c9dc5;
  for (const packed of [connectorAddress, listener.address, sequence]) {
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
