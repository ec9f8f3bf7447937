/** The books of sockets: opened and gone, for whoever measures or is told; ports and live lists. */
import { closeCauseCode } from '../../model/close-cause.ts';
import { EventKind } from '../../model/event.ts';
import type { Engine } from '../engine/engine.ts';
import type { Meters } from '../meters.ts';
import type { Recorder } from '../recorder.ts';
import { noteCause } from '../root-cause.ts';
import type { Connections } from './connections.ts';
import * as of from './connections.ts';
import type { NetworkBase } from './ends.ts';
import type { Network } from './network.ts';
import type { Listener, Place } from './place.ts';

const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');

export class Sockets {
  readonly #network: Network;
  readonly #base: NetworkBase;
  readonly #engine: Engine;
  readonly #recorder: Recorder | null;
  readonly #connections: Connections;
  readonly #places: readonly Place[];
  #ends = 0;

  constructor(network: Network, base: NetworkBase) {
    this.#network = network;
    this.#base = base;
    this.#engine = base.engine;
    this.#recorder = base.recorder;
    this.#connections = base.connections;
    this.#places = base.places;
  }

  get meters(): Meters | null {
    return this.#base.meters;
  }

  /** The connector has a socket. */
  connects(connection: number, from: Place, listener: Listener): void {
    const end = this.#newEnd();
    this.#connections.put(connection, of.CONNECTOR_END, end);
    from.connecting.add(connection);
    if (this.#recorder === null) return;
    const { address, link } = listener;
    this.#tell(EventKind.connectStarted, from.instance, end, address, 0, link.index);
  }

  /** Its connect has succeeded. */
  isUp(connection: number): void {
    this.count(connection);
    if (this.#recorder === null) return;
    const connections = this.#connections;
    const { address, link } = this.#network.listenerOf(connection);
    const end = connections.get(connection, of.CONNECTOR_END);
    const place = connections.get(connection, of.PLACE);
    const own = connections.getTime(connection, of.ADDRESS);
    this.#tell(EventKind.connected, place, end, own, address, link.index);
  }

  /** The acceptor has a socket. */
  accepts(connection: number, { address, link, place }: Listener): void {
    const end = this.#newEnd();
    this.count(connection);
    this.#connections.put(connection, of.ACCEPTOR_END, end);
    place.accepted.add(connection);
    if (this.#recorder === null) return;
    const other = this.#connections.getTime(connection, of.ADDRESS);
    this.#tell(EventKind.accepted, place.instance, end, address, other, link.index);
  }

  connectorGone(connection: number, cause: number): void {
    const connections = this.#connections;
    connections.unset(connection, of.CONNECTOR_OPEN);
    const flags = connections.get(connection, of.FLAGS);
    const place = this.#places[connections.get(connection, of.PLACE)] as Place;
    place.connecting.delete(connection);
    const isLast = (flags & of.ACCEPTOR_GONE) !== 0;
    if (this.meters !== null) this.#measureEnd(this.meters, connection, cause, isLast);
    if (this.#recorder !== null) {
      const end = connections.get(connection, of.CONNECTOR_END);
      const { bytes } = this.#network;
      const down = bytes?.downOf(connection) ?? 0;
      this.#tell(EventKind.closed, place.instance, end, cause, down, bytes?.upOf(connection) ?? 0);
    }
    const address = connections.getTime(connection, of.ADDRESS);
    if (address !== 0) {
      const isFirst = cause !== PEER_FIN && cause !== PEER_RST && (flags & of.ACCEPTOR_FIN) === 0;
      const waits = isFirst && (flags & of.UP) !== 0 && (flags & of.CONNECTOR_RESET) === 0;
      place.giveAddress(this.#network.listenerOf(connection), address, this.#engine.now, waits);
    }
    if (isLast) connections.over(connection);
  }

  acceptorGone(connection: number, cause: number): void {
    const connections = this.#connections;
    connections.unset(connection, of.ACCEPTOR_OPEN);
    connections.set(connection, of.ACCEPTOR_GONE);
    const isLast = !connections.has(connection, of.CONNECTOR_OPEN);
    if (this.meters !== null) this.#measureEnd(this.meters, connection, cause, isLast);
    const { place } = this.#network.listenerOf(connection);
    place.accepted.delete(connection);
    if (this.#recorder !== null) {
      const end = connections.get(connection, of.ACCEPTOR_END);
      const { bytes } = this.#network;
      const down = bytes?.downOf(connection) ?? 0;
      this.#tell(EventKind.closed, place.instance, end, cause, bytes?.upOf(connection) ?? 0, down);
    }
    if (isLast) connections.over(connection);
  }

  /** It is open at one end at least. */
  count(connection: number): void {
    if (this.meters === null || this.#connections.has(connection, of.COUNTED)) return;
    this.#connections.set(connection, of.COUNTED);
    this.meters.opened(connection);
  }

  #measureEnd(meters: Meters, connection: number, cause: number, isLast: boolean): void {
    noteCause(this.#connections, connection, cause, this.#engine.now);
    if (!this.#connections.has(connection, of.COUNTED)) meters.connectFailed(connection);
    else if (isLast) meters.closed(connection);
  }

  #newEnd(): number {
    this.#ends += 1;
    return this.#ends;
  }

  #tell(kind: number, instance: number, end: number, a: number, b: number, c: number): void {
    this.#recorder?.write(this.#engine.now, kind, instance, end, 0, a, b, c);
  }
}
