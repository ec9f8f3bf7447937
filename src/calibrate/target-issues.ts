/** What the schema of a targets file found, in the words that topology documents are judged in. */
import type { z } from 'zod';
import type { Path } from '../topology/document.ts';
import { valueAt } from '../topology/raw.ts';
import { didYouMeanOr } from '../topology/suggest.ts';
import { shown } from '../topology/units.ts';

type Issue = z.core.$ZodIssue;

export interface Said {
  readonly path: Path;
  readonly place: 'key' | 'value';
  readonly message: string;
  readonly suggestion: string | null;
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** `keysAt` are the keys that a map at a path may have. */
export function saidOf(raw: unknown, issue: Issue, keysAt: (path: Path) => readonly string[]) {
  const path = issue.path.map((one) => (typeof one === 'symbol' ? String(one) : one));
  const label = path.join('.') || 'the document';
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key): Said => {
      const message = `${label} has no setting ${shown(key)}`;
      const suggestion = didYouMeanOr(key, known, 'it has');
      return { path: [...path, key], place: 'key', message, suggestion };
    });
  }
  const said: Said = { path, place: 'value', message: '', suggestion: null };
  const value = valueAt(raw, path);
  if (value === undefined) return [{ ...said, message: `${label}: this must be given` }];
  return [{ ...said, message: `${label}: ${wordsOf(issue, value)}` }];
}

function wordsOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KINDS[issue.expected] ?? issue.expected}, found ${shown(value)}`;
    case 'invalid_value':
      return `expected one of ${issue.values.map(String).join(', ')}; found ${shown(value)}`;
    case 'invalid_union':
      return `expected a text or a number, found ${shown(value)}`;
    case 'too_small': {
      const beyond = issue.inclusive === false ? 'more than' : 'at least';
      const of = Array.isArray(value) ? ' in the list' : '';
      return `expected ${beyond} ${issue.minimum}${of}, found ${countOf(value)}`;
    }
    case 'too_big':
      return `expected at most ${issue.maximum} in the list, found ${countOf(value)}`;
    default:
      return issue.message;
  }
}

function countOf(value: unknown): string {
  return Array.isArray(value) ? String(value.length) : shown(value);
}
