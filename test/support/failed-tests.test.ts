/** The list of failed tests that `npm test` shows first, from a real report of vitest. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { projectRoot } from './run-cli.ts';
import { tempFolder } from './temp-folder.ts';

const FAILING = `
describe('books', () => {
  it('passes', () => {});
  it('balance', () => {
    expect('opened').toBe('closed');
  });
});
`;

function node(args: readonly string[], folder: string): string {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, VITEST: undefined };
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env }).stdout;
}

test('says file, name, message and place of each failed test, and files that do not load', () => {
  using folder = tempFolder();
  writeFileSync(join(folder.path, 'books.test.mjs'), FAILING);
  writeFileSync(join(folder.path, 'broken.test.mjs'), 'import "./nowhere.mjs";\n');
  const report = join(folder.path, 'report.json');
  const vitest = join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['--globals', '--reporter=json', `--outputFile=${report}`];
  node([vitest, 'run', '--root', folder.path, ...options], folder.path);

  const module = pathToFileURL(join(projectRoot, 'scripts', 'failed-tests.mjs')).href;
  const script = `
    import { compactList, failedTests } from ${JSON.stringify(module)};
    const [report, root] = process.argv.slice(1);
    console.log(compactList(failedTests(report, root)));
  `;
  const args = ['--input-type=module', '-e', script, report, folder.path];
  const lines = node(args, folder.path).split('\n');
  const at = lines.indexOf('  x books.test.mjs > books > balance');
  expect(lines[at + 1]).toContain("expected 'opened' to be 'closed'");
  expect(lines.slice(at + 2, at + 6)).toEqual([
    '      at books.test.mjs:5',
    "        4 |   it('balance', () => {",
    "      > 5 |     expect('opened').toBe('closed');",
    '        6 |   });',
  ]);
  const broken = lines.indexOf('  x broken.test.mjs');
  expect(lines[broken + 1]).toContain('nowhere.mjs');
  expect(lines.join('\n')).not.toContain('passes');
});
