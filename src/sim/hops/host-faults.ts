/** Faults of any accepting hop: its host goes down for a while; connections reset at random. */
import type { Instance } from '../../model/run.ts';
import type { Action } from '../../model/topology.ts';
import type { Actor } from '../engine/engine.ts';
import type { World } from '../world.ts';

/** What falls due; 0 = the host is back. */
const ACCEPT = 1;

export interface Resettable {
  /** Resets an accepted connection, with what that means for the hop. */
  resetAccepted(connection: number): void;
  /** Resets what the hop has opened. */
  resetConnecting?(): void;
}

export class HostFaults implements Actor {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #hop: Resettable;
  #backAt = 0;
  #acceptsAt = 0;

  constructor(world: World, instance: Instance, hop: Resettable) {
    this.#world = world;
    this.#instance = instance;
    this.#hop = hop;
  }

  apply(action: Action): boolean {
    const world = this.#world;
    const instance = this.#instance;
    const place = world.place(instance);
    if (action.action === 'host-down') {
      if (instance.host !== `${action.hosts}#${action.replica}`) return false;
      // What waits in a backlog is reset with the rest.
      for (const listener of world.listenersOf(instance)) world.network.resume(listener);
      this.#suspend(true);
      for (const connection of place.accepted.all()) this.#hop.resetAccepted(connection);
      this.#hop.resetConnecting?.();
      this.#backAt = world.engine.now + action.lasts;
      world.engine.at(this.#backAt, this, 0);
      return true;
    }
    if (action.action === 'reset-connections' && action.hop === instance.hop) {
      const stream = world.random(instance, 'reset-connections');
      for (const connection of place.accepted.all()) {
        if (stream.unit() < action.share) this.#hop.resetAccepted(connection);
      }
      return true;
    }
    if (action.action === 'stop-accepting' && action.hop === instance.hop) {
      for (const listener of world.listenersOf(instance)) listener.accepting = false;
      this.#acceptsAt = world.engine.now + action.lasts;
      world.engine.at(this.#acceptsAt, this, ACCEPT);
      return true;
    }
    return false;
  }

  /** The host is back, or its programs accept again. */
  fire(what: number): void {
    const { engine, network } = this.#world;
    if (what === ACCEPT && engine.now === this.#acceptsAt) {
      const listeners = this.#world.listenersOf(this.#instance);
      for (const listener of listeners) network.resume(listener);
    } else if (what !== ACCEPT && engine.now === this.#backAt) this.#suspend(false);
  }

  #suspend(suspended: boolean): void {
    for (const listener of this.#world.listenersOf(this.#instance)) listener.suspended = suspended;
  }
}
