/**
 * Ephemeral ports of one address toward one listener. Linux gives out 32768-60999 (28,232; ip(7),
 * ip_local_port_range) and keeps a tuple that its own side closed first for a minute (TIME_WAIT;
 * RFC 9293 section 3.6.1, 2 x MSL as TCP_TIMEWAIT_LEN has it). When none is left a connect fails
 * with EADDRNOTAVAIL: so a hop that opens more than 470 connections a second to one listener, and
 * closes them itself, comes to a stop.
 */
import type { Micros } from '../../model/units.ts';

export const FIRST_PORT = 32_768;
export const PORTS = 28_232;
export const TIME_WAIT: Micros = 60_000_000;

export class Ports {
  readonly #count: number;
  #fresh = 0;
  /** Given back; free at once, and free after TIME_WAIT, in order of time. */
  readonly #free: number[] = [];
  readonly #waiting: number[] = [];
  readonly #until: number[] = [];
  #firstWaiting = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** Null when every port is in use or in TIME_WAIT. */
  take(now: Micros): number | null {
    if (this.#fresh < this.#count) {
      this.#fresh += 1;
      return FIRST_PORT + this.#fresh - 1;
    }
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const first = this.#firstWaiting;
    if (first >= this.#waiting.length || (this.#until[first] ?? 0) > now) return null;
    this.#firstWaiting += 1;
    const port = this.#waiting[first] ?? FIRST_PORT;
    if (this.#firstWaiting > 1_024 && this.#firstWaiting * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#firstWaiting);
      this.#until.splice(0, this.#firstWaiting);
      this.#firstWaiting = 0;
    }
    return port;
  }

  /** `waits`: the connector closed first, by FIN. */
  give(now: Micros, port: number, waits: boolean): void {
    if (!waits) {
      this.#free.push(port);
      return;
    }
    this.#waiting.push(port);
    this.#until.push(now + TIME_WAIT);
  }

  /** Tuples in TIME_WAIT now. */
  waiting(now: Micros): number {
    let count = 0;
    for (let i = this.#firstWaiting; i < this.#until.length; i++) {
      if ((this.#until[i] ?? 0) > now) count += 1;
    }
    return count;
  }
}
