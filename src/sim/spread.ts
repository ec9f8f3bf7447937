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

/**
 * A number says which place and whose turn there: exchanges that go on after everything was
 * booked may still have it, and must not be taken for those of who has the place next. A place
 * is given on only while many others wait, so that turns do not come round in their time.
 */
const PLACE_BITS = 20;
const PLACES = 1 << PLACE_BITS;
const TURNS = 1 << (31 - PLACE_BITS);
const RESTING = 1_024;
/** Places before the first free one that may lie there until they are cut off. */
const FORGOTTEN_MAX = 4_096;

/** By connection: whose requests it carries, if it is a client's; whose it carried last. */
const WORDS = 2;
const CARRIES = 1;

/** The connections that carried one client connection's requests, by link. */
class Carriers {
  /** 0 = nobody's. */
  number = 0;
  turn = 0;
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
  /** By place. */
  readonly #carriers: Carriers[] = [];
  /** Places that are free, the longest first, from `#firstFree` on. */
  #free: number[] = [];
  #firstFree = 0;
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
    const number = ints[connection * WORDS] || this.#begin();
    ints[connection * WORDS] = number;
    const carriers = this.#of(number);
    if (carriers !== null) carriers.requests += 1;
    return number;
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
    for (const carriers of this.#carriers) if (carriers.number !== 0) this.#book(carriers);
  }

  /** Null when everything was booked, or nobody is followed. */
  #of(number: number): Carriers | null {
    const carriers = this.#carriers[number & (PLACES - 1)];
    return carriers !== undefined && number !== 0 && carriers.number === number ? carriers : null;
  }

  /** A client connection more; 0 when too many are followed. */
  #begin(): number {
    const place = this.#place();
    if (place === PLACES) return 0;
    let carriers = this.#carriers[place];
    if (carriers === undefined) {
      carriers = new Carriers();
      this.#carriers[place] = carriers;
    }
    // 0 is nobody's number.
    carriers.turn = (carriers.turn + 1) % TURNS || 1;
    carriers.number = (carriers.turn << PLACE_BITS) | place;
    return carriers.number;
  }

  #place(): number {
    if (this.#free.length - this.#firstFree <= RESTING && this.#carriers.length < PLACES) {
      return this.#carriers.length;
    }
    const place = this.#free[this.#firstFree];
    if (place === undefined) return PLACES;
    this.#firstFree += 1;
    if (this.#firstFree === FORGOTTEN_MAX) {
      this.#free = this.#free.slice(this.#firstFree);
      this.#firstFree = 0;
    }
    return place;
  }

  #book(carriers: Carriers): void {
    if (carriers.requests >= 2) {
      this.#links.forEach((link, index) => {
        const carrying = (carriers.byLink[index]?.size ?? 0) + (carriers.once[index] ?? 0);
        if (carrying > 0) link.spread(carrying);
      });
    }
    this.#free.push(carriers.number & (PLACES - 1));
    carriers.number = 0;
    carriers.requests = 0;
    carriers.inFlight = 0;
    carriers.over = false;
    carriers.once.length = 0;
    for (const carrying of carriers.byLink) carrying?.clear();
  }
}
