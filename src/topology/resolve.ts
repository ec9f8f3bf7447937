/**
 * From validated values to a `Topology`: fills in what depends on other settings (upstream,
 * the health check's hop, queries without a database) and remembers where each setting came
 * from.
 */
import type {
  Action,
  FaultProcess,
  Hop,
  HostGroup,
  ProcessGroup,
  TimelineEntry,
  Topology,
} from '../model/topology.ts';
import { eachSetting, settingsOf, TOPOLOGY_SETTINGS } from './catalog/catalog.ts';
import { HABIT_NAMES, HABITS } from './catalog/clients.ts';
import { stochasticFaults } from './catalog/faults.ts';
import { checkChange } from './change.ts';
import { faultName } from './check-faults.ts';
import { outlineTargets } from './check-timeline.ts';
import type { Path, SourceDocument } from './document.ts';
import { defaultHealthCheckHop, isBalancer, type Outline } from './outline.ts';
import { type Override, overrideAt } from './override.ts';
import { entry, isRawMap, list, text, valueAt } from './raw.ts';

type Loose = Record<string, unknown>;

/**
 * Writes out what a client group implies: the pool settings that its habit stands for (what is
 * there already wins), and that a workload is closed unless it says otherwise. And what
 * `faults: stochastic` stands for.
 */
export function withImplied(raw: unknown): unknown {
  if (!isRawMap(raw) || !Array.isArray(raw.hops)) return raw;
  const faults = raw.faults === 'stochastic' ? { faults: stochasticFaults(raw) } : {};
  return { ...raw, ...faults, hops: raw.hops.map(impliedHop) };
}

function impliedHop(hop: unknown): unknown {
  if (!isRawMap(hop) || hop.kind !== 'clients') return hop;
  const implied: Loose = { ...hop };
  const habit = HABIT_NAMES.find((one) => one === entry(hop, 'habit'));
  const pool = entry(hop, 'pool') ?? {};
  if (habit !== undefined && isRawMap(pool)) implied.pool = { ...HABITS[habit].pool, ...pool };
  const workload = entry(hop, 'workload');
  if (isRawMap(workload)) implied.workload = { kind: 'closed', ...workload };
  return implied;
}

/** `values` is what the schema gave; nothing is wrong with it. */
export function resolve(values: Loose, outline: Outline, file: string): Topology {
  const hops = list(values.hops).map((one, index) => resolveHop(one, index, outline));
  const timeline = list(values.timeline).map((one) => resolveEntry(one, outline));
  // A stable order: entries at the same time happen in the order of the document.
  timeline.sort((a, b) => a.at - b.at);
  const head: Loose = { name: fileName(file) };
  for (const key of Object.keys(TOPOLOGY_SETTINGS)) head[key] = values[key] ?? head[key];
  return {
    ...(head as unknown as Pick<Topology, keyof typeof TOPOLOGY_SETTINGS>),
    hops,
    hosts: values.hosts as HostGroup[],
    timeline,
    faults: list(values.faults).map(resolveFault),
    processes: values.processes as ProcessGroup[],
    applied: { scale: 1, timeScale: 1 },
  };
}

/*
 * The casts here and above are the one place where values that the schema has checked become
 * the model's types: the schema is made from the catalog, and the compiler has compared the
 * catalog with the model (`SettingsFor`).
 */
function resolveHop(values: unknown, index: number, outline: Outline): Hop {
  const about = outline.hops[index];
  if (!isRawMap(values) || about === undefined) throw new Error('a hop is a map');
  const { name, kind, upstream: _, listen, habit: __, ...settings } = values;
  const hop: Loose = { name, kind, upstream: about.upstream, listen, ...settings };
  if (about.kind === 'app' && hop.queriesPerRequest === undefined) {
    hop.queriesPerRequest = about.upstream === null ? 0 : 1;
  }
  const check = hop.healthCheck;
  if (isBalancer(about.kind) && isRawMap(check)) {
    const asked = text(check.hop) ?? defaultHealthCheckHop(outline, about) ?? '';
    const answers = outline.byName.get(asked)?.kind !== 'database';
    hop.healthCheck = { ...check, hop: asked, enabled: check.enabled ?? answers };
  }
  return hop as unknown as Hop;
}

function resolveEntry(values: unknown, outline: Outline): TimelineEntry {
  if (!isRawMap(values)) throw new Error('a timeline entry is a map');
  const { at, text: what, ...action } = values;
  const entryOf = (one: Loose): TimelineEntry => ({
    at: Number(at),
    text: text(what),
    ...(one as unknown as Action),
  });
  if (entry(action, 'action') !== 'set') return entryOf(action);
  const path = String(entry(action, 'path'));
  const change = checkChange(outlineTargets(outline), path, entry(action, 'to'));
  if ('part' in change) throw new Error(`unchecked change: ${change.message}`);
  return entryOf({ ...action, path: `${change.hop}.${change.setting}`, to: change.value });
}

const NO_FAULT = {
  hop: '',
  hosts: '',
  lasts: null,
  extra: null,
  factor: null,
  share: null,
  count: null,
};

function resolveFault(values: unknown): FaultProcess {
  if (!isRawMap(values)) throw new Error('a fault is a map');
  const whole: Loose = { ...NO_FAULT, ...values, name: faultName(values) };
  return whole as unknown as FaultProcess;
}

function fileName(file: string): string {
  const base = file.split(/[\\/]/).at(-1) ?? '';
  return base.replace(/\.[^.]*$/, '').slice(0, 100) || 'topology';
}

/**
 * Where each setting's value comes from, by its path: the file's line, the `--set`, the habit,
 * or the default with its source.
 */
export function settingSources(
  topology: Topology,
  document: SourceDocument,
  raw: unknown,
  overrides: readonly Override[],
): Map<string, string> {
  const sources = new Map<string, string>();
  const given = (path: Path): string | null => {
    const override = overrideAt(overrides, path);
    if (override !== null) return `${override.option} ${override.text}`;
    if (valueAt(raw, path) === undefined) return null;
    return `${document.file}:${document.line(path)}`;
  };
  for (const [name, setting] of Object.entries(TOPOLOGY_SETTINGS)) {
    sources.set(name, given([name]) ?? `default: ${setting.source}`);
  }
  for (const [index, hop] of topology.hops.entries()) {
    const habit = HABIT_NAMES.find((one) => one === valueAt(raw, ['hops', index, 'habit']));
    eachSetting(settingsOf(hop), hop, (path, setting) => {
      const preset = habit !== undefined && path[0] === 'pool' ? HABITS[habit] : null;
      const fromHabit = preset !== null && Object.hasOwn(preset.pool, path[1] ?? '');
      const fallback = fromHabit ? (preset?.source ?? '') : `default: ${setting.source}`;
      const where = ['hops', index, ...path];
      sources.set([hop.name, ...path].join('.'), given(where) ?? fallback);
    });
  }
  for (const [index, group] of topology.hosts.entries()) {
    const source = given(['hosts', index, 'count']) ?? 'default: one host';
    sources.set(`${group.name}.count`, source);
  }
  return sources;
}
