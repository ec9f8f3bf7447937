/**
 * Units as documents write them: durations, rates, sizes and times of day.
 *
 *   duration     75s  5ms  350us  1h30m  1.5s  0       -> µs, integer-valued
 *   rate         4000/s  180/min  0.5/h  0             -> events per second
 *   size         256B  64KiB  1MB  0                   -> bytes, integer-valued
 *   time of day  12:00  08:30:15                       -> µs after midnight
 *
 * The parser is strict and the project's own: common packages accept what they do not
 * understand (one reads `64KiB` as 64). A bare number is refused, with the two readings that
 * were probably meant; only 0 needs no unit. Fractions are taken by their digits, not through
 * floating point, so that what `format…` prints is read back as exactly the same number.
 */
import {
  type Bytes,
  MICROS_PER_DAY,
  MICROS_PER_MILLISECOND,
  MICROS_PER_SECOND,
  type Micros,
  type PerSecond,
} from '../model/units.ts';

/** A value, or why there is none and what to write instead. */
export type Parsed<T> = { readonly value: T } | Refusal;

/** `path` leads from the value to the wrong part of it, for values that have parts. */
export interface Refusal {
  readonly message: string;
  readonly suggestion: string | null;
  readonly path?: readonly (string | number)[];
}

export function refuse(message: string, suggestion: string | null = null): Refusal {
  return { message, suggestion };
}

/** What a value is, in the words of a YAML document, for messages. */
export function shown(raw: unknown): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (Array.isArray(raw)) return 'a list';
  if (typeof raw === 'object') return 'a map';
  const text = typeof raw === 'string' ? JSON.stringify(raw) : String(raw);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

const MINUTE = 60 * MICROS_PER_SECOND;
const HOUR = 60 * MINUTE;

/** Largest first: a duration names its parts in this order. */
const DURATION_UNITS: readonly (readonly [string, Micros])[] = [
  ['d', MICROS_PER_DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', MICROS_PER_SECOND],
  ['ms', MICROS_PER_MILLISECOND],
  ['us', 1],
];
const DURATION_MAX = 3_650 * MICROS_PER_DAY;
/** Ten years are 3e14 of the smallest unit. */
const DURATION_DIGITS_MAX = 16;
const DURATION_HINT = 'write a duration such as 75s, 5ms, 350us or 1h30m';

/** Parses a duration. Zero or more, at most ten years, whole microseconds. */
export function parseDuration(raw: unknown): Parsed<Micros> {
  if (raw === 0 || raw === '0') return { value: 0 };
  if (isBareNumber(raw)) {
    const digits = String(raw).trim();
    return refuse(`the duration ${digits} has no unit`, `write ${digits}s or ${digits}ms`);
  }
  if (typeof raw !== 'string')
    return refuse(`expected a duration, found ${shown(raw)}`, DURATION_HINT);
  const bad = refuse(`${shown(raw)} is not a duration`, DURATION_HINT);
  const part = /(\d+)(?:\.(\d+))?(d|h|ms|m|us|µs|μs|s)/y;
  let total = 0;
  let next = 0;
  while (part.lastIndex < raw.length) {
    const found = part.exec(raw);
    if (found === null) return bad;
    const unit = found[3]?.replace(/^[µμ]/, 'u');
    const index = DURATION_UNITS.findIndex(([name]) => name === unit);
    // Each unit once, from large to small, and a fraction only in the last part.
    if (index < next || (found[2] !== undefined && part.lastIndex < raw.length)) return bad;
    if ((found[1] ?? '').length > DURATION_DIGITS_MAX) return tooLong(raw);
    const micros = timesUnit(found[1] ?? '', found[2] ?? '', DURATION_UNITS[index]?.[1] ?? 1);
    if (micros === null) return refuse(`${shown(raw)} is finer than a microsecond`, DURATION_HINT);
    total += micros;
    next = index + 1;
  }
  if (raw === '') return bad;
  return total > DURATION_MAX ? tooLong(raw) : { value: total };
}

function tooLong(raw: string): Refusal {
  return refuse(`${shown(raw)} is longer than ten years`);
}

/** `digits.fraction` x unit, by digits; null when the result is not a whole number. */
function timesUnit(digits: string, fraction: string, unit: number): number | null {
  if (digits.length > 16 || fraction.length > 15) return null;
  const scale = 10 ** fraction.length;
  const part = BigInt(fraction === '' ? 0 : fraction) * BigInt(unit);
  if (part % BigInt(scale) !== 0n) return null;
  return Number(BigInt(digits) * BigInt(unit) + part / BigInt(scale));
}

/** Prints a duration so that `parseDuration` gives back the same number. */
export function formatDuration(micros: Micros): string {
  if (!Number.isFinite(micros)) return 'never';
  if (micros < 0) return `-${formatDuration(-micros)}`;
  if (micros === 0) return '0';
  if (!Number.isInteger(micros)) return `${micros}us`;
  for (const [name, unit] of DURATION_UNITS.slice(1)) {
    if (micros % unit === 0 && micros >= unit) {
      const amount = micros / unit;
      // 1500ms reads worse than 1.5s, and 3600000us worse than 3.6s.
      if (amount < 1_000 || name === 'h' || name === 'm' || name === 's') return `${amount}${name}`;
      break;
    }
  }
  return micros >= MICROS_PER_SECOND ? withFraction(micros, 6, 's') : withFraction(micros, 3, 'ms');
}

/** Integer / 10^places as decimal digits, by text, so that nothing is rounded. */
function withFraction(value: number, places: number, unit: string): string {
  const digits = String(value).padStart(places + 1, '0');
  const whole = digits.slice(0, -places);
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`}${unit}`;
}

const RATE_UNITS: Readonly<Record<string, number>> = { s: 1, sec: 1, min: 60, m: 60, h: 3_600 };
const RATE_MAX = 1e9;
const RATE_HINT = 'write a rate such as 4000/s or 180/min';

/** Parses a rate. Zero or more, at most 10^9 per second. */
export function parseRate(raw: unknown): Parsed<PerSecond> {
  if (raw === 0 || raw === '0') return { value: 0 };
  if (isBareNumber(raw)) {
    const digits = String(raw).trim();
    return refuse(`the rate ${digits} has no unit`, `write ${digits}/s or ${digits}/min`);
  }
  if (typeof raw !== 'string') return refuse(`expected a rate, found ${shown(raw)}`, RATE_HINT);
  const found = /^(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\/(s|min|h)$/.exec(raw);
  if (found === null) return refuse(`${shown(raw)} is not a rate`, rateHint(raw));
  const value = Number(found[1]) / (RATE_UNITS[found[2] ?? 's'] ?? 1);
  if (!(value <= RATE_MAX)) return refuse(`${shown(raw)} is more than 10^9 per second`);
  return { value };
}

function rateHint(raw: string): string {
  const found = /^(\d+(?:\.\d+)?) *(rps|\/ *sec|\/ *second|\/ *minute|\/ *m|rpm|qps)$/i.exec(raw);
  if (found === null) return RATE_HINT;
  return `write ${found[1]}/${/m/i.test(found[2] ?? '') ? 'min' : 's'}`;
}

/** Prints a rate so that `parseRate` gives back the same number. */
export function formatRate(perSecond: PerSecond): string {
  return perSecond === 0 ? '0' : `${perSecond}/s`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};
const SIZE_HINT = 'write a size such as 256B, 64KiB or 1MB';

/** Parses a size. KiB, MiB, GiB are powers of 1024; kB, MB, GB powers of 1000. */
export function parseSize(raw: unknown): Parsed<Bytes> {
  if (raw === 0 || raw === '0') return { value: 0 };
  if (isBareNumber(raw)) {
    const digits = String(raw).trim();
    return refuse(`the size ${digits} has no unit`, `write ${digits}B or ${digits}KiB`);
  }
  if (typeof raw !== 'string') return refuse(`expected a size, found ${shown(raw)}`, SIZE_HINT);
  const found = /^(\d+)(?:\.(\d+))?([A-Za-z]+)$/.exec(raw);
  const unit = found === null ? undefined : own(SIZE_UNITS, found[3] ?? '');
  if (found === null || unit === undefined) {
    return refuse(`${shown(raw)} is not a size`, sizeHint(found?.[1], found?.[3]));
  }
  const value = timesUnit(found[1] ?? '', found[2] ?? '', unit);
  if (value === null || value > Number.MAX_SAFE_INTEGER) {
    return refuse(`${shown(raw)} is not a whole number of bytes below 2^53`, SIZE_HINT);
  }
  return { value };
}

function sizeHint(digits: string | undefined, unit: string | undefined): string {
  const meant = Object.keys(SIZE_UNITS).find(
    (name) =>
      name.toLowerCase() === unit?.toLowerCase() || name[0]?.toLowerCase() === unit?.toLowerCase(),
  );
  return meant === undefined ? SIZE_HINT : `write ${digits}${meant}`;
}

/** Prints a size so that `parseSize` gives back the same number. */
export function formatSize(bytes: Bytes): string {
  if (bytes === 0) return '0';
  for (const unit of ['GiB', 'MiB', 'KiB', 'GB', 'MB', 'kB']) {
    const size = SIZE_UNITS[unit] ?? 1;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}

/** Parses a time of day, `HH:MM` or `HH:MM:SS`, to µs after midnight. */
export function parseTimeOfDay(raw: unknown): Parsed<Micros> {
  const hint = 'write a time of day such as 12:00 or 08:30:15';
  const found = typeof raw === 'string' ? /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(raw) : null;
  if (found === null) return refuse(`expected a time of day, found ${shown(raw)}`, hint);
  const [hours, minutes, seconds] = [found[1], found[2], found[3] ?? 0].map(Number);
  if (hours === undefined || minutes === undefined || seconds === undefined) return refuse(hint);
  if (hours > 23 || minutes > 59 || seconds > 59) {
    return refuse(`${shown(raw)} is not a time of day`, hint);
  }
  return { value: hours * HOUR + minutes * MINUTE + seconds * MICROS_PER_SECOND };
}

/** Prints a time of day; one that was time-scaled off the clock face is printed as a duration. */
export function formatTimeOfDay(micros: Micros): string {
  if (micros % MICROS_PER_SECOND !== 0 || micros >= MICROS_PER_DAY) return formatDuration(micros);
  const seconds = micros / MICROS_PER_SECOND;
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}`;
  return seconds % 60 === 0 ? clock : `${clock}:${two(seconds % 60)}`;
}

function isBareNumber(raw: unknown): boolean {
  return Number.isFinite(raw) || (typeof raw === 'string' && /^ *[+-]?\d+(\.\d+)? *$/.test(raw));
}

/** A record's own entry, never one inherited (`constructor`). */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
