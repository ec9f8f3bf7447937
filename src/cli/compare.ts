/** `waterhammer compare`: two recordings, measure by measure, whichever engine made them. */
import { compareRuns, type Divergence } from '../compare/divergence.ts';
import { type Observations, Observer } from '../compare/observations.ts';
import { readConnections, readExchanges } from '../recording/recording.ts';
import { readRun } from '../recording/run-document.ts';
import type { RunDocument } from '../recording/run-format.ts';
import { ExitCode } from './exit-code.ts';
import { table } from './table.ts';

export interface CompareOptions {
  /** Further runs of A, and of B. */
  readonly repeat: readonly string[];
  readonly repeatB: readonly string[];
  /** ms. */
  readonly grain: number;
  readonly json?: boolean;
}

interface Run {
  readonly folder: string;
  readonly document: RunDocument;
  readonly observations: Observations;
}

export async function compare(a: string, b: string, options: CompareOptions): Promise<number> {
  const runs = await observeAll([a, ...options.repeat], options.grain);
  const others = await observeAll([b, ...options.repeatB], options.grain);
  const found = compareRuns(
    runs.map(({ observations }) => observations),
    others.map(({ observations }) => observations),
  );
  const print = options.json === true ? json : text;
  process.stdout.write(print(runs, others, found));
  return ExitCode.done;
}

async function observeAll(folders: readonly string[], grain: number): Promise<Run[]> {
  const runs: Run[] = [];
  for (const folder of folders) runs.push(await observe(folder, grain));
  return runs;
}

async function observe(folder: string, grain: number): Promise<Run> {
  const document = await readRun(folder);
  const observer = new Observer(document.plan.links, grain);
  const { tables } = document.recording;
  if (tables.includes('connections')) {
    for await (const rows of readConnections(folder))
      for (const row of rows) observer.connection(row);
  }
  if (tables.includes('exchanges')) {
    for await (const rows of readExchanges(folder)) for (const row of rows) observer.exchange(row);
  }
  if (document.summary !== null) observer.summary(document.summary);
  return { folder, document, observations: observer.observations() };
}

function describe({ folder, document }: Run): string {
  const { engine, topology, topologyHash, seed, version } = document;
  return `${folder}: ${engine}, ${topology.name} ${topologyHash}, seed ${seed}, version ${version}`;
}

function json(runs: readonly Run[], others: readonly Run[], found: readonly Divergence[]): string {
  const about = ({ folder, document: { engine, topology, topologyHash, seed } }: Run) => ({
    ...{ recording: folder, engine, seed },
    topology: { name: topology.name, hash: topologyHash },
  });
  const result = { a: runs.map(about), b: others.map(about), measures: found };
  return `${JSON.stringify(result, null, 2)}\n`;
}

function text(runs: readonly Run[], others: readonly Run[], found: readonly Divergence[]): string {
  const bounded = runs.length > 1;
  const head = [
    'measure',
    'A',
    'B',
    'values',
    'divergence',
    ...(bounded ? ['nearest', 'A/A', ''] : []),
  ];
  const rows = found.map((one) => [
    one.measure,
    shown(one.a?.value),
    shown(one.b?.value),
    one.kind === 'count' ? '' : `${one.a?.samples ?? 0}, ${one.b?.samples ?? 0}`,
    one.divergence.toFixed(3),
    ...(bounded
      ? [one.nearest.toFixed(3), (one.bound ?? 0).toFixed(3), one.inside === false ? 'OUTSIDE' : '']
      : []),
  ]);
  const outside = found.filter(({ inside }) => inside === false).length;
  const verdict = bounded
    ? `\n${found.length} measures, ${outside} outside of what ${runs.length} runs of A differ by.\n`
    : '\nOne run of A: what chance alone does is not known (--repeat with further runs of it).\n';
  return [
    ...runs.map((run, index) => `A${index + 1}  ${describe(run)}\n`),
    ...others.map((run, index) => `B${index + 1}  ${describe(run)}\n`),
    '\n',
    table([head, ...rows]),
    '\nDistributions: A and B are medians (ms, or requests), the divergence is the largest ' +
      'difference of\ntheir distribution functions. Counts: the difference over the larger one.\n',
    verdict,
  ].join('');
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
