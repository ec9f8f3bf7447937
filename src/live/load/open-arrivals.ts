/**
 * Open load: arrivals at a rate, whatever became of those before. Each goes to a client drawn
 * by chance, whose pool may make it wait. Arrivals are drawn one after the other in order of
 * time, so that a seed gives the same ones; a late process issues those that it missed at once,
 * each with the time at which it was due.
 */
import type { Action, ClientsHop, Workload as WorkloadSettings } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { type ArrivalProcess, arrivalProcess } from '../../random/arrivals.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { HopContext } from '../runtime/context.ts';
import { Schedule } from './schedule.ts';
import { type Issue, numberSet, type Workload } from './workload.ts';

type Settings = Extract<WorkloadSettings, { kind: 'open' }>;

export class OpenArrivals implements Workload {
  readonly #ctx: HopContext<ClientsHop>;
  readonly #issue: Issue;
  readonly #schedule: Schedule;
  readonly #arrivals: ArrivalProcess;
  readonly #who: RandomStream;
  #start: Micros = 0;
  #over = false;

  constructor(ctx: HopContext<ClientsHop>, settings: Settings, issue: Issue) {
    this.#ctx = ctx;
    this.#issue = issue;
    this.#schedule = new Schedule(ctx.clock);
    this.#arrivals = arrivalProcess(settings, ctx.random('arrivals'), ctx.topology.startTimeOfDay);
    this.#who = ctx.random('arriving-client');
  }

  begin(): void {
    this.#start = this.#ctx.clock.now();
    this.#next();
  }

  done(): void {}

  apply(action: Action): boolean {
    const { hop, clock } = this.#ctx;
    const rate = numberSet(action, hop.name, 'rate');
    if (rate === null) return false;
    if (this.#over) return true;
    // Those that were due before the change still come.
    const now = clock.now();
    this.#schedule.catchUp(now);
    this.#schedule.clear();
    this.#arrivals.replaceRate(now - this.#start, { shape: 'constant', value: rate });
    this.#next();
    return true;
  }

  end(): void {
    this.#over = true;
    this.#schedule.clear();
  }

  #next(): void {
    const next = this.#arrivals.next();
    if (next === Number.POSITIVE_INFINITY) return;
    this.#schedule.at(this.#start + Math.floor(next), (due) => {
      if (this.#over) return;
      this.#issue(1 + this.#who.below(this.#ctx.hop.count), due);
      this.#next();
    });
  }
}
