/**
 * Style is a test: what the project has agreed on is checked here, and each check is shown a
 * piece of text that it must reject, so that none of them passes by looking at nothing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clocksAndChance, inexactMath, silentSkips } from './banned-calls.ts';
import { deadLinks, foreignWords, lockedAddresses } from './documents.ts';
import * as house from './size-and-names.ts';
import { filesMatching, modules, productFiles, root, type SourceFile } from './source-files.ts';

const timeless = [
  'policy',
  'sim',
  'model',
  'stream',
  'measure',
  'random',
  'finding',
  'topology',
] as const;
const exact = ['random', 'sim', 'policy', 'measure'] as const;

function sample(text: string, path = 'src/policy/sample.ts'): SourceFile {
  return { path, text, lines: text.split('\n') };
}

function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `  step(${index});`).join('\n');
}

describe('the project', () => {
  test('has files to look at', () => {
    expect(modules().length).toBeGreaterThan(20);
    expect(productFiles(...timeless).length).toBeGreaterThan(5);
  });

  test(`keeps files to ${house.FILE_LINES_MAX} lines`, () => {
    expect(house.tooLongFiles(modules())).toEqual([]);
  });

  test(`keeps lines to ${house.LINE_COLUMNS_MAX} columns`, () => {
    expect(house.tooLongLines(modules())).toEqual([]);
  });

  test(`keeps functions to ${house.FUNCTION_LINES_MAX} lines`, () => {
    expect(house.tooLongFunctions(modules())).toEqual([]);
  });

  test('writes file names in kebab-case', () => {
    const named = filesMatching(/^(src|test|bench|scripts|examples)\/.*\.(ts|mjs|yaml|sh)$/);
    expect(house.badNames(named)).toEqual([]);
  });

  test('exports by name, but for the configuration of tools', () => {
    const files = modules().filter(({ path }) => !path.endsWith('.config.ts'));
    expect(house.defaultExports(files)).toEqual([]);
  });

  test('opens every source file with an essay', () => {
    expect(house.withoutEssay(productFiles())).toEqual([]);
  });

  test('reads no clock and draws no chance in the shared folders', () => {
    expect(clocksAndChance(productFiles(...timeless))).toEqual([]);
  });

  test('uses only exact arithmetic where results must be byte-identical', () => {
    expect(inexactMath(productFiles(...exact))).toEqual([]);
  });

  test('skips no test but with a reason that is printed', () => {
    const tests = filesMatching(/^test\/.*\.ts$|\.(test|case)\.ts$/);
    expect(tests.length).toBeGreaterThan(50);
    expect(silentSkips(tests.filter(({ path }) => path !== 'test/support/skips.ts'))).toEqual([]);
  });

  test('has no dead relative links', () => {
    expect(deadLinks(filesMatching(/\.md$/))).toEqual([]);
  });

  test('names no package registry and no folder of somebody’s machine', () => {
    expect(foreignWords(filesMatching(/./))).toEqual([]);
  });

  test('exports each folder of src/ that has an index', () => {
    const indexes = filesMatching(/^src\/[a-z]+\/index\.ts$/).map(({ path }) => path.split('/')[1]);
    const manifest: { exports: Record<string, unknown> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const expected = Object.fromEntries(
      indexes.map((name) => [
        `./${name}`,
        { types: `./dist/${name}/index.d.ts`, default: `./dist/${name}/index.js` },
      ]),
    );
    const itself = { './package.json': './package.json' };
    expect(manifest.exports).toEqual({ ...expected, ...itself });
  });

  test('locks packages by content, not by address', () => {
    expect(lockedAddresses(readFileSync(join(root, 'package-lock.json'), 'utf8'))).toEqual([]);
  });
});

describe('each check bites', () => {
  test('long files, lines and functions', () => {
    expect(house.tooLongFiles([sample(lines(401))])).toHaveLength(1);
    expect(house.tooLongFiles([sample(lines(400))])).toEqual([]);
    expect(house.tooLongLines([sample(`// ${'x'.repeat(98)}`)])).toHaveLength(1);
    expect(house.tooLongLines([sample(`// ${'µ'.repeat(97)}`)])).toEqual([]);
    expect(house.tooLongFunctions([sample(`function f() {\n${lines(69)}\n}`)])).toHaveLength(1);
    expect(house.tooLongFunctions([sample(`function f() {\n${lines(68)}\n}`)])).toEqual([]);
    expect(house.tooLongFunctions([sample(`class A { #m() {\n${lines(69)}\n} }`)])).toHaveLength(1);
    expect(house.tooLongFunctions([sample(`const f = () => {\n${lines(69)}\n}`)])).toHaveLength(1);
    expect(house.tooLongFunctions([sample(`describe('x', () => {\n${lines(69)}\n})`)])).toEqual([]);
  });

  test.each(['camelCase.ts', 'snake_case.ts', 'Upper.test.ts', 'two--dashes.ts'])('%s', (name) => {
    expect(house.badNames([sample('', `src/policy/${name}`)])).toHaveLength(1);
  });

  test.each(['export default 1;', 'export default function f() {}', 'export { f as default };'])(
    '%s',
    (text) => {
      expect(house.defaultExports([sample(text)])).toHaveLength(1);
    },
  );

  test('a missing essay', () => {
    expect(house.withoutEssay([sample('import "x";\n/** late */')])).toHaveLength(1);
    expect(house.withoutEssay([sample('#!/usr/bin/env node\n/** in time */')])).toEqual([]);
  });

  test.each([
    'const now = Date.now();',
    'const now = new Date();',
    'const now = Date();',
    'const D = Date;',
    'performance.now();',
    'setTimeout(() => {}, 1);',
    'const later = setInterval;',
    'globalThis.setTimeout(f, 1);',
    'Math.random();',
    "Math['random']();",
    'const { random } = Math;',
    'const chance = { setTimeout };',
  ])('clock or chance: %s', (text) => {
    expect(clocksAndChance([sample(text)]).length).toBeGreaterThan(0);
  });

  test.each(['new Date(5).toISOString();', 'x.now();', '// Date.now()', 'port.setTimeout(1);'])(
    'no clock and no chance: %s',
    (text) => {
      expect(clocksAndChance([sample(text)])).toEqual([]);
    },
  );

  test.each(['Math.pow(2, x)', 'Math.exp(x)', 'x ** 2', 'x **= 2', 'const M = Math', 'Math[f](x)'])(
    'inexact: %s',
    (text) => {
      expect(inexactMath([sample(text)])).toHaveLength(1);
    },
  );

  test.each(['Math.sqrt(x)', 'Math.LN2', '// Math.pow', 'x * x'])('exact: %s', (text) => {
    expect(inexactMath([sample(text)])).toEqual([]);
  });

  test.each(['it.skip("x", f)', 'describe.skipIf(a)("x", f)', 'context.skip()', 'it.todo("x")'])(
    'silent skip: %s',
    (text) => {
      expect(silentSkips([sample(text)])).toHaveLength(1);
    },
  );

  test.each([
    '[a](missing.md)',
    '[a](../outside.md)',
    '![a](missing.svg)',
    '[a](#no-heading)',
    '[a]: missing.md',
  ])('dead link: %s', (text) => {
    expect(deadLinks([sample(text, 'sample.md')])).toHaveLength(1);
  });

  test.each(['[a](https://example.com/x)', '[a](LICENSE)', '`[a](x.md)`', '```\n[a](x)\n```'])(
    'no dead link: %s',
    (text) => {
      expect(deadLinks([sample(text, 'sample.md')])).toEqual([]);
    },
  );

  test('registry hosts, folders of this machine, addresses in the lock file', () => {
    const host = ['registry', 'npmjs', 'org'].join('.');
    expect(foreignWords([sample(`see https://${host}/x`)])).toHaveLength(1);
    expect(foreignWords([sample(`cd ${root}/src`)])).toHaveLength(1);
    expect(foreignWords([sample('see https://example.com/src/main.ts')])).toEqual([]);
    const lock = { packages: { '': {}, a: { resolved: `https://${host}/a.tgz` } } };
    expect(lockedAddresses(JSON.stringify(lock))).toEqual(['a']);
  });
});
