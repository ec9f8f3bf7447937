/**
 * Closed load: a user asks, waits for the answer (or gives up), thinks, asks again. The share of
 * users awake follows a shape over time; see the live engine's of the same name for the rules.
 */
import type { Instance } from '../../model/run.ts';
import type {
  Action,
  ClientsHop,
  Shape,
  Workload as WorkloadSettings,
} from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { shapeAt } from '../../random/arrivals.ts';
import { firstPause } from '../../random/first-pause.ts';
import type { Actor } from '../engine/engine.ts';
import { EventOf } from '../engine/event.ts';
import type { World } from '../world.ts';
import { type Issue, numberSet, type Think, type Workload } from './workload.ts';

type Settings = Extract<WorkloadSettings, { kind: 'closed' }>;

const LOOK_EVERY: Micros = 100_000;

export class ClosedUsers implements Workload, Actor {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #hop: ClientsHop;
  readonly #settings: Settings;
  readonly #issue: Issue;
  readonly #think: Think;
  /** The row before that of the first user. */
  readonly #base: number = 0;
  #awake: Shape;
  /** By client number: 1 = asleep. */
  readonly #asleep: Uint8Array;
  #sleepers = 0;

  constructor(
    world: World,
    instance: Instance,
    hop: ClientsHop,
    settings: Settings,
    issue: Issue,
    think: Think,
    base: number,
  ) {
    this.#world = world;
    this.#instance = instance;
    this.#hop = hop;
    this.#settings = settings;
    this.#awake = settings.awake;
    this.#issue = issue;
    this.#think = think;
    this.#base = base;
    this.#asleep = new Uint8Array(hop.count + 1);
  }

  begin(): void {
    const stream = this.#world.random(this.#instance, 'first-request');
    const pause = firstPause(this.#settings, stream);
    for (let client = 1; client <= this.#hop.count; client++) {
      this.#pauseThenAsk(client, pause());
    }
  }

  done(client: number): void {
    this.#pauseThenAsk(client, this.#think(client));
  }

  apply(action: Action): boolean {
    const share = numberSet(action, this.#hop.name, 'awake');
    if (share === null) return false;
    this.#awake = { shape: 'constant', value: share };
    return true;
  }

  /** The pause of a client is over. */
  happens(client: number): void {
    if (client <= this.#awakeAt()) this.#issue(client);
    else {
      this.#asleep[client] = 1;
      this.#sleepers += 1;
      if (this.#sleepers === 1) this.#lookLater();
    }
  }

  #pauseThenAsk(client: number, pause: Micros): void {
    const { engine, users } = this.#world;
    const user = this.#base + client;
    users.setPause(user, pause);
    engine.push(engine.now + pause, EventOf.user, user);
  }

  #awakeAt(): number {
    const awake = this.#awake;
    if (awake.shape === 'constant') return Math.round(awake.value * this.#hop.count);
    const { engine, topology } = this.#world;
    return Math.round(shapeAt(awake, engine.now, topology.startTimeOfDay) * this.#hop.count);
  }

  /** At the next of a grid of times, so that who wakes when does not depend on who slept when. */
  #lookLater(): void {
    const { engine } = this.#world;
    const turns = Math.floor(engine.now / LOOK_EVERY) + 1;
    engine.at(turns * LOOK_EVERY, this, 0);
  }

  /** Who wakes? */
  fire(): void {
    const awake = this.#awakeAt();
    let client = this.#asleep.indexOf(1);
    while (client !== -1 && client <= awake) {
      this.#asleep[client] = 0;
      this.#sleepers -= 1;
      this.#pauseThenAsk(client, this.#world.users.pause(this.#base + client));
      client = this.#asleep.indexOf(1, client + 1);
    }
    if (this.#sleepers > 0) this.#lookLater();
  }
}
