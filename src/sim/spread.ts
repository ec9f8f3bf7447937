/**
 * How many connections of each link carried one client connection's requests. Followed for the
 * connections of a sample of clients, because a client connection of a day is carried by
 * thousands: all clients of a group of up to 1,000, else about 200 of them, evenly spaced, and
 * fewer in simulations of more than an hour.
 */
import type { LinkMeter } from '../measure/link-meter.ts';
import type { Micros } from '../model/units.ts';
import type { Connection } from './net/connection.ts';

const ALL_MAX = 1_000;
const SAMPLE_MAX = 200;
const SAMPLE_MIN = 40;
const HOUR: Micros = 3_600_000_000;

/** The connections that carried one client connection's requests, by link. */
export class Carriers {
  readonly byLink: (Set<number> | undefined)[] = [];
  /** By link: those that carried one exchange and no more, which need not be remembered. */
  readonly once: number[] = [];
  /** Requests sent on the client connection. */
  requests = 0;
  /** Exchanges for them that are in flight somewhere; the books close after the last. */
  inFlight = 0;
  /** The client connection is gone. */
  over = false;
}

export class Spread {
  readonly #links: readonly LinkMeter[];
  readonly #open = new Set<Carriers>();

  readonly #sample: number = SAMPLE_MAX;
  readonly #isShort: boolean = true;

  constructor(links: readonly LinkMeter[], duration: Micros) {
    this.#links = links;
    this.#isShort = duration <= HOUR;
    const fewer = Math.floor(SAMPLE_MAX / Math.max(1, duration / HOUR));
    this.#sample = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, fewer));
  }

  /** A client of a group of `count` sends a request; null where it is not followed. */
  sent(connection: Connection, client: number, count: number): Carriers | null {
    const whole = this.#isShort && count <= ALL_MAX;
    if (!whole && client % Math.max(1, Math.floor(count / this.#sample)) !== 0) return null;
    let { spread } = connection;
    if (spread === null) {
      spread = new Carriers();
      connection.spread = spread;
      this.#open.add(spread);
    }
    spread.requests += 1;
    return spread;
  }

  /** `only`: the connection carries nothing else, before or after. */
  carried(carriers: Carriers, connection: Connection, only: boolean): void {
    // Mostly it carried the one before, too.
    if (connection.carries === carriers) return;
    connection.carries = carriers;
    const { index } = connection.link;
    if (only) {
      carriers.once[index] = (carriers.once[index] ?? 0) + 1;
      return;
    }
    let carrying = carriers.byLink[index];
    if (carrying === undefined) {
      carrying = new Set();
      carriers.byLink[index] = carrying;
    }
    carrying.add(connection.connectorEnd);
  }

  /** The client connection is gone. */
  over(connection: Connection): void {
    const { spread } = connection;
    connection.spread = null;
    if (spread === null) return;
    spread.over = true;
    if (spread.inFlight === 0) this.#book(spread);
  }

  /** An exchange for one of its requests is over. */
  exchangeOver(carriers: Carriers): void {
    carriers.inFlight -= 1;
    if (carriers.over && carriers.inFlight === 0) this.#book(carriers);
  }

  finish(): void {
    for (const carriers of this.#open) this.#book(carriers);
  }

  #book(carriers: Carriers): void {
    if (!this.#open.delete(carriers) || carriers.requests < 2) return;
    this.#links.forEach((link, index) => {
      const carrying = (carriers.byLink[index]?.size ?? 0) + (carriers.once[index] ?? 0);
      if (carrying > 0) link.spread(carrying);
    });
  }
}
