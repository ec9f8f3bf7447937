/**
 * Ephemeral ports of one address toward one listener. Linux gives out 32768-60999 (28,232; ip(7),
 * ip_local_port_range) and keeps a tuple that its own side closed first for a minute (TIME_WAIT;
 * RFC 9293 section 3.6.1, 2 x MSL as TCP_TIMEWAIT_LEN has it). When none is left a connect fails
 * with EADDRNOTAVAIL: so a hop that opens more than 470 connections a second to one listener, and
 * closes them itself, comes to a stop.
 *
 * Each port has been used once before any is used again, so all of them come to be noted, for
 * each of hundreds of addresses: in 2 bytes a port, and 8 more for the end of its TIME_WAIT.
 */
import type { Micros } from '../../model/units.ts';

export const FIRST_PORT = 32_768;
export const PORTS = 28_232;
export const TIME_WAIT: Micros = 60_000_000;

/** A power of two. */
const FIRST_ROOM = 16;

export class Ports {
  readonly #count: number;
  #fresh = 0;
  /** Given back and free at once; the last one is the next. */
  #free = new Uint16Array(FIRST_ROOM);
  #freeCount = 0;
  /** In TIME_WAIT or through with it, in order of time: a ring. */
  #waiting = new Uint16Array(FIRST_ROOM);
  #until = new Float64Array(FIRST_ROOM);
  #firstWaiting = 0;
  #waitingCount = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Null when every port is in use or in TIME_WAIT. */
  take(now: Micros): number | null {
    if (this.#fresh < this.#count) {
      this.#fresh += 1;
      return FIRST_PORT + this.#fresh - 1;
    }
    if (this.#freeCount > 0) {
      this.#freeCount -= 1;
      return this.#free[this.#freeCount] ?? null;
    }
    const first = this.#firstWaiting;
    if (this.#waitingCount === 0 || (this.#until[first] ?? 0) > now) return null;
    this.#firstWaiting = (first + 1) & (this.#waiting.length - 1);
    this.#waitingCount -= 1;
    return this.#waiting[first] ?? null;
  }

  /** `waits`: the connector closed first, by FIN. */
  give(now: Micros, port: number, waits: boolean): void {
    if (waits) this.#wait(port, now + TIME_WAIT);
    else {
      if (this.#freeCount === this.#free.length) this.#free = copied(this.#free, 0);
      this.#free[this.#freeCount] = port;
      this.#freeCount += 1;
    }
  }

  #wait(port: number, until: Micros): void {
    if (this.#waitingCount === this.#waiting.length) {
      this.#waiting = copied(this.#waiting, this.#firstWaiting);
      this.#until = copied(this.#until, this.#firstWaiting);
      this.#firstWaiting = 0;
    }
    const place = (this.#firstWaiting + this.#waitingCount) & (this.#waiting.length - 1);
    this.#waiting[place] = port;
    this.#until[place] = until;
    this.#waitingCount += 1;
  }
}

/** Twice as long; what began at `first` begins at 0. */
function copied<T extends Uint16Array | Float64Array>(full: T, first: number): T {
  const copy = new (full.constructor as new (length: number) => T)(full.length * 2);
  copy.set(full.subarray(first));
  copy.set(full.subarray(0, first), full.length - first);
  return copy;
}
