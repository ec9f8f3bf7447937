/**
 * Station: work that takes time, a limited number of pieces at once, the rest first come first
 * served. It stands for the CPU of a database, or for the service time of an app.
 *
 *   submit ──► waiting ──► one of `concurrencyMax` servers, for a drawn time ──► done()
 *
 * Node's timers have a grain of 1 ms, service times are often shorter. So the schedule is kept
 * exactly, in µs, and only its announcement is as late as it must be: a piece begins when it
 * arrives or when the piece before it was *due*, not when that was noticed. Lateness therefore
 * never adds up, capacity is what was asked for, and no answer is early.
 *
 * What is due is announced by whichever comes first: the next turn of the event loop in which
 * work arrives, a timer, or, in the last millisecond before it is due, polling with
 * setImmediate. Polling is paid from a budget of the whole process (runtime/poll-budget.ts), so
 * that a lonely process is exact and a busy one, which turns often anyway, does not spin.
 *
 * Measured at 1 ms of service (Node 20, 2 shared cores), lateness in µs and CPU of the process:
 *
 *   pieces/s    10    50    100    250    500   1000
 *   p50         21    19    715    407    265    201
 *   mean        34    47    669    409    387    424
 *   CPU        3 %   7 %    9 %   11 %   13 %   12 %
 *
 * So above some 60 pieces a second an answer may be late by up to a timer's grain.
 *
 * Faults: `slow` multiplies the times of the pieces that begin meanwhile; during a `stall`
 * nothing ends, at its end everything that was due does. A frozen clock stops the station.
 */
import type { Distribution } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { Burst, type BurstSettings } from '../../random/burst.ts';
import { sampler } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import { type Clock, WakeTimer } from '../runtime/clock.ts';
import { DueHeap } from '../runtime/due-heap.ts';

/** The grain of timers: closer than this one polls, if the budget allows. */
const TIMER_GRAIN: Micros = 1_000;

export interface StationSettings {
  readonly serviceTime: Distribution;
  /** 0 = without limit. */
  readonly concurrencyMax: number;
  /** Pieces that may wait; further ones are refused. */
  readonly waitingMax: number;
  /** A piece that begins while n others are served takes 1 + this x n times as long. */
  readonly contention: number;
}

/** Whoever counts who is served and who waits; `late`: µs since the change was really due. */
export type StationWitness = (serving: number, waiting: number, late: Micros) => void;

interface Piece {
  readonly arrivedAt: Micros;
  readonly done: () => void;
}

export class Station {
  readonly #clock: Clock;
  readonly #stream: RandomStream;
  readonly #timer: WakeTimer;
  readonly #served = new DueHeap<() => void>();
  readonly #changed: StationWitness;
  #settings: StationSettings;
  #sample: () => Micros;
  #waiting: Piece[] = [];
  #firstWaiting = 0;
  #factor = 1;
  #slowUntil: Micros = 0;
  #stalledUntil: Micros = 0;
  #burst: Burst | null = null;
  #turn: NodeJS.Immediate | null = null;
  /** When polling last looked; 0 = it does not poll. */
  #polledAt: Micros = 0;
  #advancing = false;

  constructor(
    clock: Clock,
    settings: StationSettings,
    stream: RandomStream,
    changed: StationWitness,
  ) {
    this.#clock = clock;
    this.#changed = changed;
    this.#settings = settings;
    this.#stream = stream;
    this.#timer = new WakeTimer(clock, () => this.#advance());
    this.#sample = sampler(settings.serviceTime, stream);
  }

  get serving(): number {
    return this.#served.size;
  }

  get waiting(): number {
    return this.#waiting.length - this.#firstWaiting;
  }

  configure(settings: StationSettings): void {
    this.#settings = settings;
    this.#sample = sampler(settings.serviceTime, this.#stream);
    this.#fill(this.#clock.now());
    this.#tell(0);
    this.#arm();
  }

  slow(factor: number, lasts: Micros): void {
    this.#factor = factor;
    this.#slowUntil = this.#clock.now() + lasts;
  }

  /** A share of what begins meanwhile takes that much longer. */
  burst(settings: BurstSettings, stream: RandomStream): void {
    this.#burst = new Burst(settings, this.#clock.now(), stream);
  }

  stall(lasts: Micros): void {
    this.#stalledUntil = this.#clock.now() + lasts;
    this.#arm();
  }

  /** Calls `done` after the work, always later. False when too much waits already. */
  submit(done: () => void): boolean {
    const arrivedAt = this.#clock.now();
    const { concurrencyMax, waitingMax } = this.#settings;
    const full = concurrencyMax > 0 && this.serving >= concurrencyMax;
    if (this.waiting >= waitingMax && (full || this.waiting > 0)) {
      // What is due leaves first: a server may be free, only not noticed yet.
      this.#advance();
      const free = concurrencyMax === 0 || this.serving < concurrencyMax;
      if (this.waiting >= waitingMax && !(free && this.waiting === 0)) return false;
    }
    this.#waiting.push({ arrivedAt, done });
    this.#fill(arrivedAt);
    this.#tell(0);
    this.#arm();
    return true;
  }

  stop(): void {
    this.#timer.cancel();
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#turn = null;
    this.#served.clear();
    this.#waiting = [];
    this.#firstWaiting = 0;
  }

  /** Puts waiting pieces on free servers; a server became free at `freeAt`. */
  #fill(freeAt: Micros): void {
    const { concurrencyMax, contention } = this.#settings;
    while (this.waiting > 0 && (concurrencyMax === 0 || this.serving < concurrencyMax)) {
      const piece = this.#waiting[this.#firstWaiting] as Piece;
      this.#firstWaiting += 1;
      if (this.#firstWaiting > 1_024 && this.#firstWaiting * 2 > this.#waiting.length) {
        this.#waiting = this.#waiting.slice(this.#firstWaiting);
        this.#firstWaiting = 0;
      }
      const begin = Math.max(piece.arrivedAt, freeAt);
      const slow = begin < this.#slowUntil ? this.#factor : 1;
      const factor = slow * (1 + contention * this.serving);
      const extra = this.#burst === null ? 0 : this.#burst.extra(begin);
      this.#served.add(begin + extra + Math.round(this.#sample() * factor), piece.done);
    }
  }

  /** Announces everything that is due; what follows on a server begins where that was due. */
  #advance(): void {
    if (this.#clock.frozen) return;
    const now = this.#clock.now();
    this.#advancing = true;
    while (now >= this.#stalledUntil && this.#served.firstAt <= now) {
      const freeAt = Math.max(this.#served.firstAt, this.#stalledUntil);
      const done = this.#served.takeFirst();
      this.#fill(freeAt);
      this.#tell(now - freeAt);
      done?.();
    }
    this.#advancing = false;
    this.#arm();
  }

  #tell(late: Micros): void {
    this.#changed(this.serving, this.waiting, late);
  }

  /** Arranges for the next look at what is due. */
  #arm(): void {
    if (this.#advancing || this.#turn !== null) return;
    const due = Math.max(this.#served.firstAt, this.#stalledUntil);
    if (this.#served.size === 0) {
      this.#polledAt = 0;
      return;
    }
    const now = this.#clock.now();
    const left = due - now;
    if (left <= 0 || (left <= TIMER_GRAIN && this.#mayPoll(now))) {
      this.#polledAt = now;
      this.#turn = setImmediate(this.#look);
      return;
    }
    this.#polledAt = 0;
    // Either in time to poll the rest, or, when that may not be, as late as a timer is.
    this.#timer.wakeAt(left > TIMER_GRAIN ? due - TIMER_GRAIN : due);
  }

  readonly #look = (): void => {
    this.#turn = null;
    this.#advance();
  };

  #mayPoll(now: Micros): boolean {
    const spent = this.#polledAt === 0 ? 0 : now - this.#polledAt;
    return this.#clock.polling.allows(now, spent);
  }
}
