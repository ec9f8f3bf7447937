/** Where connections begin and end: links, replicas of hops with their addresses, listeners. */
import type { Micros } from '../../model/units.ts';
import { ACCEPTED_INDEX, CONNECTING_INDEX, type Connections } from './connections.ts';
import { FIRST_PORT, PORTS, Ports } from './ports.ts';

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

/**
 * Live sockets, for whoever must go through all of them: faults, the census. Each connection knows
 * its index, so that adding and removing cost a store or two.
 */
class Sockets {
  readonly #connections: Connections;
  readonly #column: number = 0;
  readonly #list: number[] = [];

  constructor(connections: Connections, column: number) {
    this.#connections = connections;
    this.#column = column;
  }

  get size(): number {
    return this.#list.length;
  }

  /** A copy, so that sockets may go meanwhile. */
  all(): number[] {
    return [...this.#list];
  }

  add(connection: number): void {
    this.#connections.put(connection, this.#column, this.#list.length);
    this.#list.push(connection);
  }

  delete(connection: number): void {
    const last = this.#list.pop();
    if (last === undefined || last === connection) return;
    const index = this.#connections.get(connection, this.#column);
    this.#connections.put(last, this.#column, index);
    this.#list[index] = last;
  }
}

/** A replica of a hop as the network sees it: an address and its live sockets. */
export class Place {
  readonly instance: number = 0;
  readonly ip: number = 0.5;
  readonly connectTimeout: Micros = 0.5;
  /** null: clients are machines of their own, and never run out of ports. */
  readonly #portsEach: number | null;
  #addresses = 0;
  /** Connections with a live socket here. */
  readonly connecting: Sockets;
  readonly accepted: Sockets;
  readonly #ports = new Map<Listener, Ports>();
  /** Mostly there is but one that it connects to. */
  #lastListener: Listener | null = null;
  #lastPorts = new Ports(PORTS);

  constructor(instance: number, machine: Machine, connections: Connections) {
    this.instance = instance;
    this.connectTimeout = machine.connectTimeout;
    this.#portsEach = machine.ports;
    this.connecting = new Sockets(connections, CONNECTING_INDEX);
    this.accepted = new Sockets(connections, ACCEPTED_INDEX);
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

/** What accepts. */
export const Role = { relay: 0, balancer: 1, queue: 2, app: 3, database: 4 } as const;
export type Role = (typeof Role)[keyof typeof Role];

/** Where an instance takes connections of one link. */
export class Listener {
  readonly number: number = 0;
  readonly role: Role;
  /** The instance, too: where hops of a role are kept by it. */
  readonly instance: number = 0;
  readonly link: SimLink;
  readonly place: Place;
  readonly address: number;
  /** Its host is down: connects are refused. */
  suspended = false;
  /** Requests read here in the present step of the series. */
  reads = 0;
  /** Its program accepts; else connections wait, at most `backlog` and one (as Linux counts). */
  accepting = true;
  readonly waiting: number[] = [];
  readonly backlog: number;

  constructor(number: number, role: Role, place: Place, link: SimLink, backlog: number) {
    this.number = number;
    this.role = role;
    this.instance = place.instance;
    this.backlog = backlog;
    this.place = place;
    this.link = link;
    this.address = place.ip * 65_536 + 8_000 + link.index;
  }
}
