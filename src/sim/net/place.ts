/** Where connections begin and end: links, replicas of hops with their addresses, listeners. */
import type { Micros } from '../../model/units.ts';
import type { Acceptor, Connection } from './connection.ts';
import { FIRST_PORT, PORTS, Ports } from './ports.ts';
import { AcceptorSockets, ConnectorSockets } from './sockets.ts';

export interface SimLink {
  readonly index: number;
  /** µs one way. */
  readonly delay: Micros;
  /** Requests that went out on it in the present step of the series. */
  exchanges: number;
}

/** What a replica's machine gives it. */
export interface Machine {
  /** Local ports to each listener; null = without limit. */
  readonly ports: number | null;
  /** A connect fails after this; 0 = only when the kernel gives up. */
  readonly connectTimeout: Micros;
}

/** 100.64.0.0/10, where clients live. */
const CLIENTS = 100 * 16_777_216 + 64 * 65_536;
const CLIENT_ADDRESSES = 4_194_304 * PORTS;

/** A replica of a hop as the network sees it: an address and its live sockets. */
export class Place {
  readonly instance: number = 0;
  readonly ip: number = 0.5;
  readonly connectTimeout: Micros = 0.5;
  /** null: clients are machines of their own, and never run out of ports. */
  readonly #portsEach: number | null;
  #addresses = 0;
  /** Connections with a live socket here. */
  readonly connecting = new ConnectorSockets();
  readonly accepted = new AcceptorSockets();
  readonly #ports = new Map<Listener, Ports>();
  /** Mostly there is but one that it connects to. */
  #lastListener: Listener | null = null;
  #lastPorts = new Ports(PORTS);

  constructor(instance: number, machine: Machine) {
    this.instance = instance;
    this.connectTimeout = machine.connectTimeout;
    this.#portsEach = machine.ports;
    // 10.0.0.0/8, a place for each instance.
    this.ip = 10 * 16_777_216 + instance + 1;
  }

  /** Address and port for a connection; null when every port is in use or in TIME_WAIT. */
  takeAddress(listener: Listener, now: Micros): number | null {
    if (this.#portsEach === null) {
      const number = this.#addresses % CLIENT_ADDRESSES;
      this.#addresses += 1;
      const machine = Math.floor(number / PORTS);
      return (CLIENTS + machine) * 65_536 + FIRST_PORT + (number - machine * PORTS);
    }
    const port = this.#portsTo(listener, this.#portsEach).take(now);
    return port === null ? null : this.ip * 65_536 + port;
  }

  /** `waits`: the connector closed first, by FIN. */
  giveAddress(listener: Listener, address: number, now: Micros, waits: boolean): void {
    if (this.#portsEach === null) return;
    this.#portsTo(listener, this.#portsEach).give(now, address - this.ip * 65_536, waits);
  }

  #portsTo(listener: Listener, each: number): Ports {
    if (listener === this.#lastListener) return this.#lastPorts;
    let ports = this.#ports.get(listener);
    if (ports === undefined) {
      ports = new Ports(each);
      this.#ports.set(listener, ports);
    }
    this.#lastListener = listener;
    this.#lastPorts = ports;
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
  /** Requests read here in the present step of the series. */
  reads = 0;
  /** Its program accepts; else connections wait, at most `backlog` and one (as Linux counts). */
  accepting = true;
  readonly waiting: Connection[] = [];
  readonly backlog: number;

  constructor(place: Place, link: SimLink, acceptor: Acceptor, backlog: number) {
    this.backlog = backlog;
    this.place = place;
    this.link = link;
    this.acceptor = acceptor;
    this.address = place.ip * 65_536 + 8_000 + link.index;
  }
}
