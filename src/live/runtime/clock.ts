/**
 * The live engine's only clock and its wake-up timers.
 *
 * Time is the machine's monotonic clock in whole microseconds, the same in every process
 * (CLOCK_MONOTONIC): `performance.now()` is cheap but counts from the start of its process, so
 * its offset to `process.hrtime` is measured once, as the best of several readings.
 *
 * `freeze()` stops all wake-ups from firing. The supervisor freezes every process before the
 * books are struck, so that no idle timeout opens or closes a connection between two counts.
 */
import type { Micros } from '../../model/units.ts';
import { DueHeap } from './due-heap.ts';
import { moment } from './moment.ts';
import { PollBudget } from './poll-budget.ts';

const NEVER = Number.POSITIVE_INFINITY;
const TIMER_GRAIN: Micros = 1_000;
/** setTimeout takes at most an int32 of milliseconds. */
const TIMEOUT_MAX_MS = 2_000_000_000;

export class Clock {
  /** What may be spent on looking at this clock again and again. */
  readonly polling = new PollBudget();
  readonly #offset: number;
  /** Wake-ups asked for, those that are not wanted any more too. */
  readonly #due = new DueHeap<WakeTimer>();
  /** One timer of Node's for all of them: its own cost more than most of what they announce. */
  #timer: NodeJS.Timeout | null = null;
  #firesAt: Micros = NEVER;
  #notBefore: Micros = 0;
  /** Timers that want to be woken: without any, the process may end. */
  #wanted = 0;
  /** When the event began that is being handled (moment.ts). */
  #moment = 0;
  #momentAt: Micros = 0;
  #frozen = false;

  constructor() {
    let best = Number.POSITIVE_INFINITY;
    let offset = 0;
    for (let i = 0; i < 16; i++) {
      const before = performance.now();
      const machine = Number(process.hrtime.bigint()) / 1_000;
      const after = performance.now();
      if (after - before < best) {
        best = after - before;
        offset = machine - ((before + after) / 2) * 1_000;
      }
    }
    this.#offset = offset;
  }

  /** µs on the machine's monotonic clock. */
  readonly now = (): Micros => {
    const { number } = moment;
    if (number !== 0 && number === this.#moment) return this.#momentAt;
    const at = Math.floor(performance.now() * 1_000 + this.#offset);
    this.#moment = number;
    this.#momentAt = at;
    return at;
  };

  /** µs since 1970 at monotonic 0. */
  epoch(): Micros {
    return Date.now() * 1_000 - this.now();
  }

  /** For WakeTimer only: calls its `due` then or later. Returns the time that it is listed at. */
  list(at: Micros, timer: WakeTimer): Micros {
    // Who asks for now while others are being woken has its turn after node's other work.
    const listedAt = Math.max(at, this.#notBefore);
    this.#due.add(listedAt, timer);
    // Timers have a grain: one that fires less than that later will do.
    if (listedAt + TIMER_GRAIN <= this.#firesAt) this.#arm();
    return listedAt;
  }

  /** For WakeTimer only: one more, or one less, wants to be woken. */
  wanted(more: 1 | -1): void {
    this.#wanted += more;
    if (this.#wanted === 0) this.#timer?.unref();
    else if (this.#wanted === 1 && more === 1) this.#timer?.ref();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const now = this.now();
    const milliseconds = Math.max(Math.ceil((this.#due.firstAt - now) / TIMER_GRAIN), 0);
    const within = Math.min(milliseconds, TIMEOUT_MAX_MS);
    this.#firesAt = now + within * TIMER_GRAIN;
    this.#timer = setTimeout(this.#fire, within);
    if (this.#wanted === 0) this.#timer.unref();
  }

  readonly #fire = (): void => {
    this.#timer = null;
    this.#firesAt = NEVER;
    if (this.#frozen) return;
    const now = this.now();
    const due = this.#due;
    this.#notBefore = now + 1;
    // What is asked for meanwhile is armed below, once.
    this.#firesAt = now;
    try {
      for (let at = due.firstAt; at <= now; at = due.firstAt) due.takeFirst()?.due(at, now);
    } finally {
      this.#firesAt = NEVER;
      this.#notBefore = 0;
      if (due.size > 0) this.#arm();
    }
  };

  get frozen(): boolean {
    return this.#frozen;
  }

  freeze(): void {
    this.#frozen = true;
  }
}

/** One pending wake-up, as a policy's port needs it: late perhaps, never early. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #wake: (now: Micros) => void;
  #at: Micros = NEVER;
  /** The earliest entry of ours in the clock's list; later ones let themselves pass. */
  #listedAt: Micros = NEVER;

  constructor(clock: Clock, wake: (now: Micros) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** Replaces the pending wake-up; Infinity cancels it. */
  wakeAt(at: Micros): void {
    if (at === NEVER) {
      this.cancel();
      return;
    }
    if (this.#at === NEVER) this.#clock.wanted(1);
    this.#at = at;
    // An entry that is due too soon just lists itself again: cheaper than a new one each time.
    if (at < this.#listedAt) this.#list();
  }

  cancel(): void {
    if (this.#at !== NEVER) this.#clock.wanted(-1);
    this.#at = NEVER;
  }

  /** For the clock only: an entry is due. */
  due(at: Micros, now: Micros): void {
    if (at !== this.#listedAt) return;
    this.#listedAt = NEVER;
    if (this.#at === NEVER) return;
    if (now < this.#at) {
      this.#list();
      return;
    }
    this.cancel();
    this.#wake(now);
  }

  #list(): void {
    this.#listedAt = this.#clock.list(this.#at, this);
  }
}
