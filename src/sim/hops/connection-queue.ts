/**
 * The connection queue (ConnCtrl): accepts every connection and lets the shared
 * `ConnectionQueue` policy say which may move bytes. It sees what L4 sees: bytes up, bytes down,
 * opened, closed; under `unread` not even those of a connection that never had a slot.
 */
import { EventKind, SlotState } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import type { Action, ConnectionQueueHop } from '../../model/topology.ts';
import * as of from '../net/connections.ts';
import { type Listener, Role } from '../net/place.ts';
import type { FlowHop } from '../relay/flows.ts';
import { CAUSES } from '../relay/server-connections.ts';
import type { SlotBook } from '../slot-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

export class QueueHop implements FlowHop, SimHop {
  readonly book: SlotBook | null;
  readonly #world: World;
  readonly #instance: Instance;
  /** Its number at the policy. */
  readonly #queue: number = 0;
  readonly #faults: HostFaults;
  readonly #target: () => Listener | null;
  #settings: ConnectionQueueHop;

  constructor(world: World, instance: Instance, hop: ConnectionQueueHop) {
    this.#world = world;
    this.#instance = instance;
    this.#settings = hop;
    for (const link of world.incoming(hop)) world.listen(instance, link, Role.queue);
    world.flows.serve(instance.index, this);
    this.book = world.queueBook(instance);
    this.#target = world.drawn(instance, 'target');
    this.#queue = world.queues.add(`${hop.name}/${instance.replica}`, hop, this);
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => world.flows.reset(connection, CAUSES.localRst),
    });
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#world.queues.configure(this.#queue, changed);
    return true;
  }

  strike(): void {
    const { accepted } = this.#world.place(this.#instance);
    for (const connection of accepted.all()) this.book?.strike(connection);
  }

  // FlowHop

  begun(downstream: number): void {
    this.#world.connections.unset(downstream, of.READING);
    this.book?.accepted(downstream);
    this.#world.queues.opened(this.#queue, downstream);
  }

  bytesUp(downstream: number): void {
    this.#world.queues.bytesUp(this.#queue, downstream);
  }

  bytesDown(downstream: number): void {
    this.#world.queues.bytesDown(this.#queue, downstream);
  }

  forgot(): boolean {
    return false;
  }

  leftWhileGated(downstream: number): void {
    const { connections, flows } = this.#world;
    if (connections.get(downstream, of.KEPT) !== 0) {
      // Under `unread` a FIN behind a request is passed on with it, once a slot is there.
      if (this.#settings.whileHeld === 'watch') flows.close(downstream, CAUSES.peerFin);
    } else if (connections.get(downstream, of.ABOVE) === 0) {
      flows.close(downstream, CAUSES.peerFin);
    } else flows.finishUpstream(downstream);
  }

  gone(downstream: number): void {
    const { connections, queues } = this.#world;
    this.book?.over(downstream, true);
    if (connections.get(downstream, of.SLOT) !== SlotState.none) {
      this.book?.moved(downstream, SlotState.none);
    }
    connections.put(downstream, of.SLOT, SlotState.none);
    queues.closed(this.#queue, downstream);
  }

  // What the policy has decided

  held(downstream: number): void {
    this.#world.connections.set(downstream, of.GATED);
    this.#tell(downstream, SlotState.held);
    // `unread` never touches a socket that had no slot yet; one that yielded is read already.
    if (this.#settings.whileHeld === 'watch') this.#world.flows.startReading(downstream);
  }

  granted(downstream: number): void {
    const { connections, flows } = this.#world;
    this.#tell(downstream, SlotState.active);
    if (connections.get(downstream, of.ABOVE) === 0) {
      const target = this.#target();
      if (target === null) throw new Error('a connection queue has nothing behind it');
      flows.open(downstream, target);
    }
    if (connections.has(downstream, of.ACCEPTOR_OPEN)) flows.openGate(downstream);
  }

  yielded(downstream: number): void {
    this.#world.connections.set(downstream, of.GATED);
    this.#tell(downstream, SlotState.yielded);
  }

  #tell(downstream: number, slot: SlotState): void {
    const { connections, recorder, engine } = this.#world;
    this.book?.moved(downstream, slot);
    connections.put(downstream, of.SLOT, slot);
    if (recorder === null) return;
    const end = connections.get(downstream, of.ACCEPTOR_END);
    recorder.write(engine.now, EventKind.slot, this.#instance.index, end, 0, slot, 0, 0);
  }
}
