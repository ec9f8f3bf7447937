/**
 * Closed load: a user asks, waits for the answer (or gives up), thinks, asks again.
 *
 *   first request ──► waiting ──done──► thinking ──due──► awake? ──yes──► waiting
 *   (within startWithin)                   ▲                └─no──► asleep
 *                                          └── think time begins anew ──┘ share awake rises
 *
 * The share of users awake follows a shape over time. Users fall asleep from the highest number
 * down and wake from the lowest up, so that the same ones stay awake; a request under way is
 * finished first. Whether anybody wakes is looked at ten times a second by one timer. Who wakes
 * thinks before asking, as long as it would have before it fell asleep: so no chance is drawn
 * for sleep, and a step in the share does not make everybody ask at the same instant.
 */
import type {
  Action,
  ClientsHop,
  Shape,
  Workload as WorkloadSettings,
} from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { shapeAt } from '../../random/arrivals.ts';
import { firstPause } from '../../random/first-pause.ts';
import type { HopContext } from '../runtime/context.ts';
import type { Asker } from './attempt.ts';
import { Schedule } from './schedule.ts';
import { type Issue, numberSet, type Workload } from './workload.ts';

type Settings = Extract<WorkloadSettings, { kind: 'closed' }>;

const LOOK_EVERY: Micros = 100_000;

export class ClosedUsers implements Workload {
  readonly #ctx: HopContext<ClientsHop>;
  readonly #settings: Settings;
  readonly #issue: Issue;
  readonly #schedule: Schedule;
  #awake: Shape;
  #start: Micros = 0;
  #over = false;
  /** By client number: 1 = asleep. */
  readonly #asleep: Uint8Array;
  #sleepers = 0;
  /** By client number: the pause before the present request, or the one to come. */
  readonly #pause: Float64Array;

  constructor(ctx: HopContext<ClientsHop>, settings: Settings, issue: Issue) {
    this.#ctx = ctx;
    this.#settings = settings;
    this.#awake = settings.awake;
    this.#issue = issue;
    this.#schedule = new Schedule(ctx.clock);
    this.#asleep = new Uint8Array(ctx.hop.count + 1);
    this.#pause = new Float64Array(ctx.hop.count + 1);
  }

  begin(): void {
    this.#start = this.#ctx.clock.now();
    const pause = firstPause(this.#settings, this.#ctx.random('first-request'));
    for (let client = 1; client <= this.#ctx.hop.count; client++) {
      this.#pauseThenAsk(client, pause(), this.#start);
    }
  }

  done(client: Asker, now: Micros): void {
    if (!this.#over) this.#pauseThenAsk(client.number, client.inputs.think(), now);
  }

  apply(action: Action): boolean {
    const share = numberSet(action, this.#ctx.hop.name, 'awake');
    if (share === null) return false;
    this.#awake = { shape: 'constant', value: share };
    return true;
  }

  end(): void {
    this.#over = true;
    this.#schedule.clear();
  }

  #pauseThenAsk(client: number, pause: Micros, from: Micros): void {
    this.#pause[client] = pause;
    this.#schedule.at(from + pause, (due) => this.#ask(client, due));
  }

  #ask(client: number, due: Micros): void {
    if (client <= this.#awakeAt(due)) {
      this.#issue(client, due);
      return;
    }
    this.#asleep[client] = 1;
    this.#sleepers += 1;
    if (this.#sleepers === 1) this.#lookLater(due);
  }

  /** The highest number of a user that is awake at a time. */
  #awakeAt(at: Micros): number {
    const { hop, topology } = this.#ctx;
    const share = shapeAt(this.#awake, at - this.#start, topology.startTimeOfDay);
    return Math.round(share * hop.count);
  }

  /** At the next of a grid of times, so that who wakes when does not depend on who slept when. */
  #lookLater(now: Micros): void {
    const turns = Math.floor((now - this.#start) / LOOK_EVERY) + 1;
    this.#schedule.at(this.#start + turns * LOOK_EVERY, (due) => this.#look(due));
  }

  #look(due: Micros): void {
    const awake = this.#awakeAt(due);
    let client = this.#asleep.indexOf(1);
    while (client !== -1 && client <= awake) {
      this.#asleep[client] = 0;
      this.#sleepers -= 1;
      this.#pauseThenAsk(client, this.#pause[client] ?? 0, due);
      client = this.#asleep.indexOf(1, client + 1);
    }
    if (this.#sleepers > 0) this.#lookLater(due);
  }
}
