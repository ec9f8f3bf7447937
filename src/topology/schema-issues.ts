/**
 * Turns what the schema found into problems in the reader's words: which setting (by its path,
 * `queue.activeMax`), what is wrong, what was probably meant.
 */
import type { z } from 'zod';
import { ACTION_SETTINGS, ENTRY_SETTINGS } from './catalog/actions.ts';
import {
  findSetting,
  HOP_KINDS,
  HOST_SETTINGS,
  hopSettings,
  TOPOLOGY_SETTINGS,
} from './catalog/catalog.ts';
import { WORKLOAD_KINDS, WORKLOAD_SETTINGS } from './catalog/clients.ts';
import { FAULT_SETTINGS, PROCESS_SETTINGS } from './catalog/faults.ts';
import type { Path } from './document.ts';
import type { Report } from './outline.ts';
import { deeperPath } from './override.ts';
import { entry, isRawMap, text, valueAt } from './raw.ts';
import { isSetting, type Settings } from './setting.ts';
import { didYouMean, didYouMeanOr } from './suggest.ts';
import { own, shown } from './units.ts';

type Issue = z.core.$ZodIssue;

export function reportIssues(raw: unknown, issues: readonly Issue[], report: Report): void {
  for (const issue of issues) reportIssue(raw, issue, report);
}

function reportIssue(raw: unknown, issue: Issue, report: Report): void {
  const path = issue.path.map((one) => (typeof one === 'symbol' ? String(one) : one));
  const label = labelOf(raw, path);
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(raw, path, key, report);
  } else if (issue.code === 'invalid_union') {
    reportUnion(raw, path, issue, report);
  } else if (issue.code === 'invalid_type') {
    const value = valueAt(raw, path);
    const wanted = issue.expected === 'array' ? 'a list' : 'a map';
    const wrong = `expected ${wanted}, found ${shown(value)}`;
    report(path, `${label}: ${value === undefined ? 'this must be given' : wrong}`, null);
  } else if (issue.code === 'too_small') {
    report(path, `${label}: this list must not be empty`, null);
  } else {
    const parameters = issue.code === 'custom' ? issue.params : undefined;
    report(path, `${label}: ${issue.message}`, text(entry(parameters, 'suggestion')));
  }
}

/** `queue.activeMax` for ['hops', 3, 'activeMax']; a position where there is no name. */
export function labelOf(raw: unknown, path: Path): string {
  const [first, second, ...rest] = path;
  if (first === undefined) return 'the document';
  if (typeof second !== 'number') return path.join('.');
  const name = text(entry(valueAt(raw, [first, second]), 'name'));
  const named = name !== null && name.length < 64 && rest[0] !== 'name' ? name : null;
  return [named ?? `${first}[${second}]`, ...rest].join('.');
}

function reportUnion(
  raw: unknown,
  path: Path,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  report: Report,
): void {
  const key = text(entry(issue, 'discriminator')) ?? 'kind';
  const holder = path.at(-1) === key ? path.slice(0, -1) : path;
  const value = valueAt(raw, [...holder, key]);
  const known =
    key === 'action'
      ? Object.keys(holder[0] === 'faults' ? FAULT_SETTINGS : ACTION_SETTINGS)
      : holder.at(-1) === 'workload'
        ? WORKLOAD_KINDS
        : HOP_KINDS;
  const label = labelOf(raw, holder);
  const list = `one of ${known.join(', ')}`;
  if (value === undefined) {
    report(holder, `${label} has no "${key}"`, `add ${key}: ${list}`);
    return;
  }
  const hint = didYouMeanOr(typeof value === 'string' ? value : '', known, 'choose from');
  report([...holder, key], `${label}: unknown ${key} ${shown(value)}`, hint);
}

function reportUnknownKey(raw: unknown, path: Path, key: string, report: Report): void {
  const at = [...path, key];
  const known = knownKeys(raw, path);
  const where = path.length === 0 ? 'a topology' : labelOf(raw, path);
  const message = `${where} has no setting ${shown(key)}`;
  const hint =
    elsewhere(raw, path, key) ??
    didYouMean(key, known) ??
    (known.length === 0 ? null : `it has: ${known.join(', ')}`);
  report(at, message, hint, 'key');
}

/** A setting of that name that exists, but at another place. */
function elsewhere(raw: unknown, path: Path, key: string): string | null {
  if (path[0] !== 'hops') return null;
  if (path.length === 3 && path[2] === 'workload') {
    const kind = WORKLOAD_KINDS.find((one) => own<unknown>(WORKLOAD_SETTINGS[one], key));
    return kind === undefined ? null : `"${key}" belongs to kind: ${kind}`;
  }
  const tree = treeOf(valueAt(raw, path.slice(0, 2)));
  if (path.length !== 2 || tree === null) return null;
  const deeper = deeperPath(tree, key);
  return deeper === null ? null : `did you mean "${deeper}"?`;
}

function treeOf(hop: unknown): Settings | null {
  const kind = HOP_KINDS.find((one) => one === entry(hop, 'kind'));
  const open = entry(entry(hop, 'workload'), 'kind') === 'open';
  return kind === undefined ? null : hopSettings(kind, open ? 'open' : 'closed');
}

function knownKeys(raw: unknown, path: Path): readonly string[] {
  const [first, , ...rest] = path;
  if (first === undefined) {
    return [...Object.keys(TOPOLOGY_SETTINGS), 'hops', 'hosts', 'timeline', 'faults', 'processes'];
  }
  const holder = valueAt(raw, path.slice(0, 2));
  if (first === 'hosts') return ['name', 'hops', ...Object.keys(HOST_SETTINGS)];
  if (first === 'processes') return ['name', 'hops'];
  if (first === 'timeline') return entryKeys(holder);
  if (first === 'faults') return faultKeys(holder);
  const tree = treeOf(holder);
  if (tree === null) return [];
  const names = rest.filter((one) => typeof one === 'string');
  const found = findSetting(tree, names);
  if (!('found' in found) || isSetting(found.found)) return [];
  const common = ['name', 'kind', 'upstream', 'listen'];
  const clients = isRawMap(holder) && holder.kind === 'clients' ? ['habit'] : [];
  const here = Object.keys(found.found);
  return names.length === 0 ? [...common, ...clients, ...here] : here;
}

function faultKeys(holder: unknown): readonly string[] {
  const action = text(entry(holder, 'action')) ?? '';
  const settings: Settings = own<Settings>(FAULT_SETTINGS, action) ?? {};
  return [...Object.keys(PROCESS_SETTINGS), 'action', ...Object.keys(settings)];
}

function entryKeys(holder: unknown): readonly string[] {
  const action = text(entry(holder, 'action')) ?? '';
  const settings: Settings = own<Settings>(ACTION_SETTINGS, action) ?? {};
  const to = action === 'set' ? ['to'] : [];
  return [...Object.keys(ENTRY_SETTINGS), 'action', ...Object.keys(settings), ...to];
}
