/**
 * Settings that may change while a run goes on: by the timeline's `set` action or through the
 * control channel. Others need a new run, because hosts, sockets and pools are made at its
 * start.
 *
 * Two paths are short forms for clients: `<clients>.rate` and `<clients>.awake` set the
 * workload to a constant from now on.
 */
import type { Distribution, HopKind, Topology } from '../model/topology.ts';
import { findSetting, HOP_SETTINGS, hopSettings } from './catalog/catalog.ts';
import { WORKLOAD_SETTINGS } from './catalog/clients.ts';
import { optionProblem, type Problem } from './problem.ts';
import { isSetting, rate, type Setting, share } from './setting.ts';
import { didYouMean, didYouMeanOr } from './suggest.ts';
import { refuse } from './units.ts';

/** A value in the units of the model. */
export type ChangeValue = number | string | boolean | Distribution;

export interface Change {
  readonly hop: string;
  /** The path within the hop, `throttle.ratePerSecond`. */
  readonly setting: string;
  readonly value: ChangeValue;
}

const poolPaths = (kind: 'clients' | 'edge' | 'gateway' | 'l7-balancer' | 'app'): string[] =>
  Object.keys(HOP_SETTINGS[kind].pool).map((name) => `pool.${name}`);

/** The paths, within a hop of each kind, that may change while running. */
export const CHANGEABLE: Readonly<Record<HopKind, readonly string[]>> = {
  clients: ['rate', 'awake', ...poolPaths('clients')],
  edge: poolPaths('edge'),
  gateway: ['throttle.ratePerSecond', 'throttle.burst', ...poolPaths('gateway')],
  'l4-balancer': [],
  'l7-balancer': poolPaths('l7-balancer'),
  'connection-queue': ['activeMax', 'heldMax', 'reclaim', 'reclaimAfter', 'order'],
  'web-server': ['keepAliveTimeout', 'keepAliveRequests'],
  app: ['serviceTime', ...poolPaths('app')],
  database: ['serviceTime', 'concurrencyMax'],
};

/** The constant forms of the two workload shapes. */
const SHORT_FORMS: Readonly<Record<string, { kind: 'open' | 'closed'; setting: Setting<number> }>> =
  {
    rate: {
      kind: 'open',
      setting: rate({
        follows: 'load',
        description: 'Arrivals of the whole group.',
        source: WORKLOAD_SETTINGS.open.rate.source,
      }),
    },
    awake: {
      kind: 'closed',
      setting: share({
        description: 'Share of the users that are active.',
        source: WORKLOAD_SETTINGS.closed.awake.source,
      }),
    },
  };

/** A hop as far as changes care. */
export interface ChangeTarget {
  readonly name: string;
  readonly kind: HopKind;
  readonly workload: 'open' | 'closed';
}

/** The row of a changeable setting; null when there is none at that path. */
export function changeableSetting(target: ChangeTarget, path: string): Setting<unknown> | null {
  if (!CHANGEABLE[target.kind].includes(path)) return null;
  if (target.kind === 'clients') {
    const short = SHORT_FORMS[path];
    if (short !== undefined) return short.kind === target.workload ? short.setting : null;
  }
  const found = findSetting(hopSettings(target.kind, target.workload), path.split('.'));
  return 'found' in found && isSetting(found.found) ? found.found : null;
}

export type ChangeRefusal = { readonly part: 'path' | 'value' } & ReturnType<typeof refuse>;

/** Validates a change; `targets` are the hops of the document. */
export function checkChange(
  targets: readonly ChangeTarget[],
  path: string,
  raw: unknown,
): Change | ChangeRefusal {
  const dot = path.indexOf('.');
  const name = dot < 0 ? path : path.slice(0, dot);
  const target = targets.find((one) => one.name === name);
  if (target === undefined) {
    const names = targets.map((one) => one.name);
    return {
      part: 'path',
      ...refuse(`there is no hop named "${name}"`, didYouMeanOr(name, names, 'hops')),
    };
  }
  const setting = dot < 0 ? '' : path.slice(dot + 1).replace(/^workload\.(rate|awake)$/, '$1');
  const row = changeableSetting(target, setting);
  if (row === null) return { part: 'path', ...refusePath(target, setting) };
  const parsed = row.parse(raw);
  if (!('value' in parsed)) {
    return { part: 'value', ...refuse(`${path}: ${parsed.message}`, parsed.suggestion) };
  }
  if (!isChangeValue(parsed.value)) {
    return { part: 'value', ...refuse(`${path} cannot be changed to this`) };
  }
  return { hop: name, setting, value: parsed.value };
}

function refusePath(target: ChangeTarget, setting: string): ReturnType<typeof refuse> {
  const { name, kind, workload } = target;
  const open = CHANGEABLE[kind].map((one) => `${name}.${one}`);
  const list = open.length === 0 ? `nothing of ${kind} may` : `what may: ${open.join(', ')}`;
  if (kind === 'clients' && setting === 'rate') {
    return refuse(`${name} has a closed workload, which has no rate`, `set ${name}.awake instead`);
  }
  if (kind === 'clients' && setting === 'awake') {
    return refuse(`${name} has an open workload: nobody is awake`, `set ${name}.rate instead`);
  }
  const known = findSetting(hopSettings(kind, workload), setting.split('.'));
  if ('found' in known && isSetting(known.found)) {
    return refuse(`${name}.${setting} cannot change while running`, list);
  }
  const path = setting === '' ? name : `${name}.${setting}`;
  return refuse(`there is no setting "${path}"`, didYouMean(path, open) ?? list);
}

function isChangeValue(value: unknown): value is ChangeValue {
  if (typeof value === 'object' && value !== null) return 'kind' in value;
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}

export function changeTargets(topology: Topology): ChangeTarget[] {
  return topology.hops.map((hop) => ({
    name: hop.name,
    kind: hop.kind,
    workload: hop.kind === 'clients' ? hop.workload.kind : 'closed',
  }));
}

/**
 * Validates one change while running, as the control channel gets it: `value` is written as in
 * a document (`200/s`, `30`, `idle-yield`); a number or a truth value may come as text. Gives
 * the value in the units of the model.
 *
 * The timeline of a resolved topology holds typed values already: those are applied as they are.
 */
export function parseSetting(
  topology: Topology,
  path: string,
  value: unknown,
): Change | { readonly problem: Problem } {
  const targets = changeTargets(topology);
  const first = checkChange(targets, path, value);
  if (!('part' in first)) return first;
  const scalar = first.part === 'value' ? plainScalar(value) : null;
  const second = scalar === null ? first : checkChange(targets, path, scalar);
  if (!('part' in second)) return second;
  const text = `${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  const column = first.part === 'value' ? path.length + 2 : 1;
  return { problem: optionProblem('set', text, column, first.message, first.suggestion) };
}

/** Number or truth value that a text spells; null for others. */
function plainScalar(value: unknown): number | boolean | null {
  if (typeof value !== 'string') return null;
  if (/^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  return value === 'true' ? true : value === 'false' ? false : null;
}

/** Prints a change's value as a document would write it. */
export function formatChange(topology: Topology, path: string, value: ChangeValue): string {
  const row = rowOf(topology, path);
  return row === null ? JSON.stringify(value) : row.format(value);
}

/** The row for a changeable path of a resolved topology; null for others. */
export function rowOf(topology: Topology, path: string): Setting<unknown> | null {
  const dot = path.indexOf('.');
  const target = changeTargets(topology).find((one) => one.name === path.slice(0, dot));
  return target === undefined ? null : changeableSetting(target, path.slice(dot + 1));
}
