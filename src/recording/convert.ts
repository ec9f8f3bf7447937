/**
 * From spools to tables, after the run.
 *
 *   spool-0.seg ──┐          ┌── fold (the ledger) ── rows ─> connections, exchanges, series, slots
 *   spool-1.seg ──┼── merge ─┤
 *   spool-2.seg ──┘          └── if asked for ───────────────> events.parquet, events.ndjson
 *
 * Everything streams: one block per spool and one row group per table are in memory, beside what
 * the fold keeps. The fold is the caller's, because a recording does not know what is measured.
 * Work is done in steps, between which the event loop runs, so that Ctrl-C is heard.
 *
 * The spools stay until `completeRecording` has written the final `run.json`: a kill at any
 * moment leaves either the spools or the complete tables.
 */
import { setImmediate } from 'node:timers/promises';
import type { RowSinks } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import { EventMerge, type EventVisitor } from '../stream/merge.ts';
import { RecordingError } from './error.ts';
import { removeSpools, spoolPaths } from './folder.ts';
import { RecordingTables, type TablesOptions } from './recording-tables.ts';
import { readRun, writeRun } from './run-document.ts';
import { readSpool, type SpoolReader, type SpoolTotals } from './spool-reader.ts';
import type { TableName } from './tables.ts';

const EVENTS_PER_STEP = 20_000;

/** What is made of the events, one after the other, in order of time. */
export interface EventFold<Result> {
  readonly visit: EventVisitor;
  /** After the last event; may still hand out rows. */
  finish(): Result;
}

export type FoldMaker<Result> = (info: RunInfo, sinks: Required<RowSinks>) => EventFold<Result>;

export interface ConversionOptions extends TablesOptions {
  /** Aborting stops the conversion; the spools stay, no table is left. */
  readonly signal?: AbortSignal;
}

export interface Conversion<Result> {
  readonly result: Result;
  readonly events: number;
  readonly spools: readonly SpoolTotals[];
  readonly tables: readonly TableName[];
}

/** Folds the spools of a folder without writing anything: for runs that are not recorded. */
export async function foldSpools<Result>(
  folder: string,
  info: RunInfo,
  makeFold: FoldMaker<Result>,
): Promise<Conversion<Result>> {
  const nothing = (): void => {};
  const none = { onConnection: nothing, onExchange: nothing, onSecond: nothing, onSlot: nothing };
  const fold = makeFold(info, none);
  const { events, spools } = await mergeSpools(folder, fold.visit);
  return { result: fold.finish(), events, spools, tables: [] };
}

/**
 * Folds the spools of a folder and writes the tables. Throws what the fold throws, and a
 * RecordingError (`recording-write-failed`); then no table is left, and the spools are.
 */
export async function convertSpools<Result>(
  folder: string,
  info: RunInfo,
  makeFold: FoldMaker<Result>,
  options: ConversionOptions = {},
): Promise<Conversion<Result>> {
  const tables = new RecordingTables(folder, info, options);
  try {
    const fold = makeFold(info, tables.sinks);
    const visit = tables.alsoWrite(fold.visit);
    const { events, spools } = await mergeSpools(folder, visit, options.signal);
    const result = fold.finish();
    return { result, events, spools, tables: tables.finish() };
  } catch (thrown) {
    tables.abandon();
    throw thrown;
  }
}

/** Writes the final `run.json`, then removes the spools unless they are to be kept. */
export async function completeRecording(
  folder: string,
  info: RunInfo,
  summary: Summary | null,
  conversion: Pick<Conversion<unknown>, 'spools' | 'tables'>,
  options: { readonly keepSpools?: boolean; readonly state?: 'complete' | 'recovered' } = {},
): Promise<void> {
  const { spools, tables } = conversion;
  await writeRun(folder, info, { state: options.state ?? 'complete', tables, spools }, summary);
  if (options.keepSpools !== true) await removeSpools(folder);
}

/**
 * Makes the recording of a killed run readable: converts what its spools hold. The spools are
 * kept unless told otherwise, because a run that only seems to be dead still writes them.
 * Throws a RecordingError: those of `readRun` and `convertSpools`, `recording-without-spools`.
 */
export async function recoverRecording<Result>(
  folder: string,
  makeFold: FoldMaker<Result>,
  options: ConversionOptions & {
    readonly keepSpools?: boolean;
    readonly summaryOf?: (result: Result, info: RunInfo) => Summary | null;
  } = {},
): Promise<Conversion<Result>> {
  const info = await readRun(folder);
  if ((await spoolPaths(folder)).length === 0) {
    const text = `${folder} holds no spools: there is nothing to recover`;
    throw new RecordingError('recording-without-spools', text);
  }
  const conversion = await convertSpools(folder, info, makeFold, options);
  const summary = options.summaryOf?.(conversion.result, info) ?? null;
  const keepSpools = options.keepSpools ?? true;
  await completeRecording(folder, endedWith(summary, info), summary, conversion, {
    keepSpools,
    state: 'recovered',
  });
  return conversion;
}

/** The load of a run that was killed during it ended with what was recorded. */
function endedWith(summary: Summary | null, info: RunInfo): RunInfo {
  if (info.loadEnd !== null || summary === null) return info;
  return { ...info, loadEnd: info.loadStart + Math.round(summary.durationSeconds * 1e6) };
}

/** Visits every event of the spools in a folder, in order of time. */
export async function mergeSpools(
  folder: string,
  visit: EventVisitor,
  signal?: AbortSignal,
): Promise<{ events: number; spools: SpoolTotals[] }> {
  const readers: SpoolReader[] = (await spoolPaths(folder)).map((path) => readSpool(path));
  const merge = new EventMerge(readers, visit);
  try {
    while (merge.step(EVENTS_PER_STEP)) {
      await setImmediate();
      signal?.throwIfAborted();
    }
  } finally {
    merge.close();
  }
  return { events: merge.merged, spools: readers.map((reader) => reader.totals) };
}
