/** Open load: arrivals at a rate, each for a client drawn by chance, whatever became of others. */
import type { Instance } from '../../model/run.ts';
import type { Action, ClientsHop, Workload as WorkloadSettings } from '../../model/topology.ts';
import { type ArrivalProcess, arrivalProcess } from '../../random/arrivals.ts';
import type { RandomStream } from '../../random/stream.ts';
import type { Actor } from '../engine/engine.ts';
import type { World } from '../world.ts';
import { type Issue, numberSet, type Workload } from './workload.ts';

type Settings = Extract<WorkloadSettings, { kind: 'open' }>;

export class OpenArrivals implements Workload, Actor {
  readonly #world: World;
  readonly #hop: ClientsHop;
  readonly #issue: Issue;
  readonly #arrivals: ArrivalProcess;
  readonly #who: RandomStream;
  /** Events of arrivals that were taken back by a change of the rate carry an older number. */
  #turn = 0;

  constructor(world: World, instance: Instance, hop: ClientsHop, settings: Settings, issue: Issue) {
    this.#world = world;
    this.#hop = hop;
    this.#issue = issue;
    const { startTimeOfDay } = world.topology;
    this.#arrivals = arrivalProcess(settings, world.random(instance, 'arrivals'), startTimeOfDay);
    this.#who = world.random(instance, 'arriving-client');
  }

  begin(): void {
    this.#next();
  }

  done(): void {}

  happens(): void {}

  apply(action: Action): boolean {
    const rate = numberSet(action, this.#hop.name, 'rate');
    if (rate === null) return false;
    this.#turn += 1;
    this.#arrivals.replaceRate(this.#world.engine.now, { shape: 'constant', value: rate });
    this.#next();
    return true;
  }

  fire(turn: number): void {
    if (turn !== this.#turn) return;
    const client = 1 + this.#who.below(this.#hop.count);
    this.#next();
    this.#issue(client);
  }

  #next(): void {
    const next = this.#arrivals.next();
    const { engine } = this.#world;
    if (next === Number.POSITIVE_INFINITY) return;
    engine.at(Math.max(engine.now, Math.floor(next)), this, this.#turn);
  }
}
