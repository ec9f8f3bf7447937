/**
 * What a running run does with a control request: the request's words become a checked action,
 * which the hops then apply. Everything that comes in is checked here; hops trust it.
 */

import type { ControlHandler, ControlReply } from '../live/supervisor/control-server.ts';
import type { Action, Topology } from '../model/topology.ts';
import { formatProblems, parseSetting } from '../topology/index.ts';
import { parseDuration } from '../topology/units.ts';

type FieldKind = 'hop' | 'hosts' | 'whole' | 'factor' | 'share' | 'duration';

/** Faults and what they need; `lasts` and the like come as a topology document writes them. */
const FAULTS: Readonly<Record<string, Readonly<Record<string, FieldKind>>>> = {
  slow: { hop: 'hop', factor: 'factor', lasts: 'duration' },
  stall: { hop: 'hop', lasts: 'duration' },
  'replace-nodes': { hop: 'hop', count: 'whole' },
  'host-down': { hosts: 'hosts', replica: 'whole', lasts: 'duration' },
  deregister: { hosts: 'hosts', replica: 'whole', lasts: 'duration' },
  'reset-connections': { hop: 'hop', share: 'share' },
  'stop-reading': { hop: 'hop', share: 'share', lasts: 'duration' },
  kill: { hop: 'hop', lasts: 'duration' },
};

/** A run of either engine: it says whether any hop took the action. */
interface Controlled {
  apply(action: Action, text: string): boolean | Promise<boolean>;
}

export function controlHandler(run: Controlled, topology: Topology): ControlHandler {
  return async (request) => {
    const parsed = parseRequest(request, topology);
    if ('refusal' in parsed) return { ok: false, text: parsed.refusal };
    const applied = await run.apply(parsed.action, parsed.text);
    const reply: ControlReply = applied
      ? { ok: true, text: `applied: ${parsed.text}` }
      : { ok: false, text: `no hop takes this: ${parsed.text}` };
    return reply;
  };
}

type Parsed = { readonly action: Action; readonly text: string } | { readonly refusal: string };

function parseRequest(request: unknown, topology: Topology): Parsed {
  if (typeof request !== 'object' || request === null) return { refusal: 'not a request' };
  const { action, arguments: words } = request as { action?: unknown; arguments?: unknown };
  const list = Array.isArray(words) ? words.filter((word) => typeof word === 'string') : [];
  if (action === 'set') return parseSet(list.join(' '), topology);
  if (action === 'mark') {
    return { action: { action: 'mark' }, text: list.join(' ').slice(0, 200) || 'mark' };
  }
  if (typeof action !== 'string' || !Object.hasOwn(FAULTS, action)) {
    const known = ['set', 'mark', ...Object.keys(FAULTS)].join(', ');
    return { refusal: `unknown action ${JSON.stringify(action)}; there are ${known}` };
  }
  return parseFault(action, list, topology);
}

function parseSet(text: string, topology: Topology): Parsed {
  const equals = text.indexOf('=');
  if (equals < 1)
    return { refusal: 'write set path=value, e.g. set apigw.throttle.ratePerSecond=200/s' };
  const path = text.slice(0, equals).trim();
  const change = parseSetting(topology, path, text.slice(equals + 1).trim());
  if ('problem' in change) return { refusal: formatProblems([change.problem]).trimEnd() };
  const { hop, setting, value } = change;
  return { action: { action: 'set', path: `${hop}.${setting}`, to: value }, text };
}

function parseFault(action: string, words: readonly string[], topology: Topology): Parsed {
  const fields = FAULTS[action] ?? {};
  const given = new Map(
    words.map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]),
  );
  const values: Record<string, string | number> = {};
  const wrong: string[] = [];
  for (const [name, kind] of Object.entries(fields)) {
    const value = fieldOf(kind, given.get(name), topology);
    if (typeof value === 'object') wrong.push(`${name}: ${value.refusal}`);
    else values[name] = value;
  }
  for (const name of given.keys()) {
    if (!Object.hasOwn(fields, name)) {
      wrong.push(`${name}: unknown; ${action} takes ${Object.keys(fields).join(', ')}`);
    }
  }
  if (wrong.length > 0) return { refusal: wrong.join('\n') };
  return { action: { action, ...values } as Action, text: `${action} ${words.join(' ')}` };
}

function fieldOf(
  kind: FieldKind,
  text: string | undefined,
  topology: Topology,
): string | number | { refusal: string } {
  if (text === undefined) return { refusal: 'is missing' };
  switch (kind) {
    case 'hop':
      return known(
        text,
        topology.hops.map((hop) => hop.name),
      );
    case 'hosts':
      return known(
        text,
        topology.hosts.map((group) => group.name),
      );
    case 'duration': {
      const parsed = parseDuration(text);
      return 'value' in parsed ? parsed.value : { refusal: parsed.message };
    }
    case 'whole':
      return /^\d{1,6}$/.test(text) ? Number(text) : { refusal: 'expected a whole number' };
    case 'share':
      return Number(text) >= 0 && Number(text) <= 1 ? Number(text) : { refusal: 'expected 0 .. 1' };
    case 'factor':
      return Number(text) > 0 ? Number(text) : { refusal: 'expected a factor above 0' };
  }
}

function known(name: string, names: readonly string[]): string | { refusal: string } {
  return names.includes(name) ? name : { refusal: `"${name}" is not one of ${names.join(', ')}` };
}
