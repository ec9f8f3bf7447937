/**
 * Whoever follows what a connection queue holds: the simulator's own measures (`QueueBook`), or
 * this, which tells the ledger.
 *
 * The ledger knows from the sending hop when a request is on its way and when its answer has come.
 * Behind a link with a delay that is earlier and later than the queue has it, and it is the queue's
 * slot that is busy. So there, and only there, the queue tells.
 */
import { EventKind, Passing, type SlotState } from '../model/event.ts';
import { isL4 } from '../model/plan.ts';
import type { Hop, Topology } from '../model/topology.ts';
import type { Engine } from './engine/engine.ts';
import type { Exchange } from './exchange.ts';
import type { Connection } from './net/connection.ts';
import type { Recorder } from './recorder.ts';

export interface SlotBook {
  accepted(connection: Connection): void;
  /** The slot state of a connection changes to this; `connection.slot` still has the former. */
  moved(connection: Connection, to: SlotState): void;
  /** The client's request has come as far as this queue. */
  asked(connection: Connection, exchange: Exchange): void;
  /** The request is answered, or the client has gone. */
  over(connection: Connection, gaveUp: boolean): void;
  /** The load is over. */
  strike(connection: Connection): void;
}

export class ToldSlots implements SlotBook {
  readonly #recorder: Recorder;
  readonly #engine: Engine;
  readonly #instance: number;
  /** Hears the same; null where only the ledger measures. */
  readonly #other: SlotBook | null;

  constructor(recorder: Recorder, engine: Engine, instance: number, other: SlotBook | null) {
    this.#recorder = recorder;
    this.#engine = engine;
    this.#instance = instance;
    this.#other = other;
  }

  accepted(connection: Connection): void {
    this.#tell(connection, Passing.answered);
  }

  moved(connection: Connection, to: SlotState): void {
    this.#other?.moved(connection, to);
  }

  asked(connection: Connection, exchange: Exchange): void {
    this.#other?.asked(connection, exchange);
    connection.asked = exchange;
    this.#tell(connection, Passing.asked);
  }

  over(connection: Connection, gaveUp: boolean): void {
    if (connection.asked === null) return;
    this.#other?.over(connection, gaveUp);
    connection.asked = null;
    // With its end everything about a connection has been told.
    if (connection.acceptorOpen) this.#tell(connection, gaveUp ? Passing.left : Passing.answered);
  }

  strike(connection: Connection): void {
    this.#other?.strike(connection);
  }

  #tell({ acceptorEnd }: Connection, what: number): void {
    const { now } = this.#engine;
    this.#recorder.write(now, EventKind.passing, this.#instance, acceptorEnd, 0, what, 0, 0);
  }
}

/** Does a link delay between this hop and a hop before it that sends requests? */
export function isFar(topology: Topology, hop: Hop): boolean {
  return topology.hops
    .filter(({ upstream }) => upstream === hop.name)
    .some((one) => delayOf(one) > 0 || (isL4(one) && isFar(topology, one)));
}

function delayOf(hop: Hop): number {
  return 'upstreamDelay' in hop ? hop.upstreamDelay : 0;
}
