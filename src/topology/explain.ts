/** What is in force: every setting with its value and where it comes from, for printing. */
import type { Topology } from '../model/topology.ts';
import { eachSetting, HOST_SETTINGS, settingsOf, TOPOLOGY_SETTINGS } from './catalog/catalog.ts';
import type { Setting } from './setting.ts';

export interface Explained {
  /** `<hop>.<setting>`, `<hosts>.count`, or a setting of the document. */
  readonly path: string;
  /** Printed with its unit. */
  readonly value: string;
  readonly source: string;
}

/**
 * `sources` is what `parseTopology` gave. Without it (a topology read from a recording) a value
 * that equals the default is said to be the default, and any other to be set.
 */
export function explainSettings(
  topology: Topology,
  sources: ReadonlyMap<string, string> = new Map(),
): Explained[] {
  const list: Explained[] = [];
  const add = (path: string, setting: Setting<unknown>, value: unknown): void => {
    const source = sources.get(path) ?? guessSource(setting, value, topology);
    const scaled = scaledBy(setting, value, topology);
    list.push({ path, value: setting.format(value), source: source + scaled });
  };
  eachSetting(TOPOLOGY_SETTINGS, topology, ([name = ''], setting, value) => {
    add(name, setting, value);
  });
  for (const hop of topology.hops) {
    eachSetting(settingsOf(hop), hop, (path, setting, value) => {
      add([hop.name, ...path].join('.'), setting, value);
    });
  }
  for (const group of topology.hosts) add(`${group.name}.count`, HOST_SETTINGS.count, group.count);
  return list;
}

/** The factors that have changed the value since it was written. */
function scaledBy(setting: Setting<unknown>, value: unknown, topology: Topology): string {
  const { scale, timeScale } = topology.applied;
  const sized = scale !== 1 && (setting.follows ?? 'nothing') !== 'nothing';
  const timed =
    timeScale !== 1 && setting.format(setting.stretch(value, timeScale)) !== setting.format(value);
  return `${sized ? `, --scale ${scale}` : ''}${timed ? `, --time-scale ${timeScale}` : ''}`;
}

function guessSource(setting: Setting<unknown>, value: unknown, topology: Topology): string {
  if (setting.default === undefined || setting.derived !== undefined) return 'topology';
  const parsed = setting.parse(setting.default);
  if (!('value' in parsed)) return 'topology';
  const scaled = setting.stretch(parsed.value, topology.applied.timeScale);
  return setting.format(scaled) === setting.format(value)
    ? `default: ${setting.source}`
    : 'topology';
}
