/** Where connections begin and end: links, replicas of hops with their addresses, listeners. */
import type { Micros } from '../../model/units.ts';
import type { Acceptor } from './connection.ts';
import { Ports } from './ports.ts';
import { AcceptorSockets, ConnectorSockets } from './sockets.ts';

export interface SimLink {
  readonly index: number;
  /** µs one way. */
  readonly delay: Micros;
}

/** A replica of a hop as the network sees it: an address and its live sockets. */
export class Place {
  readonly instance: number;
  readonly ip: number;
  /** Connections with a live socket here. */
  readonly connecting = new ConnectorSockets();
  readonly accepted = new AcceptorSockets();
  readonly #ports = new Map<Listener, Ports>();

  constructor(instance: number) {
    this.instance = instance;
    // 10.0.0.0/8, a place for each instance.
    this.ip = 10 * 16_777_216 + instance + 1;
  }

  portsTo(listener: Listener): Ports {
    let ports = this.#ports.get(listener);
    if (ports === undefined) {
      ports = new Ports();
      this.#ports.set(listener, ports);
    }
    return ports;
  }
}

/** Where an instance takes connections of one link. */
export class Listener {
  readonly place: Place;
  readonly link: SimLink;
  readonly acceptor: Acceptor;
  readonly address: number;
  /** Its host is down: connects are refused. */
  suspended = false;

  constructor(place: Place, link: SimLink, acceptor: Acceptor) {
    this.place = place;
    this.link = link;
    this.acceptor = acceptor;
    this.address = place.ip * 65_536 + 8_000 + link.index;
  }
}
