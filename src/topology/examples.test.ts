import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTopology } from './parse.ts';
import { formatProblems } from './problem.ts';
import { AS_WRITTEN, problemsOf } from './test-support.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

describe('examples', () => {
  // What lies in calibration/ is no topology, but what is known of one (src/calibrate).
  const files = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.yaml') && !file.startsWith('calibration'),
  );

  it('there are some', () => {
    expect(files.length).toBeGreaterThan(5);
  });

  it.each(files)('%s is right, opens with a comment, and scales', (file) => {
    const text = readFileSync(join(EXAMPLES, file), 'utf8');
    expect(text).toMatch(/^# /);
    const whole = parseTopology(text, file, AS_WRITTEN);
    expect('problems' in whole ? formatProblems(whole.problems) : whole.warnings).toEqual([]);
    const small = parseTopology(text, file, { set: [], scale: 0.1, timeScale: 0.1 });
    expect('topology' in small).toBe(true);
  });

  it('mangled, they never make the parser throw', () => {
    const texts = files.map((file) => readFileSync(join(EXAMPLES, file), 'utf8'));
    const junk = fc.constantFrom(
      ...[
        '',
        ':',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '*a',
        '&a ',
        '\t',
        '\n',
        '"',
        '#',
        '|',
        '? ',
        '!!',
        '0',
        '-1',
        'null',
        '<<: ',
      ],
      ...['__proto__', 'constructor', 'hops', 'kind: ', 'clients', '\u0000', '\ud800', '%', 'é'],
    );
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(40),
      junk,
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
    const set = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('queue.a.b=1', 'hops.0=1', 'app.pool=[]')),
      { maxLength: 2 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), edits, set, (text, changes, overrides) => {
        let mangled = text;
        for (const { at, cut, junk: inserted } of changes) {
          const start = Math.floor(at * mangled.length);
          mangled = mangled.slice(0, start) + inserted + mangled.slice(start + cut);
        }
        const parsed = parseTopology(mangled, 'x', { set: overrides, scale: 1, timeScale: 1 });
        if (!('problems' in parsed)) return;
        const lines = mangled.split(/\r\n|\n|\r/);
        expect(parsed.problems.length).toBeGreaterThan(0);
        for (const one of parsed.problems) {
          if (one.file !== 'x') continue;
          expect(one.lineText).toBe(lines[one.line - 1]);
          expect(one.column).toBeGreaterThan(0);
        }
        formatProblems(parsed.problems);
      }),
      { numRuns: 150 },
    );
  });

  it('nor do arbitrary values', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.string(), (json, text) => {
        for (const one of [JSON.stringify(json), JSON.stringify({ hops: [json] }), text]) {
          expect('problems' in parseTopology(one, 'x', AS_WRITTEN)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('nor does nesting without end, or aliases that multiply', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 8 }, (_, i) => {
      const from = String.fromCharCode(97 + i);
      const to = String.fromCharCode(98 + i);
      return `${to}: &${to} [${Array(9).fill(`*${from}`).join(',')}]`;
    }).join('\n')}\nhops: *i\n`;
    for (const text of [
      '['.repeat(20_000),
      '{a: '.repeat(20_000),
      bomb,
      'hops: &a [*a]',
      'x'.repeat(2 ** 21),
    ]) {
      expect(problemsOf(text).length).toBeGreaterThan(0);
    }
  });
});
