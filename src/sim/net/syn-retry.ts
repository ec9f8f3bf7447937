/**
 * SYNs that a full backlog dropped: Linux sends them again 1, 3, 7, ... seconds after the first,
 * six times, and gives up after 127 (tcp(7), tcp_syn_retries; RFC 6298 section 2.1 for the
 * first second). Whoever connects may have a shorter patience of its own.
 */
import type { Micros } from '../../model/units.ts';
import type { Engine } from '../engine/engine.ts';
import type { Actor } from '../engine/event-queue.ts';
import type { Connection } from './connection.ts';

const FIRST: Micros = 1_000_000;
const RETRIES = 6;

/** What is to be done when a dropped SYN has been waited for. */
export interface SynSender {
  again(connection: Connection): void;
  givesUp(connection: Connection): void;
}

export function retrySyn(engine: Engine, sender: SynSender, connection: Connection): void {
  const { connectorPlace, beganAt, synDrops } = connection;
  connection.synDrops += 1;
  const next = beganAt + FIRST * ((1 << (synDrops + 1)) - 1);
  const { connectTimeout } = connectorPlace;
  const deadline = connectTimeout === 0 ? Number.POSITIVE_INFINITY : beganAt + connectTimeout;
  const last = synDrops >= RETRIES || deadline <= next;
  engine.at(Math.min(next, deadline), new SynTimer(sender, connection, last), 0);
}

class SynTimer implements Actor {
  readonly #sender: SynSender;
  readonly #connection: Connection;
  readonly #last: boolean;

  constructor(sender: SynSender, connection: Connection, last: boolean) {
    this.#sender = sender;
    this.#connection = connection;
    this.#last = last;
  }

  fire(): void {
    if (!this.#connection.connectorOpen) return;
    if (this.#last) this.#sender.givesUp(this.#connection);
    else this.#sender.again(this.#connection);
  }
}
