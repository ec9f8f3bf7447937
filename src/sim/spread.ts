/**
 * How many connections of each link carried one client connection's requests. Followed for the
 * connections of a sample of clients, because a client connection of a day is carried by
 * thousands: all clients of a group of up to 1,000, else about 200 of them, evenly spaced, and
 * fewer in simulations of more than an hour.
 */
import type { LinkMeter } from '../measure/link-meter.ts';
import type { Micros } from '../model/units.ts';
import { Rows } from '../policy/rows.ts';
import { GrowingSet } from './growing-set.ts';

const ALL_MAX = 1_000;
const SAMPLE_MAX = 200;
const SAMPLE_MIN = 40;
const HOUR: Micros = 3_600_000_000;

const FIRST_ROOM = 1_024;
const NUMBERS = 2_147_483_647;

/** By connection: whose requests it carries, if it is a client's; whose it carried last. */
const WORDS = 2;
const CARRIES = 1;

/** The connections that carried one client connection's requests, by link. */
class Carriers {
  /** Never used again, since exchanges may have it when everything was booked; 0 = nobody's. */
  number = 0;
  /** By link: those that carried one exchange and no more, which need not be remembered. */
  readonly once: number[] = [];
  readonly byLink: (GrowingSet | undefined)[] = [];
  /** Requests sent on the client connection. */
  requests = 0;
  /** Exchanges for them that are in flight somewhere; the books close after the last. */
  inFlight = 0;
  /** The client connection is gone. */
  over = false;
}

export class Spread {
  readonly #links: readonly LinkMeter[];
  readonly #connections = new Rows(WORDS);
  /** By number, as many of its last bits as the length has: at most half of them live. */
  #ring: (Carriers | undefined)[] = new Array(FIRST_ROOM);
  #live = 0;
  #lastNumber = 0;
  /** Those that were booked. */
  readonly #free: Carriers[] = [];
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
    this.#connections.room(connection);
    const { ints } = this.#connections;
    const carriers = this.#of(ints[connection * WORDS] ?? 0) ?? this.#begin();
    ints[connection * WORDS] = carriers.number;
    carriers.requests += 1;
    return carriers.number;
  }

  /** An exchange begins for one of its requests; 0 when the client connection is gone. */
  exchangeBegins(number: number): number {
    const carriers = this.#of(number);
    if (carriers === null || carriers.over) return 0;
    carriers.inFlight += 1;
    return number;
  }

  /** `end`: of the connection, for good; `only`: it carries nothing else, before or after. */
  carried(number: number, connection: number, end: number, index: number, only: boolean): void {
    // It is told when it is gone (`over`), whatever comes of this.
    this.#connections.room(connection);
    const carriers = this.#of(number);
    if (carriers === null) return;
    const { ints } = this.#connections;
    const place = connection * WORDS + CARRIES;
    // Mostly it carried the one before, too.
    if (ints[place] === number) return;
    ints[place] = number;
    if (only) {
      carriers.once[index] = (carriers.once[index] ?? 0) + 1;
      return;
    }
    let carrying = carriers.byLink[index];
    if (carrying === undefined) {
      carrying = new GrowingSet();
      carriers.byLink[index] = carrying;
    }
    carrying.add(end);
  }

  /** The connection is gone. */
  over(connection: number): void {
    const number = this.#connections.ints[connection * WORDS] ?? 0;
    this.#connections.clear(connection);
    const carriers = this.#of(number);
    if (carriers === null) return;
    carriers.over = true;
    if (carriers.inFlight === 0) this.#book(carriers);
  }

  /** An exchange for one of its requests is over. */
  exchangeOver(number: number): void {
    const carriers = this.#of(number);
    if (carriers === null) return;
    carriers.inFlight -= 1;
    if (carriers.over && carriers.inFlight === 0) this.#book(carriers);
  }

  finish(): void {
    for (const carriers of this.#ring) if (carriers !== undefined) this.#book(carriers);
  }

  /** Null when everything was booked, or nobody is followed. */
  #of(number: number): Carriers | null {
    const carriers = this.#ring[number & (this.#ring.length - 1)];
    return carriers !== undefined && carriers.number === number ? carriers : null;
  }

  /** A client connection more. */
  #begin(): Carriers {
    if (this.#live * 2 >= this.#ring.length) this.#grow();
    const mask = this.#ring.length - 1;
    do this.#lastNumber = (this.#lastNumber % NUMBERS) + 1;
    while (this.#ring[this.#lastNumber & mask] !== undefined);
    const carriers = this.#free.pop() ?? new Carriers();
    carriers.number = this.#lastNumber;
    this.#ring[carriers.number & mask] = carriers;
    this.#live += 1;
    return carriers;
  }

  #grow(): void {
    const ring: (Carriers | undefined)[] = new Array(this.#ring.length * 2);
    for (const carriers of this.#ring) {
      if (carriers !== undefined) ring[carriers.number & (ring.length - 1)] = carriers;
    }
    this.#ring = ring;
  }

  #book(carriers: Carriers): void {
    if (carriers.requests >= 2) {
      this.#links.forEach((link, index) => {
        const carrying = (carriers.byLink[index]?.size ?? 0) + (carriers.once[index] ?? 0);
        if (carrying > 0) link.spread(carrying);
      });
    }
    this.#ring[carriers.number & (this.#ring.length - 1)] = undefined;
    this.#live -= 1;
    this.#free.push(carriers);
    carriers.number = 0;
    carriers.requests = 0;
    carriers.inFlight = 0;
    carriers.over = false;
    carriers.once.length = 0;
    for (const carrying of carriers.byLink) carrying?.clear();
  }
}
