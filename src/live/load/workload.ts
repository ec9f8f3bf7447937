/**
 * When requests are intended: closed users that think between answers, or open arrivals. Inputs
 * depend on the seed alone: each closed user draws from a stream of its own, and arrivals are
 * drawn in order of time.
 */
import type { Action, ClientsHop, Shape } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { type ArrivalProcess, arrivalProcess, shapeAt } from '../../random/arrivals.ts';
import { sampler } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { HopContext } from '../runtime/context.ts';
import { Schedule } from './schedule.ts';

/** A sleeping user looks again after this, or after its think time if that is longer. */
const ASLEEP: Micros = 100_000;

type Issue = (client: number, intendedAt: Micros) => void;

export class Workload {
  readonly #ctx: HopContext<ClientsHop>;
  readonly #schedule: Schedule;
  readonly #issue: Issue;
  readonly #think = new Map<number, () => Micros>();
  readonly #who: RandomStream;
  #arrivals: ArrivalProcess | null = null;
  #awake: Shape = { shape: 'constant', value: 1 };
  #start: Micros = 0;
  #over = false;

  constructor(ctx: HopContext<ClientsHop>, issue: Issue) {
    this.#ctx = ctx;
    this.#schedule = new Schedule(ctx.clock);
    this.#issue = issue;
    this.#who = ctx.random('arriving-client');
  }

  begin(): void {
    const { hop, clock, random, topology } = this.#ctx;
    const { workload } = hop;
    this.#start = clock.now();
    if (workload.kind === 'open') {
      const stream = random('arrivals');
      this.#arrivals = arrivalProcess(workload, stream, topology.startTimeOfDay);
      this.#nextArrival();
      return;
    }
    this.#awake = workload.awake;
    const starts = random('first-request');
    for (let client = 1; client <= hop.count; client++) {
      const at = this.#start + Math.floor(starts.unit() * workload.startWithin);
      this.#schedule.at(at, (due) => this.#ask(client, due));
    }
  }

  /** A closed user has its answer (or failure): it thinks, then asks again. */
  done(client: number, now: Micros): void {
    if (this.#over || this.#arrivals !== null) return;
    this.#schedule.at(now + this.#thinkTime(client), (due) => this.#ask(client, due));
  }

  end(): void {
    this.#over = true;
    this.#schedule.clear();
  }

  apply(action: Action): boolean {
    const { name } = this.#ctx.hop;
    if (action.action !== 'set' || typeof action.to !== 'number') return false;
    const shape: Shape = { shape: 'constant', value: action.to };
    if (action.path === `${name}.rate` && this.#arrivals !== null) {
      this.#arrivals.replaceRate(this.#ctx.clock.now() - this.#start, shape);
      this.#schedule.clear();
      this.#nextArrival();
      return true;
    }
    if (action.path === `${name}.awake` && this.#arrivals === null) {
      this.#awake = shape;
      return true;
    }
    return false;
  }

  #ask(client: number, due: Micros): void {
    if (this.#over) return;
    const { hop, topology } = this.#ctx;
    const share = shapeAt(this.#awake, due - this.#start, topology.startTimeOfDay);
    // Users fall asleep from the last number down, so that the same ones stay awake.
    if (client - 0.5 > share * hop.count) {
      const again = due + Math.max(this.#thinkTime(client), ASLEEP);
      this.#schedule.at(again, (at) => this.#ask(client, at));
      return;
    }
    this.#issue(client, due);
  }

  #thinkTime(client: number): Micros {
    const known = this.#think.get(client);
    if (known !== undefined) return known();
    const { hop, random } = this.#ctx;
    const { workload } = hop;
    if (workload.kind !== 'closed') return 0;
    const made = sampler(workload.thinkTime, random(`think/${client}`));
    this.#think.set(client, made);
    return made();
  }

  #nextArrival(): void {
    const next = this.#arrivals?.next() ?? Number.POSITIVE_INFINITY;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#schedule.at(this.#start + Math.floor(next), (due) => {
      if (this.#over) return;
      this.#issue(1 + this.#who.below(this.#ctx.hop.count), due);
      this.#nextArrival();
    });
  }
}
