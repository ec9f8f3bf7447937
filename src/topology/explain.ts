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
    const source = sources.get(path) ?? guessSource(setting, value);
    list.push({ path, value: setting.format(value), source });
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

function guessSource(setting: Setting<unknown>, value: unknown): string {
  if (setting.default === undefined || setting.derived !== undefined) return 'topology';
  const parsed = setting.parse(setting.default);
  const same = 'value' in parsed && setting.format(parsed.value) === setting.format(value);
  return same ? `default: ${setting.source}` : 'topology';
}
