/**
 * What benchmarks share: running the built command line, medians, the machine's description,
 * and their section of RESULTS.md, which nobody else writes.
 *
 * Run one at a time on an otherwise quiet machine: `node bench/<name>.mjs`.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const MAIN = fileURLToPath(new URL('../dist/bin/main.js', import.meta.url));
const RESULTS = fileURLToPath(new URL('./RESULTS.md', import.meta.url));
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs `waterhammer run ARGS --json` and returns its summary. */
export function run(args) {
  return new Promise((resolve, reject) => {
    const all = [MAIN, 'run', ...args, '--json'];
    const options = { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, all, options, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${args.join(' ')}: ${stderr.slice(-2_000)}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

export function median(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** `--rounds N --seconds S ...`: numbers by name, with these defaults. */
export function options(defaults) {
  const settings = Object.keys(defaults).map((name) => [name, { type: 'string' }]);
  const { values } = parseArgs({ options: Object.fromEntries(settings) });
  return Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [name, Number(values[name] ?? value)]),
  );
}

/** `median (min .. max)` */
export function spread(values, digits = 1) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)} .. ${high.toFixed(digits)})`;
}

/** A Markdown table. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function machine() {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return (
    `${cpus().length} x ${cpu.model.trim()}, ${memory} GiB, Linux ${release()}, Node ` +
    `${process.version}`
  );
}

/** Prints a section and replaces it in RESULTS.md. */
export function report(name, text) {
  const date = new Date().toISOString().slice(0, 10);
  const section = `## ${name}\n\n${date}, ${machine()}\n\n${text.trim()}\n`;
  process.stdout.write(`${section}\n`);
  const before = readResults();
  const parts = before.split(/^(?=## )/m);
  const [title, ...sections] = parts;
  const others = sections.filter((one) => !one.startsWith(`## ${name}\n`));
  const all = [...others, section].sort((x, y) => (x < y ? -1 : 1));
  writeFileSync(RESULTS, `${[title.trim(), ...all.map((one) => one.trim())].join('\n\n')}\n`);
}

function readResults() {
  try {
    return readFileSync(RESULTS, 'utf8');
  } catch {
    return (
      '# Results of the benchmarks\n\nWritten by the programs in this folder, each its ' +
      'own section.\n'
    );
  }
}
