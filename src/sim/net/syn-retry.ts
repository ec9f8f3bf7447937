/**
 * SYNs that a full backlog dropped: Linux sends them again 1, 3, 7, ... seconds after the first,
 * six times, and gives up after 127 (tcp(7), tcp_syn_retries; RFC 6298 section 2.1 for the
 * first second). Whoever connects may have a shorter patience of its own.
 */
import type { Micros } from '../../model/units.ts';
import type { Actor, Engine } from '../engine/engine.ts';
import { CONNECTOR_OPEN, type Connections } from './connections.ts';

const FIRST: Micros = 1_000_000;
const RETRIES = 6;

/** What is to be done when a dropped SYN has been waited for. */
export interface SynSender {
  again(connection: number): void;
  givesUp(connection: number): void;
  /** Its connector has closed it meanwhile. */
  wasClosed(connection: number): void;
}

/** One whose SYN was dropped. */
interface Dropped {
  readonly beganAt: Micros;
  drops: number;
}

export class SynRetries implements Actor {
  readonly #engine: Engine;
  readonly #connections: Connections;
  readonly #sender: SynSender;
  readonly #dropped = new Map<number, Dropped>();

  constructor(engine: Engine, connections: Connections, sender: SynSender) {
    this.#engine = engine;
    this.#connections = connections;
    this.#sender = sender;
  }

  get size(): number {
    return this.#dropped.size;
  }

  /** Its SYN was dropped; `beganAt`: when the first of them was sent. */
  dropped(connection: number, beganAt: Micros, connectTimeout: Micros): void {
    const known = this.#dropped.get(connection) ?? { beganAt, drops: 0 };
    this.#dropped.set(connection, known);
    known.drops += 1;
    const next = known.beganAt + FIRST * ((1 << known.drops) - 1);
    const deadline =
      connectTimeout === 0 ? Number.POSITIVE_INFINITY : known.beganAt + connectTimeout;
    const isLast = known.drops > RETRIES || deadline <= next;
    this.#connections.departs(connection);
    this.#engine.at(Math.min(next, deadline), this, isLast ? -connection : connection);
  }

  /** Another SYN is due, or, of a negative number, that was the last one. */
  fire(number: number): void {
    const connection = Math.abs(number);
    if (!this.#connections.has(connection, CONNECTOR_OPEN)) {
      this.#dropped.delete(connection);
      this.#sender.wasClosed(connection);
    } else if (number > 0) this.#sender.again(connection);
    else {
      this.#dropped.delete(connection);
      this.#sender.givesUp(connection);
    }
    this.#connections.arrives(connection);
  }

  /** The connection's number is about to be another's. */
  forget(connection: number): void {
    this.#dropped.delete(connection);
  }
}
