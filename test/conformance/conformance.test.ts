/**
 * One list of cases, two engines. The cases run live several times and are simulated; what the
 * live runs differ by among themselves (A/A) is the bound for how far the simulation may be from
 * them. Nothing is chosen: a bound is the largest divergence of two live runs. All figures are
 * printed, with divergence and bound of each measure.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { allCases, CASES } from './cases.ts';

/** Runs of each engine, with a seed each: of five, counts were the same by chance too often. */
const RUNS = 7;
/** ms: durations are compared in such steps, because a live run's timers are late. */
const GRAIN = 5;

/** Measures that are not judged, and why. */
const APART = new Map([
  ['requests pending', 'a live run waits up to 0.5 s for the last answers'],
  ['multiplication', 'of few client connections, it follows how many requests they made'],
]);

interface Measure {
  readonly measure: string;
  readonly a: { readonly value: number } | null;
  readonly b: { readonly value: number } | null;
  readonly divergence: number;
  readonly nearest: number;
  readonly bound: number;
  readonly inside: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'waterhammer-conformance-'));
const file = join(folder, 'cases.yaml');
let measures: readonly Measure[] = [];
const balanced: boolean[] = [];

async function record(engine: 'run' | 'simulate', seed: number): Promise<string> {
  const recording = join(folder, `${engine}-${seed}`);
  const args = [engine, file, '--seed', `${seed}`, '--record', recording, '--json'];
  const { code, stdout, stderr } = await runCli(args);
  expect(code, stderr).toBe(0);
  balanced.push(JSON.parse(stdout).balanced);
  return recording;
}

beforeAll(async () => {
  writeFileSync(file, allCases());
  const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);
  const live: string[] = [];
  for (const seed of seeds) live.push(await record('run', seed));
  // Nothing disturbs simulated time: side by side.
  const simulated = await Promise.all(seeds.map((seed) => record('simulate', seed)));
  const [a = '', ...furtherA] = live;
  const [b = '', ...furtherB] = simulated;
  const repeats = [
    ...furtherA.flatMap((run) => ['--repeat', run]),
    ...furtherB.flatMap((run) => ['--repeat-b', run]),
  ];
  const all = ['compare', a, b, ...repeats, '--grain', `${GRAIN}`, '--json'];
  const { code, stdout, stderr } = await runCli(all);
  expect(code, stderr).toBe(0);
  measures = JSON.parse(stdout).measures;
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function whyApart(measure: string): string | null {
  const known = [...APART].find(([name]) => measure.startsWith(name));
  return known?.[1] ?? null;
}

function line({ measure, a, b, divergence, nearest, bound, inside }: Measure): string {
  const side = (one: Measure['a']): string =>
    one === null ? '-' : `${Math.round(one.value * 1_000) / 1_000}`;
  const verdict = inside ? '' : `  ${whyApart(measure) ?? 'OUTSIDE'}`;
  const distances = [divergence, nearest, bound].map((one) => one.toFixed(3));
  const figures = [side(a), side(b), ...distances];
  return `  ${measure.padEnd(56)}${figures.map((one) => one.padStart(10)).join('')}${verdict}`;
}

describe('simulated as lived', () => {
  it.each(CASES)('$name', ({ name, mark }) => {
    const own = measures.filter(({ measure }) => measure.includes(`${mark}-`));
    const head = ['live', 'simulated', 'apart', 'nearest', 'A/A']
      .map((one) => one.padStart(10))
      .join('');
    process.stdout.write(`\n${name}\n${' '.repeat(58)}${head}\n${own.map(line).join('\n')}\n`);
    expect(own.length).toBeGreaterThan(8);
    const outside = own.filter(({ inside, measure }) => !inside && whyApart(measure) === null);
    expect(outside.map(line), 'outside of what live runs differ by').toEqual([]);
  });

  it('and every run balances', () => {
    expect(balanced).toEqual(Array.from({ length: 2 * RUNS }, () => true));
  });
});
