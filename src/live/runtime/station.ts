/**
 * Station: work that takes time, a limited number of pieces at once, the rest first come first
 * served. It stands for the CPU of a database, or the service time of an app.
 *
 *   submit ──► waiting ──► one of `concurrencyMax` servers, for a sampled time ──► done()
 *
 * Timers have a grain of 1 ms, service times may be shorter. The remainder is carried: a piece
 * is done at once, or at a whole millisecond, and what it took too little or too much is added
 * to the next one's time. So the mean is kept, and single times are off by up to a millisecond.
 * Nothing spins. Faults: `slow` multiplies service times, `stall` lets nothing end for a while.
 */
import type { Distribution } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { sampler } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import { Schedule } from '../load/schedule.ts';
import type { Clock } from './clock.ts';

/** Below this a piece of work is done at once. */
const GRAIN: Micros = 500;
/** Carried at most: after a stop of the whole process the past is not worked off. */
const CARRY_MAX: Micros = 5_000;
/** Pieces that may wait; further ones are refused. */
const WAITING_MAX = 100_000;

export interface StationSettings {
  readonly serviceTime: Distribution;
  /** 0 = without limit. */
  readonly concurrencyMax: number;
}

export class Station {
  readonly #clock: Clock;
  readonly #stream: RandomStream;
  readonly #schedule: Schedule;
  #settings: StationSettings;
  #sample: () => Micros;
  #waiting: (() => void)[] = [];
  #first = 0;
  #serving = 0;
  #carry: Micros = 0;
  #factor = 1;
  #slowUntil: Micros = 0;
  #stalledUntil: Micros = 0;

  constructor(clock: Clock, settings: StationSettings, stream: RandomStream) {
    this.#clock = clock;
    this.#settings = settings;
    this.#stream = stream;
    this.#schedule = new Schedule(clock);
    this.#sample = sampler(settings.serviceTime, stream);
  }

  get serving(): number {
    return this.#serving;
  }

  get waiting(): number {
    return this.#waiting.length - this.#first;
  }

  configure(settings: StationSettings): void {
    this.#settings = settings;
    this.#sample = sampler(settings.serviceTime, this.#stream);
    this.#serve();
  }

  slow(factor: number, lasts: Micros): void {
    this.#factor = factor;
    this.#slowUntil = this.#clock.now() + lasts;
  }

  stall(lasts: Micros): void {
    this.#stalledUntil = this.#clock.now() + lasts;
  }

  /** Calls `done` after the work, always later. False when too much waits already. */
  submit(done: () => void): boolean {
    if (this.waiting >= WAITING_MAX) return false;
    this.#waiting.push(done);
    this.#serve();
    return true;
  }

  stop(): void {
    this.#schedule.clear();
    this.#waiting = [];
    this.#first = 0;
  }

  #serve(): void {
    const { concurrencyMax } = this.#settings;
    while (this.waiting > 0 && (concurrencyMax === 0 || this.#serving < concurrencyMax)) {
      const done = this.#waiting[this.#first] as () => void;
      this.#first += 1;
      if (this.#first > 1_024 && this.#first * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#first);
        this.#first = 0;
      }
      this.#serving += 1;
      this.#work(done);
    }
  }

  #work(done: () => void): void {
    const now = this.#clock.now();
    const factor = now < this.#slowUntil ? this.#factor : 1;
    const wanted = this.#sample() * factor + this.#carry;
    if (now >= this.#stalledUntil && wanted < GRAIN) {
      this.#carry = Math.max(wanted, -CARRY_MAX);
      setImmediate(() => this.#finish(done));
      return;
    }
    this.#carry = 0;
    const due = Math.max(now + Math.max(wanted, 0), this.#stalledUntil);
    this.#schedule.at(due, () => {
      const late = this.#clock.now() - due;
      this.#carry = Math.max(this.#carry - late, -CARRY_MAX);
      this.#finish(done);
    });
  }

  #finish(done: () => void): void {
    // What was being served when a stall began ends after it.
    const now = this.#clock.now();
    if (now < this.#stalledUntil) {
      this.#schedule.at(this.#stalledUntil, () => this.#finish(done));
      return;
    }
    this.#serving -= 1;
    done();
    this.#serve();
  }
}
