/**
 * The connection queue (ConnCtrl): accepts every connection and lets the shared
 * `ConnectionQueue` policy say which may move bytes. It sees what L4 sees: bytes up, bytes down,
 * opened, closed; under `unread` not even those of a connection that never had a slot.
 */
import { EventKind, SlotState } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import type { Action, ConnectionQueueHop } from '../../model/topology.ts';
import { ConnectionQueue } from '../../policy/connection-queue.ts';
import type { Follower } from '../engine/engine.ts';
import { Wake } from '../engine/wake.ts';
import type { Exchange } from '../exchange.ts';
import type { Connection } from '../net/connection.ts';
import type { Listener } from '../net/place.ts';
import { CAUSES } from '../relay/keep-alive.ts';
import { L4Relay } from '../relay/l4.ts';
import type { SlotBook } from '../slot-book.ts';
import type { World } from '../world.ts';
import { HostFaults } from './host-faults.ts';
import { setting } from './settings.ts';
import type { SimHop } from './sim-hop.ts';

const HOLD = 0;
const GRANT = 1;
const YIELD = 2;
const CLOSE = 3;

export class QueueHop extends L4Relay implements SimHop, Follower {
  readonly #policy: ConnectionQueue;
  readonly #wake: Wake;
  readonly #faults: HostFaults;
  readonly #target: () => Listener | null;
  readonly #book: SlotBook | null;
  #settings: ConnectionQueueHop;

  constructor(world: World, instance: Instance, hop: ConnectionQueueHop) {
    super(world, instance);
    this.#settings = hop;
    this.#book = world.queueBook(instance);
    this.#target = world.drawn(instance, 'target');
    this.#wake = new Wake(world.engine, (now) => this.#policy.wake(now));
    const name = `${hop.name}/${instance.replica}`;
    this.#policy = world.policy(name, ConnectionQueue, hop, {
      hold: (number) => world.engine.next(this, HOLD, number, this.flows.get(number)),
      grant: (number) => world.engine.next(this, GRANT, number, this.flows.get(number)),
      yield: (number) => world.engine.next(this, YIELD, number, this.flows.get(number)),
      close: (number, cause) =>
        world.engine.next(this, CLOSE + cause, number, this.flows.get(number)),
      wakeAt: (at) => this.#wake.wakeAt(at),
    });
    this.#faults = new HostFaults(world, instance, {
      resetAccepted: (connection) => this.reset(connection, CAUSES.localRst),
    });
  }

  apply(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null) return this.#faults.apply(action);
    this.#settings = changed;
    this.#policy.configure(this.world.engine.now, changed);
    return true;
  }

  override asked(downstream: Connection, exchange: Exchange): void {
    this.#book?.asked(downstream, exchange);
    super.asked(downstream, exchange);
  }

  override answered(upstream: Connection, exchange: Exchange, closes: boolean): void {
    if (upstream.below !== null) this.#book?.over(upstream.below, false);
    super.answered(upstream, exchange, closes);
  }

  override connectorFinished(downstream: Connection): void {
    this.#book?.over(downstream, true);
    super.connectorFinished(downstream);
  }

  override connectorReset(downstream: Connection): void {
    this.#book?.over(downstream, true);
    super.connectorReset(downstream);
  }

  strike(): void {
    for (const connection of this.place.accepted.all()) this.#book?.strike(connection);
  }

  protected begun(downstream: Connection): void {
    downstream.reading = false;
    this.#book?.accepted(downstream);
    this.#policy.opened(this.world.engine.now, downstream.serverNumber);
  }

  protected bytesUp(downstream: Connection): void {
    this.#policy.bytesUp(this.world.engine.now, downstream.serverNumber);
  }

  protected bytesDown(downstream: Connection): void {
    this.#policy.bytesDown(this.world.engine.now, downstream.serverNumber);
  }

  protected forgot(): boolean {
    return false;
  }

  protected leftWhileGated(downstream: Connection): void {
    if (downstream.kept !== null) {
      // Under `unread` a FIN behind a request is passed on with it, once a slot is there.
      if (this.#settings.whileHeld === 'watch') this.close(downstream, CAUSES.peerFin);
    } else if (downstream.above === null) this.close(downstream, CAUSES.peerFin);
    else this.finishUpstream(downstream);
  }

  protected gone(downstream: Connection): void {
    this.#book?.over(downstream, true);
    if (downstream.slot !== SlotState.none) this.#book?.moved(downstream, SlotState.none);
    downstream.slot = SlotState.none;
    this.#policy.peerClosed(this.world.engine.now, downstream.serverNumber);
  }

  follow(kind: number, number: number, subject: unknown): void {
    const downstream = this.flows.find(number);
    // It may have gone by itself meanwhile, and its number with it.
    if (downstream === null || downstream !== subject) return;
    if (kind === GRANT) this.#granted(downstream);
    else if (kind === HOLD) this.#held(downstream);
    else if (kind === YIELD) this.#yielded(downstream);
    else this.close(downstream, kind - CLOSE);
  }

  #held(downstream: Connection): void {
    downstream.gated = true;
    this.#tell(downstream, SlotState.held);
    // `unread` never touches a socket that had no slot yet; one that yielded is read already.
    if (this.#settings.whileHeld === 'watch') this.startReading(downstream);
  }

  #granted(downstream: Connection): void {
    this.#tell(downstream, SlotState.active);
    if (downstream.above === null) {
      const target = this.#target();
      if (target === null) throw new Error('a connection queue has nothing behind it');
      this.open(downstream, target);
    }
    if (downstream.acceptorOpen) this.openGate(downstream);
  }

  #yielded(downstream: Connection): void {
    downstream.gated = true;
    this.#tell(downstream, SlotState.yielded);
  }

  #tell(downstream: Connection, slot: SlotState): void {
    this.#book?.moved(downstream, slot);
    downstream.slot = slot;
    const { recorder, engine } = this.world;
    const { instance } = this.place;
    recorder?.write(engine.now, EventKind.slot, instance, downstream.acceptorEnd, 0, slot, 0, 0);
  }
}
