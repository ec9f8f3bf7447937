/**
 * What one station (the service of an app, the CPUs of a database) does now, and the time
 * integrals of it: whoever follows it tells each change, the live engine by events, the simulator
 * by itself. Whole µs, so that the sums are the same in whatever steps they are taken.
 */
import type { Micros } from '../model/units.ts';

export class StationAccount {
  /** Pieces being served, and those that wait for a server. */
  serving = 0;
  waiting = 0;
  /** Their sums over time, in µs, up to `settledAt`. */
  busyTime = 0;
  waitTime = 0;
  settledAt: Micros = 0;

  constructor(since: Micros) {
    this.settledAt = since;
  }

  changed(serving: number, waiting: number, at: Micros): void {
    this.settle(at);
    this.serving = serving;
    this.waiting = waiting;
  }

  /**
   * A piece was over that long before the change that tells of it: its server was idle since
   * then, or, where the next piece has it already, that one did not wait any more.
   */
  toldLate(idle: boolean, late: Micros): void {
    if (idle) this.busyTime -= late;
    else this.waitTime -= late;
  }

  settle(at: Micros): void {
    const span = at - this.settledAt;
    if (span <= 0) return;
    this.settledAt = at;
    this.busyTime += this.serving * span;
    this.waitTime += this.waiting * span;
  }
}
