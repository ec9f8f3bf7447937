/**
 * A setting: one row of the catalog (`catalog/`), from which everything that is said about it
 * is derived: how it is parsed and printed, its default and where that default comes from, its
 * place in the JSON Schema, and what `--time-scale` and `--scale` do to it. A setting is
 * described once, so no duration can be forgotten when time is scaled.
 *
 * The catalog is checked against the model at compile time (`SettingsFor`): a setting that is
 * added to `model/topology.ts` without a row here does not compile.
 */
import type { Distribution, Shape } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { formatDistribution, mapDistribution, parseDistribution } from './distribution.ts';
import { formatShape, mapShape, parseShape } from './shape.ts';
import { didYouMeanOr } from './suggest.ts';
import {
  formatDuration,
  formatRate,
  formatSize,
  formatTimeOfDay,
  type Parsed,
  parseDuration,
  parseRate,
  parseSize,
  parseTimeOfDay,
  refuse,
  shown,
} from './units.ts';

/** Values as a YAML document writes them. */
export type Written = string | number | boolean | null | readonly string[];

/**
 * What a scale changes: `replicas` is rounded up and stays at least 2 where it was more than
 * 1; `load` follows the ratio of hosts; `nothing` stays.
 */
export type Follows = 'replicas' | 'load' | 'nothing';

/** What a row says beside its type. */
export interface Row {
  /** As a document would write it; absent = the setting must be given. */
  readonly default?: Written;
  /** How the default comes about where it depends on other settings (then `default` is null). */
  readonly derived?: string;
  readonly description: string;
  /** Where the default comes from: vendor page, RFC, or "assumption: ...". */
  readonly source: string;
  readonly follows?: Follows;
}

export interface Setting<T> extends Row {
  readonly unit: 'duration' | 'rate' | 'size' | 'time of day' | 'none';
  /** The JSON Schema of what a document may write. */
  readonly json: Readonly<Record<string, unknown>>;
  parse(raw: unknown): Parsed<T>;
  format(value: T): string;
  /** The value when all durations are multiplied and all rates divided by `factor`. */
  stretch(value: T, factor: number): T;
  /** The value when the load is multiplied by `ratio`. */
  resize(value: T, ratio: number): T;
}

/** A tree of settings; the leaves are the `Setting`s. */
export interface Settings {
  readonly [name: string]: Setting<unknown> | Settings;
}

type Leaf = string | number | boolean | null | Distribution | Shape | readonly string[];

/** The tree that describes a type of the model: a `Setting` for every leaf. */
export type SettingsFor<T> = {
  readonly [K in keyof T]-?: T[K] extends Leaf ? Setting<T[K]> : SettingsFor<T[K]>;
};

export function isSetting(one: Setting<unknown> | Settings): one is Setting<unknown> {
  return typeof one.parse === 'function';
}

const same = <T>(value: T): T => value;

/** A duration may be 0 only where the row says what 0 means. */
export interface DurationRow extends Row {
  readonly min?: Micros;
}

/** To whole microseconds; what was not 0 does not become 0, which often means "never". */
export function stretchMicros(micros: Micros, factor: number): Micros {
  return micros === 0 ? 0 : Math.max(1, Math.round(micros * factor));
}

export function duration(row: DurationRow): Setting<Micros> {
  const min = row.min ?? 0;
  return {
    ...row,
    unit: 'duration',
    json: { type: ['string', 'number'], examples: ['75s', '5ms', '1h30m'] },
    parse: (raw) => atLeast(parseDuration(raw), min, formatDuration),
    format: formatDuration,
    stretch: stretchMicros,
    resize: same,
  };
}

export function rate(row: Row): Setting<number> {
  return {
    ...row,
    unit: 'rate',
    json: { type: ['string', 'number'], examples: ['4000/s', '180/min'] },
    parse: parseRate,
    format: formatRate,
    stretch: (value, factor) => value / factor,
    resize: (value, ratio) => value * ratio,
  };
}

export function size(row: Row & { readonly max?: number }): Setting<number> {
  const max = row.max ?? 2 ** 40;
  return {
    ...row,
    unit: 'size',
    json: { type: ['string', 'number'], examples: ['256B', '64KiB', '1MB'] },
    parse: (raw) => {
      const parsed = parseSize(raw);
      if (!('value' in parsed) || parsed.value <= max) return parsed;
      return refuse(`${shown(raw)} is too large`, `at most ${formatSize(max)}`);
    },
    format: formatSize,
    stretch: same,
    resize: same,
  };
}

export function timeOfDay(row: Row): Setting<Micros> {
  return {
    ...row,
    unit: 'time of day',
    json: { type: 'string', examples: ['12:00', '08:30:15'] },
    parse: parseTimeOfDay,
    format: formatTimeOfDay,
    stretch: stretchMicros,
    resize: same,
  };
}

interface NumberRow extends Row {
  readonly min: number;
  readonly max: number;
}

/** A whole number. With `follows: load` it is scaled, but what was not 0 stays at least 1. */
export function integer(row: NumberRow): Setting<number> {
  return {
    ...row,
    unit: 'none',
    json: { type: 'integer', minimum: row.min, maximum: row.max },
    parse: (raw) => {
      if (typeof raw !== 'number' || !Number.isInteger(raw)) {
        return refuse(`expected a whole number, found ${shown(raw)}`, wholeHint(raw));
      }
      return inRange(raw, row);
    },
    format: String,
    stretch: same,
    resize: (value, ratio) => (value === 0 ? 0 : Math.max(1, Math.round(value * ratio))),
  };
}

function wholeHint(raw: unknown): string | null {
  const digits = typeof raw === 'string' ? /^ *(\d[\d_,]*)/.exec(raw)?.[1] : undefined;
  if (typeof raw === 'number' && Number.isFinite(raw)) return `write ${Math.round(raw)}`;
  return digits === undefined ? null : `write ${digits.replace(/[_,]/g, '')}`;
}

/** Any number between two bounds. */
export function number(row: NumberRow): Setting<number> {
  return {
    ...row,
    unit: 'none',
    json: { type: 'number', minimum: row.min, maximum: row.max },
    parse: (raw) => parseNumber(raw, row),
    format: String,
    stretch: same,
    resize: same,
  };
}

/** A number from 0 to 1. */
export function share(row: Row): Setting<number> {
  return number({ ...row, min: 0, max: 1 });
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function parseNumber(raw: unknown, range: Range): Parsed<number> {
  if (typeof raw !== 'number' || Number.isNaN(raw)) {
    const percent = typeof raw === 'string' ? /^(\d+(?:\.\d+)?) *%$/.exec(raw)?.[1] : undefined;
    const hint = percent === undefined ? null : `write ${Number(percent) / 100}`;
    return refuse(`expected a number, found ${shown(raw)}`, hint);
  }
  return inRange(raw, range);
}

function inRange(value: number, range: Range): Parsed<number> {
  if (value >= range.min && value <= range.max) return { value: value === 0 ? 0 : value };
  const bounds = `from ${range.min} to ${range.max}`;
  return refuse(`${value} is out of range`, `write a number ${bounds}`);
}

function atLeast(
  parsed: Parsed<number>,
  min: number,
  format: (value: number) => string,
): Parsed<number> {
  if (!('value' in parsed) || parsed.value >= min) return parsed;
  return refuse(`${format(parsed.value)} is too short`, `write at least ${format(min)}`);
}

interface ChoiceRow<T extends string> extends Row {
  readonly choices: readonly T[];
}

export function choice<T extends string>(row: ChoiceRow<T>): Setting<T> {
  return {
    ...row,
    unit: 'none',
    json: { type: 'string', enum: row.choices },
    parse: (raw) => parseChoice(raw, row.choices),
    format: String,
    stretch: same,
    resize: same,
  };
}

function parseChoice<T extends string>(raw: unknown, choices: readonly T[]): Parsed<T> {
  const value = choices.find((one) => one === raw);
  if (value !== undefined) return { value };
  const list = choices.join(', ');
  return refuse(
    `expected one of ${list}; found ${shown(raw)}`,
    typeof raw === 'string' ? didYouMeanOr(raw, choices, 'choose from') : `choose from: ${list}`,
  );
}

/** A set of choices, written as a list. */
export function choices<T extends string>(row: ChoiceRow<T>): Setting<readonly T[]> {
  return {
    ...row,
    unit: 'none',
    json: { type: 'array', uniqueItems: true, items: { type: 'string', enum: row.choices } },
    parse: (raw) => {
      if (!Array.isArray(raw)) {
        return refuse(`expected a list, found ${shown(raw)}`, `write [${row.choices.join(', ')}]`);
      }
      const values: T[] = [];
      for (const [index, item] of raw.entries()) {
        const parsed = parseChoice(item, row.choices);
        if (!('value' in parsed)) return { ...parsed, path: [index] };
        if (values.includes(parsed.value)) {
          return { ...refuse(`${parsed.value} is listed twice`, 'remove one'), path: [index] };
        }
        values.push(parsed.value);
      }
      return { value: values };
    },
    format: (value) => `[${value.join(', ')}]`,
    stretch: same,
    resize: same,
  };
}

export function flag(row: Row): Setting<boolean> {
  return {
    ...row,
    unit: 'none',
    json: { type: 'boolean' },
    parse: (raw) => {
      if (typeof raw === 'boolean') return { value: raw };
      return refuse(`expected true or false, found ${shown(raw)}`, 'write true or false');
    },
    format: String,
    stretch: same,
    resize: same,
  };
}

interface TextRow extends Row {
  readonly pattern?: RegExp;
  /** What the pattern wants, as a suggestion. */
  readonly hint?: string;
  readonly lengthMax?: number;
}

const TEXT_LENGTH_MAX = 10_000;

export function text(row: TextRow): Setting<string> {
  const pattern = row.pattern;
  const lengthMax = row.lengthMax ?? TEXT_LENGTH_MAX;
  const hint = row.hint ?? null;
  return {
    ...row,
    unit: 'none',
    json: { type: 'string', ...(pattern === undefined ? {} : { pattern: pattern.source }) },
    parse: (raw) => {
      if (typeof raw !== 'string') return refuse(`expected a text, found ${shown(raw)}`, hint);
      if (raw.length > lengthMax) return refuse(`longer than ${lengthMax} characters`, hint);
      if (pattern?.test(raw) === false) return refuse(`${shown(raw)} is not valid here`, hint);
      return { value: raw };
    },
    format: String,
    stretch: same,
    resize: same,
  };
}

/** A text or null. */
export function optionalText(row: TextRow): Setting<string | null> {
  const one = text(row);
  return {
    ...one,
    json: { ...one.json, type: ['string', 'null'] },
    parse: (raw) => (raw === null ? { value: null } : one.parse(raw)),
    format: (value) => value ?? 'none',
    stretch: same,
    resize: same,
  };
}

export function distribution(row: Row): Setting<Distribution> {
  return {
    ...row,
    unit: 'duration',
    json: {
      type: ['string', 'number', 'object'],
      examples: ['10ms', 'exponential(10ms)', 'lognormal(median 10ms, p99 80ms)'],
    },
    parse: (raw) => parseDistribution(raw),
    format: formatDistribution,
    stretch: (value, factor) => mapDistribution(value, (micros) => stretchMicros(micros, factor)),
    resize: same,
  };
}

const SHAPE_EXAMPLE = { shape: 'diurnal', peakAt: '12:00', period: '24h' };

/** A rate over time. */
export function rateShape(row: Row): Setting<Shape> {
  return {
    ...row,
    unit: 'rate',
    json: {
      type: ['string', 'number', 'object'],
      examples: ['4000/s', { ...SHAPE_EXAMPLE, peak: '4000/s', trough: '1300/s' }],
    },
    parse: (raw) => parseShape(raw, parseRate),
    format: (value) => formatShape(value, formatRate),
    stretch: (value, factor) =>
      mapShape(
        value,
        (perSecond) => perSecond / factor,
        (micros) => stretchMicros(micros, factor),
      ),
    resize: (value, ratio) => mapShape(value, (perSecond) => perSecond * ratio, same),
  };
}

/** A share 0..1 over time. */
export function shareShape(row: Row): Setting<Shape> {
  return {
    ...row,
    unit: 'none',
    json: {
      type: ['number', 'object'],
      examples: [1, { ...SHAPE_EXAMPLE, peak: 1, trough: 0.325 }],
    },
    parse: (raw) => parseShape(raw, (one) => parseNumber(one, { min: 0, max: 1 })),
    format: (value) => formatShape(value, String),
    stretch: (value, factor) => mapShape(value, same, (micros) => stretchMicros(micros, factor)),
    resize: same,
  };
}
