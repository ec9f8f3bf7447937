/**
 * A parameter as the search sees it: a coordinate from 0 to 1. Values of a list share it in equal
 * parts; what lies between two ends is spaced evenly, or by its logarithm.
 */
import { exp, ln } from '../random/elementary.ts';
import { formatDuration } from '../topology/index.ts';
import { parseDuration } from '../topology/units.ts';
import type { Parameter, Range } from './targets.ts';

const BELOW_ONE = 1 - 2 ** -30;

/** The value at a coordinate, as a document has it. */
export function valueAt(range: Range, coordinate: number): string {
  const place = Math.min(Math.max(coordinate, 0), BELOW_ONE);
  if (range.kind === 'values') {
    return range.values[Math.floor(place * range.values.length)] ?? '';
  }
  const { low, high, spacing, unit } = range;
  if (unit === 'whole' && spacing === 'linear') {
    return String(Math.floor(low + place * (high - low + 1)));
  }
  const value = spacing === 'log' ? low * exp(place * ln(high / low)) : low + place * (high - low);
  if (unit === 'whole') return String(Math.round(value));
  const rounded = Number(value.toPrecision(3));
  return unit === 'duration'
    ? formatDuration(Math.max(1_000, milliseconds(rounded)))
    : String(rounded);
}

/** The coordinate of a value, written as a document has it; null = it is none of the range. */
export function placeOf(range: Range, text: string): number | null {
  if (range.kind === 'values') {
    const index = range.values.indexOf(text);
    return index < 0 ? null : (index + 0.5) / range.values.length;
  }
  const { low, high, spacing, unit } = range;
  const parsed = unit === 'duration' ? parseDuration(text) : { value: Number(text) };
  if (!('value' in parsed) || !(parsed.value >= low && parsed.value <= high)) return null;
  const { value } = parsed;
  if (spacing === 'log') return ln(value / low) / ln(high / low);
  // The middle of what a whole number has of the range.
  return unit === 'whole' ? (value - low + 0.5) / (high - low + 1) : (value - low) / (high - low);
}

/** `path=value` of every parameter at a point. */
export function settingsAt(parameters: readonly Parameter[], point: readonly number[]): string[] {
  return parameters.map(({ path, range }, index) => `${path}=${valueAt(range, point[index] ?? 0)}`);
}

/** Coordinates that show the whole range of a parameter, at most so many. */
export function stepsOf(range: Range, most: number): number[] {
  const count = range.kind === 'values' ? range.values.length : most;
  return Array.from({ length: count }, (_, step) => (step + 0.5) / count);
}

function milliseconds(micros: number): number {
  return Math.round(micros / 1_000) * 1_000;
}
