import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Distribution } from '../model/topology.ts';
import { formatDistribution, parseDistribution } from './distribution.ts';
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
} from './units.ts';

const SECOND = 1_000_000;
const TEN_YEARS = 3_650 * 86_400 * SECOND;

function value<T>(parsed: Parsed<T>): T {
  if ('value' in parsed) return parsed.value;
  throw new Error(parsed.message);
}

function refusal(parsed: Parsed<unknown>): { message: string; suggestion: string | null } {
  if (!('value' in parsed)) return parsed;
  throw new Error(`accepted as ${JSON.stringify(parsed.value)}`);
}

describe('durations', () => {
  it.each([
    ['75s', 75 * SECOND],
    ['5ms', 5_000],
    ['350us', 350],
    ['350µs', 350],
    ['350μs', 350],
    ['1h30m', 5_400 * SECOND],
    ['1d', 86_400 * SECOND],
    ['1d2h3m4s5ms6us', 93_784_005_006],
    ['1.5s', 1_500_000],
    ['0.1ms', 100],
    ['1m0.5s', 60_500_000],
    ['0', 0],
    [0, 0],
    ['0s', 0],
    // 1.1 x 1000000 is 1100000.0000000001 in floating point.
    ['1.1s', 1_100_000],
    ['2.000001s', 2_000_001],
  ])('%s', (text, micros) => {
    expect(value(parseDuration(text))).toBe(micros);
  });

  it.each([
    '',
    ' ',
    's',
    '5 s',
    '5S',
    '-5s',
    '5s5s',
    '5ms1s',
    '1.5h30m',
    '1.s',
    '.5s',
    '1e3s',
    '5sec',
    '0.5us',
    '1.0000001s',
    '99999d',
    '1'.repeat(40),
    `${'1'.repeat(40)}s`,
    null,
    undefined,
    true,
    [],
    {},
    Number.NaN,
    -1,
  ])('refuses %j', (text) => {
    expect(refusal(parseDuration(text)).message).not.toBe('');
  });

  it.each(['99999999999999999999d', `${'1'.repeat(40)}s`, '99999d'])('%s is too long', (text) => {
    expect(refusal(parseDuration(text)).message).toContain('longer than ten years');
  });

  it('what is no number at all has no reading', () => {
    expect(refusal(parseDuration(Number.NaN)).message).toBe('expected a duration, found NaN');
  });

  it('a bare number is refused with both readings', () => {
    for (const raw of [75, '75']) {
      const { message, suggestion } = refusal(parseDuration(raw));
      expect(message).toBe('the duration 75 has no unit');
      expect(suggestion).toBe('write 75s or 75ms');
    }
  });

  it('are read back as printed, to the microsecond', () => {
    const micros = fc.oneof(
      fc.integer({ min: 0, max: TEN_YEARS }),
      fc.integer({ min: 0, max: 5_000_000 }),
      fc.integer({ min: 0, max: 100_000 }).map((seconds) => seconds * SECOND),
    );
    fc.assert(fc.property(micros, (one) => value(parseDuration(formatDuration(one))) === one));
  });

  it('are printed as people write them', () => {
    const printed = [0, 1, 999, 1_500, 5_000, 1_500_000, 75e6, 90e6, 300e6, 5_400e6, 3_600e6];
    expect(printed.map(formatDuration)).toEqual([
      ...['0', '1us', '999us', '1.5ms', '5ms', '1.5s', '75s', '90s', '5m', '90m', '1h'],
    ]);
  });
});

describe('rates', () => {
  it.each([
    ['4000/s', 4_000],
    ['180/min', 3],
    ['0.5/s', 0.5],
    ['3600/h', 1],
    ['1e-7/s', 1e-7],
    [0, 0],
  ])('%s', (text, perSecond) => {
    expect(value(parseRate(text))).toBe(perSecond);
  });

  it.each([
    [200, 'write 200/s or 200/min'],
    ['200', 'write 200/s or 200/min'],
    ['200rps', 'write 200/s'],
    ['200 rps', 'write 200/s'],
    ['200/sec', 'write 200/s'],
    ['200/minute', 'write 200/min'],
    ['-3/s', 'write a rate such as 4000/s or 180/min'],
    ['1e99/s', null],
    ['Infinity/s', 'write a rate such as 4000/s or 180/min'],
  ])('refuses %j with a suggestion', (text, suggestion) => {
    expect(refusal(parseRate(text)).suggestion).toBe(suggestion);
  });

  it('are read back as printed', () => {
    const rate = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(fc.property(rate, (one) => Object.is(value(parseRate(formatRate(one))), one + 0)));
  });
});

describe('sizes', () => {
  it.each([
    ['64KiB', 65_536],
    ['1MB', 1_000_000],
    ['1kB', 1_000],
    ['256B', 256],
    ['1.5KiB', 1_536],
    [0, 0],
  ])('%s', (text, bytes) => {
    expect(value(parseSize(text))).toBe(bytes);
  });

  it.each([
    [256, 'write 256B or 256KiB'],
    ['64kib', 'write 64KiB'],
    ['64k', 'write 64kB'],
    ['1mb', 'write 1MB'],
    ['1.0001KiB', 'write a size such as 256B, 64KiB or 1MB'],
    ['1constructor', 'write a size such as 256B, 64KiB or 1MB'],
  ])('refuses %j with a suggestion', (text, suggestion) => {
    expect(refusal(parseSize(text)).suggestion).toBe(suggestion);
  });

  it('are read back as printed', () => {
    const bytes = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(fc.property(bytes, (one) => value(parseSize(formatSize(one))) === one));
  });
});

describe('times of day', () => {
  it.each([
    ['12:00', 43_200 * SECOND],
    ['8:05', 29_100 * SECOND],
    ['23:59:59', 86_399 * SECOND],
  ])('%s', (text, micros) => {
    expect(value(parseTimeOfDay(text))).toBe(micros);
  });

  it.each(['24:00', '12:60', '12', 720, '12:00:60', 'noon', null])('refuses %j', (text) => {
    expect(refusal(parseTimeOfDay(text)).suggestion).toContain('12:00');
  });

  it('are read back as printed', () => {
    const seconds = fc.integer({ min: 0, max: 86_399 });
    fc.assert(
      fc.property(seconds, (one) => {
        expect(value(parseTimeOfDay(formatTimeOfDay(one * SECOND)))).toBe(one * SECOND);
      }),
    );
  });
});

describe('distributions', () => {
  it.each<[unknown, Distribution]>([
    ['10ms', { kind: 'constant', value: 10_000 }],
    [0, { kind: 'constant', value: 0 }],
    ['exponential(10ms)', { kind: 'exponential', mean: 10_000 }],
    ['exponential(mean 10ms)', { kind: 'exponential', mean: 10_000 }],
    ['uniform(5ms, 20ms)', { kind: 'uniform', min: 5_000, max: 20_000 }],
    ['lognormal(median 10ms, p99 80ms)', { kind: 'lognormal', median: 10_000, p99: 80_000 }],
    ['lognormal(p99 80ms, median 10ms)', { kind: 'lognormal', median: 10_000, p99: 80_000 }],
    [
      { kind: 'uniform', min: 0, max: '1s' },
      { kind: 'uniform', min: 0, max: SECOND },
    ],
  ])('%j', (text, expected) => {
    expect(value(parseDistribution(text))).toEqual(expected);
  });

  it.each([
    ['exponental(10ms)', 'did you mean "exponential"?'],
    [10, 'write 10s or 10ms'],
    ['uniform(20ms, 5ms)', 'swap the two'],
    ['lognormal(median 80ms, p99 10ms)', 'swap the two'],
    ['exponential(10)', 'write 10s or 10ms'],
    ['uniform(2ms', 'put it in quotes: within { } a comma ends the value'],
  ])('refuses %j with a suggestion', (text, suggestion) => {
    expect(refusal(parseDistribution(text)).suggestion).toBe(suggestion);
  });

  it.each([
    'exponential(',
    'exponential()',
    'exponential(1ms, 2ms)',
    'uniform(1ms)',
    'uniform(min 1ms, min 2ms)',
    'lognormal(median 0, p99 1s)',
    'constructor(1ms)',
    { kind: 'uniform', min: '1s' },
    { kind: 'uniform', min: '1s', max: '2s', mean: '1s' },
    { mean: '1s' },
    [],
    null,
  ])('refuses %j', (text) => {
    expect(refusal(parseDistribution(text)).message).not.toBe('');
  });

  it('are read back as printed', () => {
    const micros = fc.integer({ min: 1, max: TEN_YEARS });
    const pair = fc.tuple(micros, micros).map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
    const any = fc.oneof(
      micros.map((mean): Distribution => ({ kind: 'exponential', mean })),
      micros.map((one): Distribution => ({ kind: 'constant', value: one })),
      pair.map(([min = 0, max = 0]): Distribution => ({ kind: 'uniform', min, max })),
      pair.map(([median = 0, p99 = 0]): Distribution => ({ kind: 'lognormal', median, p99 })),
    );
    fc.assert(
      fc.property(any, (one) => {
        expect(value(parseDistribution(formatDistribution(one)))).toEqual(one);
      }),
    );
  });
});
