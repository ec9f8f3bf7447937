/** Who hears how busy a station is: the simulator's own account, the recorder, or both. */
import { StationAccount } from '../measure/station-account.ts';
import { EventKind } from '../model/event.ts';
import type { Instance } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import type { Recorder } from './recorder.ts';
import type { StationBook } from './station.ts';
import type { World } from './world.ts';

export function stationBook(world: World, instance: Instance): StationBook {
  const { meters, recorder } = world;
  const account = new StationAccount(0);
  meters?.stations[meters.shape.instances[instance.index]?.station ?? -1]?.add(account);
  return recorder === null ? account : new ToldBook(account, recorder, instance.index);
}

class ToldBook implements StationBook {
  readonly #account: StationAccount;
  readonly #recorder: Recorder;
  readonly #instance: number;

  constructor(account: StationAccount, recorder: Recorder, instance: number) {
    this.#account = account;
    this.#recorder = recorder;
    this.#instance = instance;
  }

  changed(serving: number, waiting: number, at: Micros): void {
    this.#account.changed(serving, waiting, at);
    this.#recorder.write(at, EventKind.station, this.#instance, 0, 0, serving, waiting, 0);
  }
}
