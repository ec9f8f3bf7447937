/**
 * Shapes: a value over time, as documents write it. The value is a rate (open load) or a share
 * 0..1 of users awake (closed load).
 *
 *   4000/s                                                     constant
 *   { shape: diurnal, peak: 4000/s, trough: 1300/s, peakAt: "12:00", period: 24h }
 *   { shape: steps, steps: [{ at: 0, value: 100/s }, { at: 30s, value: 400/s }] }
 */
import type { Shape } from '../model/topology.ts';
import { MICROS_PER_DAY, type Micros } from '../model/units.ts';
import { didYouMean } from './suggest.ts';
import {
  formatDuration,
  formatTimeOfDay,
  type Parsed,
  parseDuration,
  parseTimeOfDay,
  type Refusal,
  refuse,
  shown,
} from './units.ts';

type ParseNumber = (raw: unknown) => Parsed<number>;

const NOON = MICROS_PER_DAY / 2;
const STEPS_MAX = 10_000;
const KEYS: Readonly<Record<Shape['shape'], readonly string[]>> = {
  constant: ['value'],
  diurnal: ['peak', 'trough', 'peakAt', 'period'],
  steps: ['steps'],
};

export function parseShape(raw: unknown, parseNumber: ParseNumber): Parsed<Shape> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    const constant = parseNumber(raw);
    if (!('value' in constant)) return constant;
    return { value: { shape: 'constant', value: constant.value } };
  }
  const entries = new Map<string, unknown>(Object.entries(raw));
  const shape = entries.get('shape');
  if (typeof shape !== 'string' || !isShape(shape)) {
    const hint =
      didYouMean(String(shape), Object.keys(KEYS)) ?? 'shapes are constant, diurnal, steps';
    if (shape === undefined) return refuse('a map here needs a "shape"', hint);
    return at(['shape'], refuse(`unknown shape ${shown(shape)}`, hint));
  }
  for (const name of entries.keys()) {
    if (name !== 'shape' && !KEYS[shape].includes(name)) {
      const hint = didYouMean(name, KEYS[shape]) ?? `it takes ${KEYS[shape].join(', ')}`;
      return at([name], refuse(`the shape ${shape} has no "${name}"`, hint));
    }
  }
  switch (shape) {
    case 'constant':
      return constantOf(entries, parseNumber);
    case 'diurnal':
      return diurnalOf(entries, parseNumber);
    case 'steps':
      return stepsOf(entries.get('steps'), parseNumber);
  }
}

function constantOf(entries: ReadonlyMap<string, unknown>, parse: ParseNumber): Parsed<Shape> {
  const value = parse(entries.get('value'));
  if (!('value' in value)) return at(['value'], value);
  return { value: { shape: 'constant', value: value.value } };
}

function diurnalOf(entries: ReadonlyMap<string, unknown>, parse: ParseNumber): Parsed<Shape> {
  const peak = parse(entries.get('peak'));
  if (!('value' in peak)) return at(['peak'], peak);
  const trough = parse(entries.get('trough'));
  if (!('value' in trough)) return at(['trough'], trough);
  if (trough.value > peak.value) {
    return at(['trough'], refuse('the trough is higher than the peak', 'swap the two'));
  }
  const peakAt = entries.has('peakAt') ? parseTimeOfDay(entries.get('peakAt')) : { value: NOON };
  if (!('value' in peakAt)) return at(['peakAt'], peakAt);
  const period = entries.has('period')
    ? parseDuration(entries.get('period'))
    : { value: MICROS_PER_DAY };
  if (!('value' in period)) return at(['period'], period);
  if (period.value === 0)
    return at(['period'], refuse('the period must be more than 0', 'write 24h'));
  return {
    value: {
      shape: 'diurnal',
      peak: peak.value,
      trough: trough.value,
      peakAt: peakAt.value,
      period: period.value,
    },
  };
}

function stepsOf(raw: unknown, parseNumber: ParseNumber): Parsed<Shape> {
  if (!Array.isArray(raw) || raw.length === 0) {
    return refuse('steps must be a list of { at, value }', 'write steps: [{ at: 0, value: ... }]');
  }
  if (raw.length > STEPS_MAX) return refuse(`more than ${STEPS_MAX} steps`);
  const steps: { at: Micros; value: number }[] = [];
  for (const [index, step] of raw.entries()) {
    const path = ['steps', index];
    if (typeof step !== 'object' || step === null || Array.isArray(step)) {
      return at(path, refuse(`expected { at, value }, found ${shown(step)}`));
    }
    const entries = new Map<string, unknown>(Object.entries(step));
    const unknown = [...entries.keys()].find((name) => name !== 'at' && name !== 'value');
    if (unknown !== undefined) {
      return at([...path, unknown], refuse(`a step has no "${unknown}"`, 'it takes at and value'));
    }
    const when = parseDuration(entries.get('at'));
    if (!('value' in when)) return at([...path, 'at'], when);
    const value = parseNumber(entries.get('value'));
    if (!('value' in value)) return at([...path, 'value'], value);
    const former = steps.at(-1);
    if (former === undefined && when.value !== 0) {
      return at([...path, 'at'], refuse('the first step must be at 0', 'write at: 0'));
    }
    if (former !== undefined && when.value <= former.at) {
      return at([...path, 'at'], refuse('steps must be in order of time'));
    }
    steps.push({ at: when.value, value: value.value });
  }
  return { value: { shape: 'steps', steps } };
}

function at(path: readonly (string | number)[], refusal: Refusal): Refusal {
  return { ...refusal, path: [...path, ...(refusal.path ?? [])] };
}

function isShape(text: string): text is Shape['shape'] {
  return Object.hasOwn(KEYS, text);
}

export function formatShape(one: Shape, formatNumber: (value: number) => string): string {
  switch (one.shape) {
    case 'constant':
      return formatNumber(one.value);
    case 'diurnal':
      return (
        `diurnal ${formatNumber(one.trough)} .. ${formatNumber(one.peak)}, ` +
        `peak at ${formatTimeOfDay(one.peakAt)}, period ${formatDuration(one.period)}`
      );
    case 'steps':
      return `steps ${one.steps
        .map((step) => `${formatDuration(step.at)}: ${formatNumber(step.value)}`)
        .join(', ')}`;
  }
}

/** Changes the values and the instants of a shape. */
export function mapShape(
  one: Shape,
  ofValue: (value: number) => number,
  ofTime: (micros: Micros) => Micros,
): Shape {
  switch (one.shape) {
    case 'constant':
      return { ...one, value: ofValue(one.value) };
    case 'diurnal':
      return {
        ...one,
        peak: ofValue(one.peak),
        trough: ofValue(one.trough),
        peakAt: ofTime(one.peakAt),
        period: ofTime(one.period),
      };
    case 'steps':
      return {
        ...one,
        steps: one.steps.map((step) => ({ at: ofTime(step.at), value: ofValue(step.value) })),
      };
  }
}
