/** Who carries out what: events and consequences by kind, ends of connections by who has them. */
import type { Happening } from './engine/engine.ts';
import { EventOf, Next } from './engine/event.ts';
import { GROUP } from './load/users.ts';
import { CONNECTOR, FLOW } from './net/connections.ts';
import type { Acceptors, Connectors } from './net/ends.ts';
import { type Listener, Role } from './net/place.ts';
import type { World } from './world.ts';

export class Happenings implements Happening, Connectors, Acceptors {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  happens(kind: EventOf, which: number): void {
    const world = this.#world;
    switch (kind) {
      case EventOf.user:
        world.clients[world.users.get(which, GROUP)]?.happens(which);
        return;
      case EventOf.station:
        world.stations.happens(which);
        return;
      case EventOf.pool:
        world.pools.happens(which);
        return;
      case EventOf.server:
        world.served.happens(which);
        return;
      case EventOf.queue:
        world.queues.happens(which);
        return;
      case EventOf.exchangeLane:
        world.exchangeLanes.happens(which);
        return;
      case EventOf.requestLane:
        world.requestLanes.happens(which);
        return;
      case EventOf.request:
        world.clientsOf(which).tryAgain(which);
        return;
      case EventOf.transit:
        world.network.happens(which);
        return;
      case EventOf.wake:
        world.wakes.happens(which);
    }
  }

  follows(kind: number, which: number, detail: number, stamp: number): void {
    const world = this.#world;
    switch (kind) {
      case Next.openConnection:
        world.pools.opens(which, detail);
        return;
      case Next.grantWaiter:
        world.pools.granted(which);
        return;
      case Next.rejectWaiter:
        world.pools.rejected(which, detail);
        return;
      case Next.closePooled:
        world.pools.closes(which, detail, stamp);
        return;
      case Next.closeServed:
        world.served.closes(which, detail, stamp);
        return;
      case Next.deliver:
        world.network.follows(which, detail);
        return;
      default:
        world.queues.follows(kind, which, detail, stamp);
    }
  }

  // The connector's end

  connected(connection: number): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.connected(connection);
    else if (connector === FLOW) this.#world.flows.connected(connection);
    else this.#world.probes.get(connection)?.connected(connection);
  }

  connectFailed(connection: number, why: 'refused' | 'timeout'): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.connectFailed(connection, why);
    else if (connector === FLOW) this.#world.flows.connectFailed(connection);
    else this.#world.probes.get(connection)?.connectFailed();
  }

  answered(connection: number, exchange: number, closes: boolean): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.answered(connection, exchange, closes);
    else if (connector === FLOW) this.#world.flows.answered(connection, exchange, closes);
    else this.#world.probes.get(connection)?.answered(connection, exchange);
  }

  greeted(connection: number): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.greeted(connection);
    else if (connector === FLOW) this.#world.flows.greeted(connection);
  }

  acceptorFinished(connection: number): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.acceptorFinished(connection);
    else if (connector === FLOW) this.#world.flows.acceptorFinished(connection);
    else this.#world.probes.get(connection)?.acceptorFinished();
  }

  acceptorReset(connection: number): void {
    const connector = this.#connector(connection);
    if (connector >= 0) this.#world.pools.acceptorReset(connection);
    else if (connector === FLOW) this.#world.flows.acceptorReset(connection);
    else this.#world.probes.get(connection)?.acceptorReset();
  }

  // The acceptor's end

  accepted(connection: number): void {
    const { role, instance } = this.#world.network.listenerOf(connection);
    if (role === Role.relay) this.#world.relays[instance]?.accepted(connection);
    else if (role === Role.app) this.#world.apps[instance]?.accepted(connection);
    else if (role === Role.database) this.#world.databases[instance]?.accepted(connection);
    else this.#world.flows.accepted(connection);
  }

  asked({ role, instance }: Listener, connection: number, exchange: number): void {
    if (role === Role.relay) this.#world.relays[instance]?.asked(connection, exchange);
    else if (role === Role.app) this.#world.apps[instance]?.asked(connection, exchange);
    else if (role === Role.database) this.#world.databases[instance]?.asked(connection, exchange);
    else this.#world.flows.asked(instance, connection, exchange);
  }

  connectorFinished(connection: number): void {
    const { role, instance } = this.#world.network.listenerOf(connection);
    if (role === Role.relay) this.#world.relays[instance]?.connectorFinished(connection);
    else if (role === Role.app) this.#world.apps[instance]?.connectorFinished(connection);
    else if (role === Role.database) this.#world.databases[instance]?.connectorFinished(connection);
    else this.#world.flows.connectorFinished(connection);
  }

  connectorReset(connection: number): void {
    const { role, instance } = this.#world.network.listenerOf(connection);
    if (role === Role.relay) this.#world.relays[instance]?.connectorReset(connection);
    else if (role === Role.app) this.#world.apps[instance]?.connectorReset(connection);
    else if (role === Role.database) this.#world.databases[instance]?.connectorReset(connection);
    else this.#world.flows.connectorReset(connection);
  }

  #connector(connection: number): number {
    return this.#world.connections.get(connection, CONNECTOR);
  }
}
