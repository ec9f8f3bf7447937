/**
 * An action in words, as `waterhammer control` and the page send it to a run that goes on:
 * `replace-nodes hop=apigw count=3`. It may say what an entry of a timeline may, and is checked
 * like one: what it names exists, is of the right kind, and there are as many.
 */
import { parse } from 'yaml';
import type { Action, Topology } from '../model/topology.ts';
import { ACTION_SETTINGS } from './catalog/actions.ts';
import { checkAction } from './check-timeline.ts';
import { makeOutline } from './outline.ts';
import { isSetting, type Settings } from './setting.ts';
import { didYouMean } from './suggest.ts';
import { topologyDocument } from './write.ts';

export type ParsedAction = { readonly action: Action } | { readonly problems: readonly string[] };

type Fault = Exclude<keyof typeof ACTION_SETTINGS, 'set' | 'mark'>;

/** What is not set, nor only marked. */
export const FAULTS: readonly string[] = Object.keys(ACTION_SETTINGS).filter(isFault);

export function isFault(action: unknown): action is Fault {
  if (typeof action !== 'string' || action === 'set' || action === 'mark') return false;
  return Object.hasOwn(ACTION_SETTINGS, action);
}

const NUMBER = /^-?\d*\.?\d+(e-?\d+)?$/i;

export function parseAction(
  topology: Topology,
  action: Fault,
  words: readonly string[],
): ParsedAction {
  const settings: Settings = ACTION_SETTINGS[action];
  const problems: string[] = [];
  const raw = rawOf(words);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    if (!isSetting(setting)) continue;
    const given = raw[name] ?? setting.default;
    const parsed = given === undefined ? MISSING : setting.parse(given);
    if ('value' in parsed) values[name] = parsed.value;
    else problems.push(problem(name, parsed.message, parsed.suggestion));
  }
  for (const name of Object.keys(raw)) {
    if (Object.hasOwn(settings, name)) continue;
    const names = Object.keys(settings);
    const hint = didYouMean(name, names) ?? `${action} takes ${names.join(', ')}`;
    problems.push(problem(name, 'unknown', hint));
  }
  const outline = makeOutline(parse(topologyDocument(topology)));
  checkAction(raw, action, [], outline, (path, message, suggestion) => {
    problems.push(problem(String(path.at(-1)), message, suggestion));
  });
  // Every setting of the action was read by its own row.
  return problems.length > 0 ? { problems } : { action: { action, ...values } as Action };
}

const MISSING = { message: 'is missing', suggestion: null };

function problem(name: string, message: string, suggestion: string | null): string {
  return `${name}: ${message}${suggestion === null ? '' : ` (${suggestion})`}`;
}

/** `name=value` words as a document would have them. */
function rawOf(words: readonly string[]): Record<string, string | number> {
  const raw: Record<string, string | number> = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const value = equals < 0 ? '' : word.slice(equals + 1);
    raw[name] = NUMBER.test(value) ? Number(value) : value;
  }
  return raw;
}
