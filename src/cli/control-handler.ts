/**
 * What a running run does with a control request: the request's words become a checked action,
 * which the hops then apply. Everything that comes in is checked here; hops trust it.
 */

import type { ControlHandler, ControlReply } from '../live/supervisor/control-server.ts';
import type { Action, Topology } from '../model/topology.ts';
import { FAULTS, formatProblems, isFault, parseAction, parseSetting } from '../topology/index.ts';

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
  if (!isFault(action)) {
    const known = ['set', 'mark', ...FAULTS].join(', ');
    return { refusal: `unknown action ${JSON.stringify(action)}; there are ${known}` };
  }
  const fault = parseAction(topology, action, list);
  if ('problems' in fault) return { refusal: fault.problems.join('\n') };
  return { action: fault.action, text: `${action} ${list.join(' ')}` };
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
