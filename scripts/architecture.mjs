/**
 * Checks the direction of imports (.dependency-cruiser.cjs) and that the check took place:
 * without a TypeScript version that it knows, dependency-cruiser reads no .ts file at all, and
 * reports success. So the modules it has read are compared with the files that are there.
 *
 *   node scripts/architecture.mjs [--root FOLDER] [--config FILE]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const project = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { root: { type: 'string' }, config: { type: 'string' } },
});
const root = resolve(values.root ?? project);
const config = resolve(values.config ?? join(project, '.dependency-cruiser.cjs'));
const folders = ['src', 'test', 'bench'].filter((name) => existsSync(join(root, name)));

const cruiser = join(project, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [cruiser, '--config', config, '--output-type', 'json', ...folders],
  { cwd: root, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
);
if (stdout === '') {
  process.stderr.write(`dependency-cruiser failed (exit code ${status}):\n${stderr}\n`);
  process.exit(1);
}

const { modules, summary } = JSON.parse(stdout);
const read = new Set(modules.map((module) => module.source));
const unread = folders.flatMap(sourceFiles).filter((path) => !read.has(path));
for (const { rule, from, to } of summary.violations) {
  process.stdout.write(`${rule.name}: ${from}${to === from ? '' : ` -> ${to}`}\n`);
}
for (const path of unread) {
  process.stdout.write(`not-read: ${path}\n`);
}
process.stdout.write(`${read.size} modules, ${summary.violations.length} violations\n`);
process.exit(summary.violations.length + unread.length > 0 || read.size === 0 ? 1 : 0);

function sourceFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return sourceFiles(path);
    }
    return /\.[cm]?ts$/.test(entry.name) ? [path] : [];
  });
}
