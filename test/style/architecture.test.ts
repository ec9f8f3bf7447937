/**
 * The rules of .dependency-cruiser.cjs bite. A small tree that breaks every rule once is written
 * to a temporary folder and cruised with the project's own configuration: each rule must report
 * its own import. A second tree holds what is allowed, and must pass. A rule without a
 * case here fails the first test.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import { root } from './source-files.ts';

interface Configuration {
  readonly forbidden: readonly { readonly name: string }[];
}

const configuration: Configuration = createRequire(import.meta.url)(
  join(root, '.dependency-cruiser.cjs'),
);

/** File by file, what it imports. An entry `type:` imports only types. */
type Tree = Readonly<Record<string, readonly string[]>>;

/** What each rule must catch: `rule: from -> to`. */
const offences: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['direction-model', 'src/model/a.ts', 'src/stream/target.ts'],
  ['direction-topology', 'src/topology/a.ts', 'src/policy/target.ts'],
  ['direction-policy', 'src/policy/a.ts', 'src/random/target.ts'],
  ['direction-random', 'src/random/a.ts', 'src/stream/target.ts'],
  ['direction-stream', 'src/stream/a.ts', 'src/measure/target.ts'],
  ['direction-recording', 'src/recording/a.ts', 'src/measure/target.ts'],
  ['direction-measure', 'src/measure/a.ts', 'src/recording/target.ts'],
  ['direction-compare', 'src/compare/a.ts', 'src/recording/target.ts'],
  ['direction-theory', 'src/theory/a.ts', 'src/measure/target.ts'],
  ['direction-explain', 'src/explain/a.ts', 'src/sim/target.ts'],
  ['direction-calibrate', 'src/calibrate/a.ts', 'src/live/target.ts'],
  ['direction-finding', 'src/finding/a.ts', 'src/topology/target.ts'],
  ['direction-sim', 'src/sim/a.ts', 'src/live/target.ts'],
  ['direction-live', 'src/live/a.ts', 'src/sim/target.ts'],
  ['direction-diagnose', 'src/diagnose/a.ts', 'src/live/target.ts'],
  ['direction-sweep', 'src/sweep/a.ts', 'src/report/target.ts'],
  ['direction-report', 'src/report/a.ts', 'src/live/target.ts'],
  ['direction-serve', 'src/serve/a.ts', 'src/cli/target.ts'],
  ['recording-needs-only-the-types-of-rows', 'src/recording/b.ts', 'src/measure/rows.ts'],
  ['known-folders', 'src/cli/a.ts', 'src/newcomer/target.ts'],
  ['portable-folders-use-no-node-api', 'src/policy/b.ts', 'node:fs'],
  ['portable-folders-use-no-package', 'src/measure/b.ts', 'tool'],
  ['users-get-no-development-tools', 'src/live/b.ts', 'dev-tool'],
  ['product-does-not-know-its-tests', 'src/live/c.ts', 'test/support/target.ts'],
  ['no-cycles', 'src/live/d.ts', 'src/live/e.ts'],
  ['no-orphans', 'src/live/orphan.ts', ''],
  ['everything-resolves', 'src/live/f.ts', 'src/live/missing.ts'],
];

/** Imports that look similar and are allowed. */
const allowed: Tree = {
  'src/model/target.ts': [],
  'src/model/a.test.ts': ['src/live/a.ts', 'node:fs', 'dev-tool'],
  'src/stream/target.ts': ['src/model/target.ts'],
  'src/measure/rows.ts': ['src/stream/target.ts'],
  'src/recording/a.ts': ['type:src/measure/rows.ts', 'src/stream/target.ts', 'node:fs'],
  'src/live/a.ts': ['src/recording/a.ts', 'node:net', 'tool'],
  'src/cli/main.ts': [],
  'test/e2e/a.test.ts': ['src/live/a.ts', 'src/cli/main.ts', 'dev-tool'],
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function treeOfOffences(): Tree {
  const tree: Record<string, string[]> = {};
  for (const [, from, to] of offences) {
    tree[from] = to === '' ? [] : [...(tree[from] ?? []), to];
    if (to.endsWith('target.ts') || to.endsWith('rows.ts')) {
      tree[to] ??= [];
    }
  }
  // The way back, which makes a cycle of `no-cycles`; it is reported once.
  tree['src/live/e.ts'] = ['src/live/d.ts'];
  return tree;
}

function writeTree(tree: Tree): string {
  const folder = mkdtempSync(join(tmpdir(), 'waterhammer-architecture-'));
  folders.push(folder);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const manifest = { dependencies: { tool: '1.0.0' }, devDependencies: { 'dev-tool': '1.0.0' } };
  write('package.json', JSON.stringify({ type: 'module', ...manifest }));
  write('tsconfig.json', '{ "compilerOptions": { "module": "nodenext" } }');
  for (const name of ['tool', 'dev-tool']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  for (const [path, imports] of Object.entries(tree)) {
    write(path, `${imports.map((target) => importOf(path, target)).join('\n')}\nexport {};\n`);
  }
  return folder;
}

function importOf(from: string, target: string): string {
  const [, type, path = ''] = /^(type:)?(.*)$/.exec(target) ?? [];
  const up = '../'.repeat(from.split('/').length - 1);
  const specifier = path.includes('/') ? `${up}${path}` : path;
  return type ? `import type { T } from '${specifier}';` : `import '${specifier}';`;
}

function check(folder: string, ...options: string[]) {
  const script = join(root, 'scripts', 'architecture.mjs');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--root', folder, ...options],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return { status, lines: stdout.trim().split('\n') };
}

describe('architecture rules', () => {
  test('each rule has a case', () => {
    const cases = new Set(offences.map(([rule]) => rule));
    expect([...cases].sort()).toEqual(configuration.forbidden.map(({ name }) => name).sort());
  });

  test('each folder of src/ has a rule', () => {
    const ruled = configuration.forbidden.map(({ name }) => name);
    const present = readdirSync(join(root, 'src')).filter((name) => name !== 'cli');
    expect(present.filter((name) => !ruled.includes(`direction-${name}`))).toEqual([]);
  });

  test('each rule reports its offence', () => {
    const { status, lines } = check(writeTree(treeOfOffences()));
    expect(status).toBe(1);
    for (const [rule, from, to] of offences) {
      const found = lines.filter((line) => line.startsWith(`${rule}: ${from}`)).join('\n');
      expect(found, rule).toContain(
        to.replace('node:', '').replace(/^src\/live\/missing/, 'missing'),
      );
    }
  });

  test('what is allowed passes', () => {
    const { status, lines } = check(writeTree(allowed));
    expect(lines.slice(0, -1)).toEqual([]);
    expect(status).toBe(0);
  });

  test('a file not read is a failure, and so is reading nothing', () => {
    const folder = writeTree(allowed);
    const careless = join(folder, 'careless.cjs');
    writeFileSync(careless, "module.exports = { options: { exclude: { path: '^src/model' } } };");
    const { status, lines } = check(folder, '--config', careless);
    expect(status).toBe(1);
    expect(lines).toContain('not-read: src/model/target.ts');
    const nothing = mkdtempSync(join(folder, 'empty-'));
    mkdirSync(join(nothing, 'src'));
    expect(check(nothing, '--config', careless).status).toBe(1);
  });
});

test('portable folders are compiled without the globals of Node', () => {
  const file = join(root, 'tsconfig.portable.json');
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
  const folder = writeTree({});
  const sample = join(folder, 'sample.ts');
  const globals = ['process', 'Buffer', 'setTimeout', 'performance', 'console', 'fetch', 'window'];
  writeFileSync(sample, globals.map((name) => `export const ${name}1 = ${name};`).join('\n'));
  const program = ts.createProgram([sample], options);
  const unknown = program.getSemanticDiagnostics().map(({ messageText }) => String(messageText));
  for (const name of globals) {
    expect(unknown.join('\n')).toContain(`'${name}'`);
  }
});
