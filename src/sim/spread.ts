/**
 * How many connections of each link carried one client connection's requests. Followed for the
 * connections of a sample of clients, because a client connection of a day is carried by
 * thousands: all clients of a group of up to 1,000, else about 200 of them, evenly spaced, and
 * fewer in simulations of more than an hour.
 */
import type { LinkMeter } from '../measure/link-meter.ts';
import type { Micros } from '../model/units.ts';

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
  readonly number: number = 0;

  constructor(number: number) {
    this.number = number;
  }
}

/** A connection of which somebody wants to know. */
interface Followed {
  /** What carries its requests, of a client's connection. */
  spread: Carriers | null;
  /** Whose request it carried last. */
  carries: Carriers | null;
}

export class Spread {
  readonly #links: readonly LinkMeter[];
  /** By connection. */
  readonly #followed = new Map<number, Followed>();
  /** By number, which exchanges know them by. */
  readonly #carriers = new Map<number, Carriers>();
  #numbers = 0;
  readonly #open = new Set<Carriers>();

  readonly #sample: number = SAMPLE_MAX;
  readonly #isShort: boolean = true;

  constructor(links: readonly LinkMeter[], duration: Micros) {
    this.#links = links;
    this.#isShort = duration <= HOUR;
    const fewer = Math.floor(SAMPLE_MAX / Math.max(1, duration / HOUR));
    this.#sample = Math.max(SAMPLE_MIN, Math.min(SAMPLE_MAX, fewer));
  }

  /**
   * A client of a group of `count` sends a request: the number of what carries it, for the
   * exchange; 0 where it is not followed.
   */
  sent(connection: number, client: number, count: number): number {
    const whole = this.#isShort && count <= ALL_MAX;
    if (!whole && client % Math.max(1, Math.floor(count / this.#sample)) !== 0) return 0;
    const followed = this.#follow(connection);
    let { spread } = followed;
    if (spread === null) {
      this.#numbers += 1;
      spread = new Carriers(this.#numbers);
      this.#carriers.set(spread.number, spread);
      followed.spread = spread;
      this.#open.add(spread);
    }
    spread.requests += 1;
    return spread.number;
  }

  /** An exchange begins for one of its requests; 0 when the client connection is gone. */
  exchangeBegins(number: number): number {
    const carriers = this.#carriers.get(number);
    if (carriers === undefined || carriers.over) return 0;
    carriers.inFlight += 1;
    return number;
  }

  /** `end`: of the connection, for good; `only`: it carries nothing else, before or after. */
  carried(number: number, connection: number, end: number, index: number, only: boolean): void {
    const carriers = this.#carriers.get(number);
    const followed = this.#follow(connection);
    // Mostly it carried the one before, too.
    if (carriers === undefined || followed.carries === carriers) return;
    followed.carries = carriers;
    if (only) {
      carriers.once[index] = (carriers.once[index] ?? 0) + 1;
      return;
    }
    let carrying = carriers.byLink[index];
    if (carrying === undefined) {
      carrying = new Set();
      carriers.byLink[index] = carrying;
    }
    carrying.add(end);
  }

  /** The connection is gone. */
  over(connection: number): void {
    const spread = this.#followed.get(connection)?.spread ?? null;
    this.#followed.delete(connection);
    if (spread === null) return;
    spread.over = true;
    if (spread.inFlight === 0) this.#book(spread);
  }

  /** An exchange for one of its requests is over. */
  exchangeOver(number: number): void {
    const carriers = this.#carriers.get(number);
    if (carriers === undefined) return;
    carriers.inFlight -= 1;
    if (carriers.over && carriers.inFlight === 0) this.#book(carriers);
  }

  finish(): void {
    for (const carriers of this.#open) this.#book(carriers);
  }

  #follow(connection: number): Followed {
    let followed = this.#followed.get(connection);
    if (followed === undefined) {
      followed = { spread: null, carries: null };
      this.#followed.set(connection, followed);
    }
    return followed;
  }

  #book(carriers: Carriers): void {
    this.#carriers.delete(carriers.number);
    if (!this.#open.delete(carriers) || carriers.requests < 2) return;
    this.#links.forEach((link, index) => {
      const carrying = (carriers.byLink[index]?.size ?? 0) + (carriers.once[index] ?? 0);
      if (carrying > 0) link.spread(carrying);
    });
  }
}
