/**
 * `npm test`: every check of the project, one line each. A failed step prints at once which
 * tests failed and why, in a few lines, and does not keep the others from running; its whole
 * output follows when all steps are through, and the failed tests are named once more at the
 * end. So the first kilobytes tell what is wrong, and the last ones do.
 *
 *   npm test                          everything
 *   npm test -- --only lint,unit      some of it
 *
 * Exit codes: 0 all passed, 1 something failed, 2 a program is missing or wrong usage. With
 * WATERHAMMER_ALLOW_SKIPS=1 missing programs are no failure: the tests that need them are
 * skipped, and say so.
 *
 * Totals count every test of vitest and each other step as one. They are also written to the
 * file named by WATERHAMMER_TEST_TOTALS, for .ci/run.
 */
import './node-version.mjs';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { ensurePackages, root, SetupError } = await import('./setup.mjs');
const { runStep, stopSteps } = await import('./step-runner.mjs');
const { compactList, failedTests } = await import('./failed-tests.mjs');
const debian = await import('./debian-packages.mjs');

const bin = (name, path) => join(root, 'node_modules', name, path);
/** Cases for both engines: without a second engine there are none. */
const conformanceFolder = join(root, 'test', 'conformance');
const typescript = bin('typescript', 'bin/tsc');

/**
 * In the order of running. `projects`: of vitest, with foreign programs; they have the machine to
 * themselves, but for those of `workers` 1.
 */
const steps = [
  { name: 'program', args: ['scripts/build.mjs', 'program'] },
  { name: 'node24', projects: [], runner: 'scripts/node24.mjs', workers: 1, minutesMax: 10 },
  { name: 'package', args: ['scripts/package.mjs'] },
  { name: 'types', args: [typescript, '--noEmit'] },
  { name: 'page', args: [typescript, '-p', 'web'] },
  { name: 'portable', args: [typescript, '-p', 'tsconfig.portable.json'] },
  { name: 'architecture', args: ['scripts/architecture.mjs'] },
  { name: 'lint', args: [bin('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings'] },
  { name: 'knip', args: [bin('knip', 'bin/knip.js'), '--no-progress'] },
  { name: 'unit', projects: ['unit', 'pure'], minutesMax: 20 },
  { name: 'conformance', projects: ['conformance'], minutesMax: 20 },
  { name: 'e2e', projects: ['e2e'], minutesMax: 40 },
];

const totals = { passed: 0, failed: 0, skipped: 0 };
/** @type {{name: string, output: string, tests: {name: string, lines: string[]}[]}[]} */
const failedSteps = [];
/** Last lines of a step's output that are shown at once where no test is known to have failed. */
const outputLinesMax = 30;
const scratch = mkdtempSync(join(tmpdir(), 'waterhammer-test-'));
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    stopSteps();
  });
}

try {
  process.exitCode = await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function main() {
  const chosen = chooseSteps();
  if (chosen === null) {
    return 2;
  }
  try {
    await ensurePackages();
  } catch (error) {
    if (!(error instanceof SetupError)) {
      throw error;
    }
    process.stderr.write(`waterhammer: ${error.message}\n`);
    return 1;
  }
  if (chosen.some((step) => step.projects) && !havePrograms()) {
    return 2;
  }
  const isOfOneCore = (step) => !step.projects || step.workers === 1;
  const [first, ...others] = chosen.filter(isOfOneCore);
  if (first) await inTurn([first]);
  // These are independent once the first has built; the longest begin.
  await Promise.all([inTurn(others), inTurn(others)]);
  await inTurn(chosen.filter((step) => !isOfOneCore(step)));
  return conclude();
}

/** Takes one step after the other off the list. */
async function inTurn(left) {
  for (let step = left.shift(); step && !interrupted; step = left.shift()) {
    await perform(step);
  }
}

/** The steps to run, or null after a message. */
function chooseSteps() {
  const names = steps.map((step) => step.name);
  let only;
  try {
    only = parseArgs({ options: { only: { type: 'string' } } }).values.only?.split(',');
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    only = [];
  }
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (only?.length === 0 || unknown.length > 0) {
    process.stderr.write(`No such step: ${unknown.join(', ') || '(none)'}\n`);
    process.stderr.write(`Usage: npm test [-- --only ${names.join(',')}]\n`);
    return null;
  }
  const present = (step) => step.name !== 'conformance' || existsSync(conformanceFolder);
  return steps.filter((step) => only?.includes(step.name) ?? present(step));
}

/** Installs missing programs where that can be done; else says what to do. */
function havePrograms() {
  const missing = debian.missingPrograms();
  if (missing.length === 0) {
    return true;
  }
  const packages = [...new Set(missing.map((entry) => entry.packageName))];
  if (debian.isRootOnDebian()) {
    process.stderr.write(`waterhammer: installing ${packages.join(' ')} ...\n`);
    const trouble = debian.installPackages(packages);
    if (trouble === null && debian.missingPrograms().length === 0) {
      return true;
    }
    process.stderr.write(`${trouble ?? 'apt-get succeeded, but programs are missing'}\n`);
  }
  for (const { program, packageName } of debian.missingPrograms()) {
    process.stderr.write(`missing: ${program} (Debian package ${packageName})\n`);
  }
  process.stderr.write(`To install, as root: ${debian.installCommand(packages)}\n`);
  process.stderr.write('To test without: WATERHAMMER_ALLOW_SKIPS=1 npm test\n');
  return process.env.WATERHAMMER_ALLOW_SKIPS === '1';
}

async function perform(step) {
  const report = join(scratch, `${step.name}.json`);
  const projects = (step.projects ?? []).flatMap((name) => ['--project', name]);
  const vitest = [bin('vitest', 'vitest.mjs'), 'run', ...projects];
  const runner = step.runner ? [step.runner, `--maxWorkers=${step.workers}`] : vitest;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = step.projects ? [...runner, ...reporters] : step.args;
  const minutesMax = step.minutesMax ?? 5;
  const result = await runStep({ command: process.execPath, args, cwd: root, minutesMax });
  const counts = step.projects ? countTests(report, result) : countOne(result.ok);
  const ok = result.ok && counts.failed === 0;
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  totals.skipped += counts.skipped;
  const seconds = `${result.seconds.toFixed(1)} s`;
  const detail = step.projects ? `  ${counts.passed} passed, ${counts.failed} failed` : '';
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${step.name.padEnd(13)}${seconds.padStart(8)}`);
  process.stdout.write(`${detail}\n`);
  if (ok) {
    printSkips(result.output, counts.skipped);
    return;
  }
  const tests = step.projects ? failedTests(report, root) : [];
  failedSteps.push({ name: step.name, output: result.output, tests });
  const end = result.output.split('\n').slice(-outputLinesMax).join('\n');
  process.stdout.write(`${tests.length > 0 ? compactList(tests) : end}\n\n`);
}

/** A skip is never silent: test/support prints `skipped: REASON` for each. */
function printSkips(output, count) {
  const reasons = new Set(output.match(/^skipped: .*$/gm));
  if (count > 0 && reasons.size === 0) {
    reasons.add(`skipped: ${count} tests without a printed reason`);
  }
  for (const reason of reasons) {
    process.stdout.write(`       ${reason}\n`);
  }
}

function countOne(ok) {
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

/** A run without any test has failed, and so has one that ended badly beside its tests. */
function countTests(report, { ok, output }) {
  if (!existsSync(report)) {
    const skipped = ok && /^skipped: /m.test(output);
    return skipped ? { passed: 0, failed: 0, skipped: 1 } : countOne(false);
  }
  const result = JSON.parse(readFileSync(report, 'utf8'));
  const passed = result.numPassedTests;
  const skipped = result.numPendingTests + result.numTodoTests;
  const explained = ok && passed > 0;
  return { passed, failed: Math.max(result.numFailedTests, explained ? 0 : 1), skipped };
}

function conclude() {
  const { passed, failed, skipped } = totals;
  if (process.env.WATERHAMMER_TEST_TOTALS) {
    writeFileSync(process.env.WATERHAMMER_TEST_TOTALS, JSON.stringify(totals));
  }
  for (const { name, output } of failedSteps) {
    process.stdout.write(`\n== output of ${name}\n${output}\n`);
  }
  for (const { name, tests } of failedSteps) {
    process.stdout.write(`FAILED ${name}\n`);
    for (const test of tests) {
      process.stdout.write(`  x ${test.name}\n`);
    }
  }
  const steps = failedSteps.map((step) => step.name).join(', ');
  const names = failedSteps.length > 0 ? ` (${steps})` : '';
  const skips = skipped > 0 ? `, ${skipped} skipped` : '';
  process.stdout.write(`${passed} passed, ${failed} failed${skips}${names}\n`);
  if (interrupted) {
    return 130;
  }
  return failed === 0 && passed > 0 ? 0 : 1;
}
