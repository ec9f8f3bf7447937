/**
 * The way back: a resolved topology as a document that says the same, with the settings that are
 * not their defaults. Read again it gives the same topology, and so the same hash, unless
 * `--scale` or `--time-scale` made it: those factors are no part of a document.
 */
import { Document, isMap, isScalar, isSeq, visit } from 'yaml';
import type {
  Distribution,
  FaultProcess,
  Hop,
  HostGroup,
  Shape,
  TimelineEntry,
  Topology,
} from '../model/topology.ts';
import { ACTION_SETTINGS } from './catalog/actions.ts';
import { settingsOf, TOPOLOGY_SETTINGS } from './catalog/catalog.ts';
import { FAULT_SETTINGS, PROCESS_SETTINGS } from './catalog/faults.ts';
import { formatChange } from './change.ts';
import { canonicalJson } from './hash.ts';
import { isSetting, type Setting, type Settings } from './setting.ts';
import { formatDuration, formatRate, formatTimeOfDay } from './units.ts';

type Tree = Record<string, unknown>;

/** YAML. */
export function topologyDocument(topology: Topology): string {
  const { hops, hosts, timeline, faults, processes } = topology;
  const document = new Document({
    ...differing(TOPOLOGY_SETTINGS, topology),
    hops: hops.map(hopOf),
    ...(hosts.length > 0 ? { hosts: hosts.map(hostsOf) } : {}),
    ...(timeline.length > 0 ? { timeline: timeline.map((one) => entryOf(topology, one)) } : {}),
    ...(faults.length > 0 ? { faults: faults.map(faultOf) } : {}),
    ...(processes.length > 0 ? { processes } : {}),
  });
  // On one line: lists of words, and what stands in a list of like things.
  visit(document, {
    Seq: (_key, list) => {
      if (list.items.every(isScalar)) list.flow = true;
    },
    Pair: (_key, { key, value }) => {
      const isList = isScalar(key) && ONE_LINE.has(String(key.value)) && isSeq(value);
      for (const item of isList ? value.items : []) if (isMap(item)) item.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}

const ONE_LINE = new Set(['hosts', 'timeline', 'faults', 'steps', 'processes']);

function hopOf(hop: Hop): Tree {
  const { name, kind, upstream, listen } = hop;
  const settings = differing(settingsOf(hop), hop);
  if (hop.kind === 'clients') {
    const workload = settings.workload;
    settings.workload = { kind: hop.workload.kind, ...(isTree(workload) ? workload : {}) };
  }
  return {
    name,
    kind,
    ...(upstream === null ? {} : { upstream }),
    ...(listen === null ? {} : { listen }),
    ...settings,
  };
}

function hostsOf({ name, count, hops }: HostGroup): Tree {
  return { name, count, hops };
}

function entryOf(topology: Topology, entry: TimelineEntry): Tree {
  const { at, text, action } = entry;
  const settings: Settings = ACTION_SETTINGS[action];
  const written: Tree = { at: formatDuration(at), action };
  for (const [name, setting] of Object.entries(settings)) {
    if (isSetting(setting)) written[name] = writtenValue(setting, Reflect.get(entry, name));
  }
  if (entry.action === 'set') {
    const { path, to } = entry;
    const isPlain = typeof to === 'boolean';
    written.to = isPlain ? to : plainNumber(formatChange(topology, path, to));
  }
  return text === null ? written : { ...written, text };
}

function faultOf(fault: FaultProcess): Tree {
  const { name, action, every, text } = fault;
  const written: Tree = { name, action, every: PROCESS_SETTINGS.every.format(every) };
  const settings: Settings = FAULT_SETTINGS[action];
  for (const [key, setting] of Object.entries(settings)) {
    if (isSetting(setting)) written[key] = plainNumber(writtenText(setting, fault, key));
  }
  return text === null ? written : { ...written, text };
}

function writtenText(setting: Setting<unknown>, holder: object, key: string): string {
  return setting.format(Reflect.get(holder, key));
}

/** Counts are numbers in a document; what has a unit is a text. */
function plainNumber(text: string): string | number {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** Those settings of a tree whose values are not their defaults. */
function differing(tree: Settings, holder: object): Tree {
  const found: Tree = {};
  for (const [name, one] of Object.entries(tree)) {
    const value: unknown = Reflect.get(holder, name);
    if (isSetting(one)) {
      if (!isDefault(one, value)) found[name] = writtenValue(one, value);
    } else if (isTree(value)) {
      const below = differing(one, value);
      if (Object.keys(below).length > 0) found[name] = below;
    }
  }
  return found;
}

function isDefault(setting: Setting<unknown>, value: unknown): boolean {
  if (setting.default === undefined || setting.derived !== undefined) return false;
  const parsed = setting.parse(setting.default);
  return 'value' in parsed && canonicalJson(parsed.value) === canonicalJson(value);
}

function writtenValue(setting: Setting<unknown>, value: unknown): unknown {
  if (isShape(value)) return writtenShape(setting, value);
  if (isDistribution(value)) return setting.format(value);
  return typeof value === 'number' && setting.unit !== 'none' ? setting.format(value) : value;
}

function writtenShape({ unit }: Setting<unknown>, shape: Shape): unknown {
  const one = (value: number): unknown => (unit === 'rate' ? formatRate(value) : value);
  switch (shape.shape) {
    case 'constant':
      return one(shape.value);
    case 'diurnal':
      return {
        shape: 'diurnal',
        peak: one(shape.peak),
        trough: one(shape.trough),
        peakAt: formatTimeOfDay(shape.peakAt),
        period: formatDuration(shape.period),
      };
    case 'steps':
      return {
        shape: 'steps',
        steps: shape.steps.map(({ at, value }) => ({ at: formatDuration(at), value: one(value) })),
      };
  }
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShape(value: unknown): value is Shape {
  return isTree(value) && typeof value.shape === 'string';
}

function isDistribution(value: unknown): value is Distribution {
  return isTree(value) && typeof value.kind === 'string';
}
