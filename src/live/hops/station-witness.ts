/** Tells the books how busy the station of a hop is. */
import { EventKind } from '../../model/event.ts';
import type { StationWitness } from '../database/station.ts';
import type { HopContext } from '../runtime/context.ts';

export function stationWitness({ events, clock, instance }: HopContext): StationWitness {
  return (serving, waiting, late) => {
    events.write(clock.now(), EventKind.station, instance.index, 0, 0, serving, waiting, late);
  };
}
