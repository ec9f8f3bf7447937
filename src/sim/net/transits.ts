/** What is on its way through the network, where a link has a delay: rows of an event each. */
import { Rows } from '../../policy/rows.ts';

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

const WORDS = 4;
const ROW = 2;
const CARGO = 0;
const CONNECTION = 1;
const EXCHANGE = 2;
const NEXT_FREE = 3;

export class Transits extends Rows {
  #used = 1;
  #free = 0;

  constructor() {
    super(WORDS);
  }

  take(cargo: Cargo, connection: number, exchange: number): number {
    let transit = this.#free;
    if (transit !== 0) this.#free = this.ints[(transit << ROW) | NEXT_FREE] ?? 0;
    else {
      transit = this.#used;
      this.#used += 1;
      this.room(transit);
    }
    const row = transit << ROW;
    this.ints[row | CARGO] = cargo;
    this.ints[row | CONNECTION] = connection;
    this.ints[row | EXCHANGE] = exchange;
    return transit;
  }

  cargo(transit: number): Cargo {
    return (this.ints[(transit << ROW) | CARGO] ?? 0) as Cargo;
  }

  connection(transit: number): number {
    return this.ints[(transit << ROW) | CONNECTION] ?? 0;
  }

  exchange(transit: number): number {
    return this.ints[(transit << ROW) | EXCHANGE] ?? 0;
  }

  give(transit: number): void {
    this.ints[(transit << ROW) | EXCHANGE] = 0;
    this.ints[(transit << ROW) | NEXT_FREE] = this.#free;
    this.#free = transit;
  }

  /** Exchanges that are on their way. */
  *exchanges(): Iterable<number> {
    for (let transit = 1; transit < this.#used; transit++) {
      const exchange = this.exchange(transit);
      if (exchange !== 0) yield exchange;
    }
  }
}
