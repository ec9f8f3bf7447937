/**
 * Where the topology itself stands among the parameters: the search tries that first, so that
 * what somebody has found already is not lost to a draw.
 */
import type { Topology } from '../model/topology.ts';
import { eachSetting, settingsOf } from '../topology/catalog/catalog.ts';
import { placeOf } from './parameter.ts';
import type { Point } from './search.ts';
import type { Parameter } from './targets.ts';

/** null where a setting of the topology is none that its parameter may take. */
export function ownPoint(parameters: readonly Parameter[], topology: Topology): Point | null {
  const values = new Map<string, string>();
  for (const hop of topology.hops) {
    eachSetting(settingsOf(hop), hop, (path, setting, value) => {
      values.set([hop.name, ...path].join('.'), setting.format(value));
    });
  }
  const places = parameters.map(({ path, range }) => placeOf(range, values.get(path) ?? ''));
  return places.some((place) => place === null) ? null : places.map((place) => place ?? 0);
}
