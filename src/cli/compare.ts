/** `waterhammer compare`: two recordings, measure by measure, whichever engine made them. */
import { compareRuns, type Divergence, unknownMeasures } from '../compare/divergence.ts';
import { type Observations, Observer } from '../compare/observations.ts';
import type { Summary } from '../model/summary.ts';
import { RecordingError } from '../recording/error.ts';
import { readConnections, readExchanges } from '../recording/recording.ts';
import { readRun } from '../recording/run-document.ts';
import type { RunDocument } from '../recording/run-format.ts';
import { ExitCode } from './exit-code.ts';
import { reportError } from './report-error.ts';
import { table } from './table.ts';

export interface CompareOptions {
  /** Further runs of A, and of B. */
  readonly repeat: readonly string[];
  readonly repeatB: readonly string[];
  /** ms. */
  readonly grain: number;
  readonly json?: boolean;
}

interface Source {
  readonly folder: string;
  readonly document: RunDocument;
  readonly summary: Summary;
}

interface Run extends Source {
  readonly observations: Observations;
}

interface Comparison {
  readonly runs: readonly Run[];
  readonly others: readonly Run[];
  readonly found: readonly Divergence[];
  /** What some of them cannot know. */
  readonly unknown: readonly string[];
  /** What makes two runs incomparable in part. */
  readonly notes: readonly string[];
}

/** Runs whose lengths differ by more are not compared count by count without a word. */
const LENGTHS_APART = 0.05;

export async function compare(a: string, b: string, options: CompareOptions): Promise<number> {
  const first = [a, ...options.repeat];
  const sources = await openAll([...first, b, ...options.repeatB]);
  if (sources === null) return ExitCode.badInput;
  const rows = sources.every(({ document }) => document.recording.tables.includes('exchanges'));
  const all: Run[] = [];
  for (const source of sources) all.push(await observe(source, { grain: options.grain, rows }));
  const [runs, others] = [all.slice(0, first.length), all.slice(first.length)];
  const observed = (some: readonly Run[]) => some.map(({ observations }) => observations);
  const comparison: Comparison = {
    runs,
    others,
    found: compareRuns(observed(runs), observed(others)),
    unknown: unknownMeasures(observed(runs), observed(others)),
    notes: notesOn(runs, others),
  };
  process.stdout.write((options.json === true ? json : text)(comparison));
  return ExitCode.done;
}

/** Null after it was said of each that is none, or has no end. */
async function openAll(folders: readonly string[]): Promise<Source[] | null> {
  const opened = await Promise.allSettled(folders.map(openSource));
  const wrong = opened.filter((one) => one.status === 'rejected').map(({ reason }) => reason);
  if (wrong.length > 0) {
    for (const one of wrong) reportError(one);
    return null;
  }
  return opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function openSource(folder: string): Promise<Source> {
  const document = await readRun(folder);
  const { summary } = document;
  if (summary !== null) return { folder, document, summary };
  const text = `${folder} has no summary: the run goes on, or was killed (waterhammer recover)`;
  throw new RecordingError('recording-incomplete', text);
}

async function observe(
  { folder, document, summary }: Source,
  { grain, rows }: { readonly grain: number; readonly rows: boolean },
): Promise<Run> {
  const observer = new Observer(document.plan.links, grain);
  if (rows) {
    for await (const some of readConnections(folder))
      for (const row of some) observer.connection(row);
    for await (const some of readExchanges(folder)) for (const row of some) observer.exchange(row);
  } else {
    observer.noRows();
    observer.latencies(summary);
  }
  observer.summary(summary);
  return { folder, document, summary, observations: observer.observations() };
}

function notesOn(runs: readonly Run[], others: readonly Run[]): string[] {
  const all = [...runs, ...others];
  const notes: string[] = [];
  if (new Set(all.map(({ document }) => document.topologyHash)).size > 1) {
    notes.push('Not all are runs of one topology with the same settings.');
  }
  const lengths = all.map(({ summary }) => summary.durationSeconds);
  if (Math.min(...lengths) < (1 - LENGTHS_APART) * Math.max(...lengths)) {
    const each = all.map(({ folder }, index) => `${folder} ${(lengths[index] ?? 0).toFixed(1)} s`);
    notes.push(`They differ in length, and counts are of the whole run: ${each.join(', ')}.`);
  }
  const series = all.filter(({ document }) => !document.recording.tables.includes('exchanges'));
  if (series.length > 0) {
    const names = series.map(({ folder }) => folder).join(', ');
    notes.push(`Without distributions: only series were recorded of ${names}.`);
  }
  for (const { folder, summary } of all) {
    if (summary.lab?.bottleneck === true) {
      notes.push(`${folder}: the lab itself was the bottleneck, and shows in its latencies.`);
    }
  }
  return notes;
}

function describe({ folder, document }: Run): string {
  const { engine, topology, topologyHash, seed, version } = document;
  return `${folder}: ${engine}, ${topology.name} ${topologyHash}, seed ${seed}, version ${version}`;
}

function json({ runs, others, found, unknown, notes }: Comparison): string {
  const about = ({ folder, document: { engine, topology, topologyHash, seed }, summary }: Run) => ({
    ...{ recording: folder, engine, seed, durationSeconds: summary.durationSeconds },
    topology: { name: topology.name, hash: topologyHash },
  });
  const result = { a: runs.map(about), b: others.map(about), measures: found, unknown, notes };
  return `${JSON.stringify(result, null, 2)}\n`;
}

function text({ runs, others, found, unknown, notes }: Comparison): string {
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
    ...(unknown.length === 0 ? [] : [`\nNot known of all: ${unknown.join('; ')}.\n`]),
    ...notes.map((note) => `\n${note}\n`),
  ].join('');
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}
