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
import { ACCEPTOR_END, ACCEPTOR_OPEN, ASKED, type Connections } from './net/connections.ts';
import type { Recorder } from './recorder.ts';

export interface SlotBook {
  accepted(connection: number): void;
  /** The slot state of a connection changes to this; its row still has the former. */
  moved(connection: number, to: SlotState): void;
  /** The client's request has come as far as this queue. */
  asked(connection: number, exchange: number): void;
  /** The request is answered, or the client has gone. */
  over(connection: number, gaveUp: boolean): void;
  /** The load is over. */
  strike(connection: number): void;
}

export class ToldSlots implements SlotBook {
  readonly #recorder: Recorder;
  readonly #connections: Connections;
  readonly #engine: Engine;
  readonly #instance: number;
  /** Hears the same; null where only the ledger measures. */
  readonly #other: SlotBook | null;

  constructor(
    recorder: Recorder,
    engine: Engine,
    connections: Connections,
    instance: number,
    other: SlotBook | null,
  ) {
    this.#recorder = recorder;
    this.#connections = connections;
    this.#engine = engine;
    this.#instance = instance;
    this.#other = other;
  }

  accepted(connection: number): void {
    this.#tell(connection, Passing.answered);
  }

  moved(connection: number, to: SlotState): void {
    this.#other?.moved(connection, to);
  }

  asked(connection: number, exchange: number): void {
    this.#other?.asked(connection, exchange);
    this.#connections.put(connection, ASKED, exchange);
    this.#tell(connection, Passing.asked);
  }

  over(connection: number, gaveUp: boolean): void {
    const connections = this.#connections;
    if (connections.get(connection, ASKED) === 0) return;
    this.#other?.over(connection, gaveUp);
    connections.put(connection, ASKED, 0);
    // With its end everything about a connection has been told.
    if (!connections.has(connection, ACCEPTOR_OPEN)) return;
    this.#tell(connection, gaveUp ? Passing.left : Passing.answered);
  }

  strike(connection: number): void {
    this.#other?.strike(connection);
  }

  #tell(connection: number, what: number): void {
    const { now } = this.#engine;
    const acceptorEnd = this.#connections.get(connection, ACCEPTOR_END);
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
