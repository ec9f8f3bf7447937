/**
 * Distributions and shapes as documents write them.
 *
 * A distribution is a text or, for those who prefer it, a map:
 *
 *   10ms                                constant
 *   exponential(10ms)                   { kind: exponential, mean: 10ms }
 *   uniform(5ms, 20ms)                  { kind: uniform, min: 5ms, max: 20ms }
 *   lognormal(median 10ms, p99 80ms)    { kind: lognormal, median: 10ms, p99: 80ms }
 *
 * A lognormal is given by its median and p99 because those are what a monitoring chart shows.
 */
import type { Distribution } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { didYouMean } from './suggest.ts';
import {
  formatDuration,
  type Parsed,
  parseDuration,
  type Refusal,
  refuse,
  shown,
} from './units.ts';

const PARAMETERS = {
  constant: ['value'],
  exponential: ['mean'],
  uniform: ['min', 'max'],
  lognormal: ['median', 'p99'],
} as const;

const HINT =
  'write 10ms, exponential(10ms), uniform(5ms, 20ms) or lognormal(median 10ms, p99 80ms)';

const AMOUNT_HINT = 'write 8, uniform(4, 12) or lognormal(median 4, p99 20)';

type ParseValue = (raw: unknown) => Parsed<Micros>;

/** Plain numbers instead of durations, in millionths. */
export function parseAmount(raw: unknown): Parsed<Distribution> {
  const parsed = parseDistribution(raw, parseMillionths);
  if ('value' in parsed || parsed.suggestion !== HINT) return parsed;
  return { ...parsed, suggestion: AMOUNT_HINT };
}

function parseMillionths(raw: unknown): Parsed<number> {
  const value = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw;
  if (typeof value === 'number' && value >= 0 && value <= 1e6) {
    return { value: Math.round(value * 1e6) };
  }
  return refuse(`expected a number from 0 to 1000000, found ${shown(raw)}`, AMOUNT_HINT);
}

export function parseDistribution(
  raw: unknown,
  parseValue: ParseValue = parseDuration,
): Parsed<Distribution> {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) {
    return fromMap(raw, parseValue);
  }
  if (typeof raw !== 'string' || !raw.includes('(')) {
    const constant = parseValue(raw);
    if ('value' in constant) return { value: { kind: 'constant', value: constant.value } };
    return typeof raw === 'number' ? constant : refuse(constant.message, HINT);
  }
  const found = /^([a-z]+)\((.*)\)$/.exec(raw.trim());
  const kind = found?.[1] ?? raw.slice(0, raw.indexOf('('));
  if (!isKind(kind)) {
    const meant = didYouMean(kind, Object.keys(PARAMETERS));
    return refuse(`unknown distribution "${kind}"`, meant ?? HINT);
  }
  if (found === null) return refuse(`${shown(raw)} is not a distribution`, unclosed(raw));
  const names: readonly string[] = PARAMETERS[kind];
  const given = (found[2] ?? '').split(',').map((part) => part.trim());
  if (given.length !== names.length) {
    return refuse(
      `${kind} takes ${names.length} (${names.join(', ')}), found ${given.length}`,
      HINT,
    );
  }
  const values = new Map<string, Micros>();
  for (const [index, part] of given.entries()) {
    const named = /^([a-z][a-z0-9]*)[ =]+(.+)$/.exec(part);
    const name = named?.[1] ?? names[index] ?? '';
    if (!names.includes(name) || values.has(name)) {
      return refuse(`${kind} takes ${names.join(' and ')}, found "${name}"`, HINT);
    }
    const value = parseValue(named?.[2] ?? part);
    if (!('value' in value)) return refuse(`${kind}: ${value.message}`, value.suggestion);
    values.set(name, value.value);
  }
  return build(kind, values);
}

/** Within `{ }` of YAML a comma ends the value, so that the closing parenthesis is cut off. */
function unclosed(raw: string): string {
  return raw.includes(')') ? HINT : 'put it in quotes: within { } a comma ends the value';
}

function fromMap(raw: object, parseValue: ParseValue): Parsed<Distribution> {
  const entries = new Map<string, unknown>(Object.entries(raw));
  const kind = entries.get('kind');
  if (typeof kind !== 'string' || !isKind(kind)) {
    const meant = didYouMean(String(kind), Object.keys(PARAMETERS));
    const message =
      kind === undefined ? 'a distribution needs a "kind"' : `unknown kind ${shown(kind)}`;
    return { ...refuse(message, meant ?? HINT), path: kind === undefined ? [] : ['kind'] };
  }
  const names: readonly string[] = PARAMETERS[kind];
  const values = new Map<string, Micros>();
  for (const [name, part] of entries) {
    if (name === 'kind') continue;
    if (!names.includes(name)) {
      return {
        ...refuse(`${kind} has no "${name}"`, `it takes ${names.join(' and ')}`),
        path: [name],
      };
    }
    const value = parseValue(part);
    if (!('value' in value)) return { ...value, path: [name] };
    values.set(name, value.value);
  }
  return build(kind, values);
}

function build(
  kind: Distribution['kind'],
  values: ReadonlyMap<string, Micros>,
): { readonly value: Distribution } | Refusal {
  for (const name of PARAMETERS[kind]) {
    if (!values.has(name)) return refuse(`${kind} needs "${name}"`, HINT);
  }
  const of = (name: string): Micros => values.get(name) ?? 0;
  switch (kind) {
    case 'constant':
      return { value: { kind, value: of('value') } };
    case 'exponential':
      return { value: { kind, mean: of('mean') } };
    case 'uniform':
      if (of('min') > of('max')) return refuse('uniform: min is more than max', 'swap the two');
      return { value: { kind, min: of('min'), max: of('max') } };
    case 'lognormal':
      if (of('median') === 0) return refuse('lognormal: the median must be more than 0', HINT);
      if (of('p99') < of('median')) {
        return refuse('lognormal: p99 is less than the median', 'swap the two');
      }
      return { value: { kind, median: of('median'), p99: of('p99') } };
  }
}

function isKind(text: string): text is Distribution['kind'] {
  return Object.hasOwn(PARAMETERS, text);
}

/** Prints a distribution so that `parseDistribution` gives back the same one. */
export function formatDistribution(one: Distribution): string {
  return printed(one, formatDuration);
}

/** The same for what `parseAmount` read. */
export function formatAmount(one: Distribution): string {
  return printed(one, (millionths) => String(millionths / 1e6));
}

function printed(one: Distribution, format: (value: number) => string): string {
  switch (one.kind) {
    case 'constant':
      return format(one.value);
    case 'exponential':
      return `exponential(${format(one.mean)})`;
    case 'uniform':
      return `uniform(${format(one.min)}, ${format(one.max)})`;
    case 'lognormal':
      return `lognormal(median ${format(one.median)}, p99 ${format(one.p99)})`;
  }
}

/** Multiplies every duration of it. */
export function mapDistribution(one: Distribution, f: (micros: Micros) => Micros): Distribution {
  switch (one.kind) {
    case 'constant':
      return { kind: one.kind, value: f(one.value) };
    case 'exponential':
      return { kind: one.kind, mean: f(one.mean) };
    case 'uniform':
      return { kind: one.kind, min: f(one.min), max: f(one.max) };
    case 'lognormal':
      return { kind: one.kind, median: f(one.median), p99: f(one.p99) };
  }
}
