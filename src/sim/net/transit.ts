/** What is on its way through the network, where a link has a delay. */
import type { Actor } from '../engine/event-queue.ts';
import type { Exchange } from '../exchange.ts';
import type { Connection } from './connection.ts';

/** What is on its way. */
export const Cargo = {
  syn: 0,
  synAck: 1,
  refusal: 2,
  ack: 3,
  request: 4,
  answer: 5,
  lastAnswer: 6,
  finUp: 7,
  finDown: 8,
  rstUp: 9,
  rstDown: 10,
  greeting: 11,
} as const;
export type Cargo = (typeof Cargo)[keyof typeof Cargo];

/** Who sent it, and takes it when it has arrived. */
export interface Carrier {
  arrived(transit: Transit, cargo: Cargo, connection: Connection, exchange: Exchange | null): void;
}

/** Something on its way, as the event queue carries it. */
export class Transit implements Actor {
  connection: Connection | null = null;
  exchange: Exchange | null = null;
  readonly #carrier: Carrier;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  fire(cargo: number): void {
    const { connection, exchange } = this;
    this.connection = null;
    this.exchange = null;
    this.#carrier.arrived(this, cargo as Cargo, connection as Connection, exchange);
  }
}
