/**
 * `--set path=value`: changes to a document before it is validated, so that the same schema
 * judges them. A path is `<hop>.<setting>`, `<hosts>.count`, or a setting of the document
 * itself (`duration`). The value is written as in the document.
 *
 * The plain content is copied along the path, never changed in place: aliases of YAML share
 * their maps, and a change to one hop must not reach another.
 */
import { parseDocument } from 'yaml';
import type { HopKind } from '../model/topology.ts';
import {
  findSetting,
  HOP_KINDS,
  HOST_SETTINGS,
  hopSettings,
  TOPOLOGY_SETTINGS,
} from './catalog/catalog.ts';
import { WORKLOAD_SETTINGS } from './catalog/clients.ts';
import type { Path } from './document.ts';
import { optionProblem, type Problem } from './problem.ts';
import { entry, list, text, withValue } from './raw.ts';
import { isSetting, type Settings } from './setting.ts';
import { didYouMeanOr, nearest } from './suggest.ts';
import { own } from './units.ts';

/** An option for one setting of the document: `--duration 5s` is short for `--set duration=5s`. */
export interface ShortOption {
  readonly option: string;
  readonly setting: keyof typeof TOPOLOGY_SETTINGS;
  readonly value: string;
}

export interface Override {
  /** What wrote it. */
  readonly option: string;
  /** As given: `path=value`, or the value of a short option. */
  readonly text: string;
  /** Where in the document it goes. */
  readonly path: Path;
  /** Column of the value in the text, from 1. */
  readonly valueColumn: number;
}

export interface Overridden {
  readonly raw: unknown;
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
}

/** Short options win over `--set`. */
export function applyOverrides(
  raw: unknown,
  texts: readonly string[],
  options: readonly ShortOption[] = [],
): Overridden {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  let changed = raw;
  for (const one of texts) {
    const parsed = splitOverride(one);
    if ('file' in parsed) {
      problems.push(parsed);
      continue;
    }
    const place = findPlace(changed, parsed.path);
    if ('message' in place) {
      problems.push(optionProblem('--set', one, 1, place.message, place.suggestion));
      continue;
    }
    changed = withValue(changed, place.path, parsed.value);
    const valueColumn = parsed.path.length + 2;
    overrides.push({ option: '--set', text: one, path: place.path, valueColumn });
  }
  for (const { option, setting, value } of options) {
    changed = withValue(changed, [setting], value);
    overrides.push({ option, text: value, path: [setting], valueColumn: 1 });
  }
  return { raw: changed, overrides, problems };
}

function splitOverride(given: string): { path: string; value: unknown } | Problem {
  const equals = given.indexOf('=');
  if (equals < 1) {
    const hint = 'write <hop>.<setting>=<value>, such as queue.activeMax=20';
    return optionProblem('--set', given, 1, 'expected path=value', hint);
  }
  const path = given.slice(0, equals).trim();
  const written = given.slice(equals + 1);
  const wrong = optionProblem('--set', given, equals + 2, `no value for ${path}`, null);
  if (written.trim() === '') return wrong;
  try {
    const document = parseDocument(written, { prettyErrors: false });
    if (document.errors.length === 0) return { path, value: document.toJS({ maxAliasCount: 0 }) };
  } catch {
    // Falls through: whatever the YAML reader stumbled over, the value cannot be read.
  }
  return { ...wrong, message: `the value of ${path} cannot be read as YAML` };
}

type Place =
  | { readonly path: Path }
  | { readonly message: string; readonly suggestion: string | null };

function findPlace(raw: unknown, path: string): Place {
  const [name = '', ...rest] = path.split('.');
  if (rest.length === 0 && Object.hasOwn(TOPOLOGY_SETTINGS, name)) return { path: [name] };
  const hops = list(entry(raw, 'hops'));
  const hop = hops.findIndex((one) => entry(one, 'name') === name);
  if (hop >= 0) return findInHop(hops[hop], hop, name, rest);
  const hosts = list(entry(raw, 'hosts'));
  const group = hosts.findIndex((one) => entry(one, 'name') === name);
  if (group >= 0) {
    const [setting = ''] = rest;
    if (rest.length === 1 && Object.hasOwn(HOST_SETTINGS, setting)) {
      return { path: ['hosts', group, setting] };
    }
    return {
      message: `hosts have no setting "${rest.join('.')}"`,
      suggestion: `write ${name}.count`,
    };
  }
  const names = [...hops, ...hosts].map((one) => text(entry(one, 'name')) ?? '');
  const known = [...names, ...Object.keys(TOPOLOGY_SETTINGS)];
  const message =
    rest.length === 0
      ? `there is no setting "${name}" of the document`
      : `there is no hop and no group of hosts named "${name}"`;
  return { message, suggestion: didYouMeanOr(name, known, 'choose from') };
}

/** What a hop has beside the settings of its kind, and may be overridden. */
const COMMON: readonly string[] = ['kind', 'upstream', 'listen'];

function findInHop(hop: unknown, index: number, name: string, given: readonly string[]): Place {
  if (given.length === 0) {
    return {
      message: `"${name}" is a hop, not a setting`,
      suggestion: `write ${name}.<setting>=...`,
    };
  }
  const kind = HOP_KINDS.find((one) => one === entry(hop, 'kind'));
  const short = given.length === 1 && kind === 'clients' && isWorkloadSetting(given[0] ?? '');
  const path = short ? ['workload', ...given] : given;
  const place: Place = { path: ['hops', index, ...path] };
  // Without a kind nothing can be said about its settings; the schema reports the kind.
  if (kind === undefined || isCommon(kind, path)) return place;
  const open = entry(entry(hop, 'workload'), 'kind') === 'open';
  const tree = hopSettings(kind, open ? 'open' : 'closed');
  const found = findSetting(tree, path);
  if ('found' in found) {
    if (isSetting(found.found)) return place;
    const settings = Object.keys(found.found).map((one) => `${name}.${path.join('.')}.${one}`);
    const message = `"${name}.${path.join('.')}" is a group of settings`;
    return { message, suggestion: `choose from: ${settings.join(', ')}` };
  }
  const wrong = [name, ...path.slice(0, found.depth + 1)].join('.');
  if (found.names.length === 0) {
    const whole = [name, ...path.slice(0, found.depth)].join('.');
    return { message: `"${whole}" is a single value`, suggestion: `write ${whole}=...` };
  }
  const other = open ? 'closed' : 'open';
  if (
    path[0] === 'workload' &&
    own<unknown>(WORKLOAD_SETTINGS[other], path[1] ?? '') !== undefined
  ) {
    const message = `${name} has ${open ? 'an open' : 'a closed'} workload, without "${path[1]}"`;
    return { message, suggestion: `"${path[1]}" belongs to ${name}.workload.kind=${other}` };
  }
  return {
    message: `there is no setting "${wrong}" (${name} is of kind ${kind})`,
    suggestion: suggestSetting(tree, path[found.depth] ?? '', found.names, [
      name,
      ...path.slice(0, found.depth),
    ]),
  };
}

function isCommon(kind: HopKind, path: readonly string[]): boolean {
  const [first = '', second] = path;
  if (path.length === 1) return COMMON.includes(first) || (first === 'habit' && kind === 'clients');
  return kind === 'clients' && path.length === 2 && first === 'workload' && second === 'kind';
}

function isWorkloadSetting(name: string): boolean {
  return ['rate', 'awake', 'arrivals', 'thinkTime', 'startWithin'].includes(name);
}

function suggestSetting(
  tree: Settings,
  wrong: string,
  names: readonly string[],
  before: readonly string[],
): string {
  const deeper = before.length === 1 ? deeperPath(tree, wrong) : null;
  if (deeper !== null) return `did you mean "${[...before, deeper].join('.')}"?`;
  const near = nearest(wrong, names);
  if (near !== null) return `did you mean "${[...before, near].join('.')}"?`;
  return `choose from: ${names.map((one) => [...before, one].join('.')).join(', ')}`;
}

/** `pool.idleTimeout` for `idleTimeout`, where a group of the tree has a setting of that name. */
export function deeperPath(tree: Settings, name: string): string | null {
  for (const [group, one] of Object.entries(tree)) {
    if (!isSetting(one) && own(one, name) !== undefined) return `${group}.${name}`;
  }
  return null;
}

/** The last override that wrote the value at this path, or a value around it. */
export function overrideAt(overrides: readonly Override[], path: Path): Override | null {
  const around = (one: Override): boolean =>
    one.path.length <= path.length && one.path.every((segment, index) => segment === path[index]);
  return overrides.filter(around).at(-1) ?? null;
}
