/**
 * `--time-scale f`: the same run in fast motion (f < 1) or slow motion (f > 1). Every duration
 * is multiplied by f and every rate divided by it, so that products of the two (requests per
 * think time, connections per idle timeout) stay what they were. The catalog says which
 * settings those are, so none is forgotten. Durations are rounded to whole microseconds and
 * never down to 0, which often means "never".
 */
import type { FaultProcess, Hop, TimelineEntry, Topology } from '../model/topology.ts';
import { mapSettings, settingsOf, TOPOLOGY_SETTINGS } from './catalog/catalog.ts';
import { FAULT_SETTINGS, PROCESS_SETTINGS } from './catalog/faults.ts';
import { type ChangeValue, rowOf } from './change.ts';
import { type Settings, stretchMicros } from './setting.ts';

export function timeScaleTopology(topology: Topology, factor: number): Topology {
  if (factor === 1) return topology;
  const stretchHop = (hop: Hop): Hop =>
    mapSettings(settingsOf(hop), hop, (setting, value) => setting.stretch(value, factor));
  return {
    ...mapSettings(TOPOLOGY_SETTINGS, topology, (setting, value) => setting.stretch(value, factor)),
    hops: topology.hops.map(stretchHop),
    timeline: topology.timeline.map((one) => stretchEntry(one, topology, factor)),
    faults: topology.faults.map((one) => stretchFault(one, factor)),
    applied: { ...topology.applied, timeScale: topology.applied.timeScale * factor },
  };
}

function stretchFault(one: FaultProcess, factor: number): FaultProcess {
  const tree: Settings = { ...PROCESS_SETTINGS, ...FAULT_SETTINGS[one.action] };
  return mapSettings(tree, one, (setting, value) => setting.stretch(value, factor));
}

function stretchEntry(one: TimelineEntry, topology: Topology, factor: number): TimelineEntry {
  const at = stretchMicros(one.at, factor);
  if (one.action === 'set') {
    const row = rowOf(topology, one.path);
    const to = row === null ? one.to : row.stretch(one.to, factor);
    return { ...one, at, to: isValue(to) ? to : one.to };
  }
  const lasts = 'lasts' in one ? { lasts: stretchMicros(one.lasts, factor) } : {};
  const extra = 'extra' in one ? { extra: stretchMicros(one.extra, factor) } : {};
  return { ...one, at, ...lasts, ...extra };
}

function isValue(value: unknown): value is ChangeValue {
  return value !== null && value !== undefined;
}
