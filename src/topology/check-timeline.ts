/** The timeline: what it names exists, is of the right kind, and may change while running. */
import type { HopKind } from '../model/topology.ts';
import { HOP_SETTINGS } from './catalog/catalog.ts';
import { type ChangeTarget, checkChange } from './change.ts';
import type { Outline, Report } from './outline.ts';
import { entry, list, text } from './raw.ts';
import { didYouMeanOr } from './suggest.ts';
import { parseDuration } from './units.ts';

const SERVED: readonly HopKind[] = ['app', 'database'];

/** Kinds that an action may name as its `hop`. */
const KINDS: Readonly<Record<string, readonly HopKind[]>> = {
  slow: SERVED,
  'slow-requests': SERVED,
  stall: SERVED,
  'replace-nodes': ['gateway'],
  'stop-reading': ['clients'],
};

/** Those that any hop that accepts connections may have. */
const OF_ACCEPTORS = ['reset-connections', 'stop-accepting'];

export function checkTimeline(raw: unknown, outline: Outline, report: Report, warn: Report): void {
  const duration = parseDuration(entry(raw, 'duration') ?? '60s');
  for (const [index, one] of list(entry(raw, 'timeline')).entries()) {
    const path = ['timeline', index];
    const action = text(entry(one, 'action'));
    if (action === 'set') checkSet(one, path, outline, report);
    if (action !== null) checkAction(one, action, path, outline, report);
    const at = parseDuration(entry(one, 'at'));
    if ('value' in at && 'value' in duration && at.value >= duration.value) {
      warn([...path, 'at'], 'this is after the end of the run (duration)', null);
    }
  }
}

/** What an action hits exists, and can be hit by it. */
export function checkAction(
  one: unknown,
  action: string,
  path: readonly (string | number)[],
  outline: Outline,
  report: Report,
): void {
  if (action === 'host-down' || action === 'deregister') checkReplica(one, path, outline, report);
  if (Object.hasOwn(KINDS, action) || OF_ACCEPTORS.includes(action)) {
    checkHop(one, action, path, outline, report);
  }
  if (action === 'kill') checkProgram(one, path, outline, report);
}

export function outlineTargets(outline: Outline): ChangeTarget[] {
  const targets: ChangeTarget[] = [];
  for (const hop of outline.hops) {
    if (hop.name === null || hop.kind === null) continue;
    const open = entry(entry(hop.raw, 'workload'), 'kind') === 'open';
    targets.push({ name: hop.name, kind: hop.kind, workload: open ? 'open' : 'closed' });
  }
  return targets;
}

function checkSet(
  one: unknown,
  path: readonly (string | number)[],
  outline: Outline,
  report: Report,
): void {
  const setting = text(entry(one, 'path'));
  if (setting === null) return;
  const to = entry(one, 'to');
  // That it is missing is the schema's to say.
  if (to === undefined) return;
  const checked = checkChange(outlineTargets(outline), setting, to);
  if (!('part' in checked)) return;
  // A hop whose kind or name is wrong is reported where it stands; its settings cannot be judged.
  const hop = outline.byName.get(setting.split('.')[0] ?? '');
  if (hop === undefined ? outline.unnamed : hop.kind === null) return;
  const place = checked.part === 'path' ? 'path' : 'to';
  report([...path, place], checked.message, checked.suggestion);
}

function checkHop(
  one: unknown,
  action: string,
  path: readonly (string | number)[],
  outline: Outline,
  report: Report,
): void {
  const name = text(entry(one, 'hop'));
  if (name === null) return;
  const kinds = Object.hasOwn(KINDS, action) ? KINDS[action] : undefined;
  const fits = (kind: HopKind | null): boolean =>
    kind === null || (kinds === undefined ? kind !== 'clients' : kinds.includes(kind));
  const names = outline.hops
    .filter((hop) => hop.kind !== null && fits(hop.kind))
    .map((hop) => hop.name ?? '');
  const hop = outline.byName.get(name);
  if (hop === undefined) {
    const hint = didYouMeanOr(name, names, 'choose from');
    report([...path, 'hop'], `there is no hop named "${name}"`, hint);
    return;
  }
  if (!fits(hop.kind)) {
    const wanted = kinds === undefined ? 'a hop that accepts connections' : kinds.join(' or ');
    const message = `${action} needs ${wanted}, but "${name}" is of kind ${hop.kind}`;
    report([...path, 'hop'], message, `choose from: ${names.join(', ') || 'none'}`);
  }
  const count = entry(one, 'count');
  const nodes = entry(hop.raw, 'nodes') ?? HOP_SETTINGS.gateway.nodes.default;
  if (typeof count === 'number' && typeof nodes === 'number' && count > nodes) {
    report([...path, 'count'], `"${name}" has only ${nodes} nodes`, `write at most ${nodes}`);
  }
}

/** What can be killed and started again: the programs that we start. */
const PROGRAMS = ['nginx', 'haproxy', 'mariadb'];

function checkProgram(
  one: unknown,
  path: readonly (string | number)[],
  outline: Outline,
  report: Report,
): void {
  const name = text(entry(one, 'hop'));
  if (name === null) return;
  const isProgram = (raw: unknown): boolean =>
    PROGRAMS.includes(text(entry(raw, 'implementation')) ?? '');
  const names = outline.hops.filter((hop) => isProgram(hop.raw)).map((hop) => hop.name ?? '');
  if (names.includes(name)) return;
  const known = outline.byName.has(name);
  const message = known
    ? `kill needs a real program, but "${name}" is built in`
    : `there is no hop named "${name}"`;
  const hint = names.length === 0 ? `set "implementation" to one of ${PROGRAMS.join(', ')}` : null;
  report([...path, 'hop'], message, hint ?? didYouMeanOr(name, names, 'choose from'));
}

function checkReplica(
  one: unknown,
  path: readonly (string | number)[],
  outline: Outline,
  report: Report,
): void {
  const name = text(entry(one, 'hosts'));
  if (name === null) return;
  const group = outline.hosts.find((candidate) => candidate.name === name);
  if (group === undefined) {
    const names = outline.hosts.map((candidate) => candidate.name ?? '');
    const hint = didYouMeanOr(name, names, 'groups of hosts');
    report([...path, 'hosts'], `there is no group of hosts named "${name}"`, hint);
    return;
  }
  const replica = entry(one, 'replica');
  if (typeof replica === 'number' && replica >= group.count) {
    const message = `"${name}" has ${group.count} hosts, numbered from 0`;
    report([...path, 'replica'], message, `write at most ${group.count - 1}`);
  }
}
