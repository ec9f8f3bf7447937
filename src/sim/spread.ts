/**
 * How many connections of each link carried one client connection's requests. Followed for the
 * connections of a sample of clients, because a client connection of a day is carried by
 * thousands: all clients of a small group, else about 1,000 of them, evenly spaced, and fewer in
 * simulations of more than an hour.
 */
import type { LinkMeter } from '../measure/link-meter.ts';
import type { Micros } from '../model/units.ts';
import type { Connection } from './net/connection.ts';

const SAMPLE_MAX = 1_000;
const SAMPLE_MIN = 40;
const HOUR: Micros = 3_600_000_000;

/** The connections that carried one client connection's requests, by link. */
export class Carriers {
  readonly byLink = new Map<number, Set<number>>();
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

  readonly #sample: number;

  constructor(links: readonly LinkMeter[], duration: Micros) {
    this.#links = links;
    const fewer = Math.floor(SAMPLE_MAX / Math.max(1, duration / HOUR));
    this.#sample = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, fewer));
  }

  /** A client of a group of `count` sends a request; null where it is not followed. */
  sent(connection: Connection, client: number, count: number): Carriers | null {
    if (client % Math.max(1, Math.floor(count / this.#sample)) !== 0) return null;
    let { spread } = connection;
    if (spread === null) {
      spread = new Carriers();
      connection.spread = spread;
      this.#open.add(spread);
    }
    spread.requests += 1;
    return spread;
  }

  carried(carriers: Carriers, connection: Connection): void {
    const { index } = connection.link;
    let carrying = carriers.byLink.get(index);
    if (carrying === undefined) {
      carrying = new Set();
      carriers.byLink.set(index, carrying);
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
    for (const [link, carrying] of carriers.byLink) this.#links[link]?.spread(carrying.size);
  }
}
