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
import { eventLine, eventRecord } from '../stream/event-list.ts';
import { EventMerge, type EventVisitor } from '../stream/merge.ts';
import { RecordingError } from './error.ts';
import { removeSpools, spoolPaths } from './folder.ts';
import { LineWriter } from './line-writer.ts';
import { readRun, writeRun } from './run-document.ts';
import { readSpool, type SpoolReader, type SpoolTotals } from './spool-reader.ts';
import { TableWriter } from './table-writer.ts';
import {
  EVENT_COLUMNS,
  eventRow,
  SECOND_COLUMNS,
  SLOT_COLUMNS,
  type TableName,
  tablePath,
  WRITTEN_CONNECTION_COLUMNS,
  WRITTEN_EXCHANGE_COLUMNS,
  writtenConnection,
  writtenExchange,
} from './tables.ts';

const EVENTS_PER_STEP = 20_000;

/** What is made of the events, one after the other, in order of time. */
export interface EventFold<Result> {
  readonly visit: EventVisitor;
  /** After the last event; may still hand out rows. */
  finish(): Result;
}

export type FoldMaker<Result> = (info: RunInfo, sinks: Required<RowSinks>) => EventFold<Result>;

export interface ConversionOptions {
  /** Every event into `events.parquet`. */
  readonly recordEvents?: boolean;
  /** No rows of connections and exchanges: of a run that nobody followed in such detail. */
  readonly seriesOnly?: boolean;
  /** Every event into `events.ndjson`. */
  readonly ndjson?: boolean;
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

/** The tables of one recording: all are completed, or none is left. */
export class RecordingTables {
  readonly sinks: Required<RowSinks>;
  readonly #open = new Map<TableName, { finish(): void; abandon(): void }>();
  readonly #writers: EventVisitor[] = [];

  constructor(folder: string, info: RunInfo, options: ConversionOptions) {
    try {
      this.sinks =
        options.seriesOnly === true ? this.#openSeries(folder) : this.#openRows(folder, info);
      if (options.recordEvents === true) this.#openEvents(folder);
      if (options.ndjson === true) this.#openLines(folder);
    } catch (thrown) {
      this.abandon();
      throw thrown;
    }
  }

  alsoWrite(visit: EventVisitor): EventVisitor {
    if (this.#writers.length === 0) return visit;
    const all = [visit, ...this.#writers];
    return (process, sequence, block, row) => {
      for (const one of all) one(process, sequence, block, row);
    };
  }

  finish(): TableName[] {
    for (const table of this.#open.values()) table.finish();
    return [...this.#open.keys()];
  }

  abandon(): void {
    for (const table of this.#open.values()) table.abandon();
    this.#open.clear();
  }

  #openRows(folder: string, info: RunInfo): Required<RowSinks> {
    const { links } = info.plan;
    const path = tablePath;
    const connections = new TableWriter(path(folder, 'connections'), WRITTEN_CONNECTION_COLUMNS);
    this.#open.set('connections', connections);
    const exchanges = new TableWriter(path(folder, 'exchanges'), WRITTEN_EXCHANGE_COLUMNS);
    this.#open.set('exchanges', exchanges);
    const slots = new TableWriter(path(folder, 'slots'), SLOT_COLUMNS);
    this.#open.set('slots', slots);
    return {
      ...this.#openSeries(folder),
      onSlot: (row) => slots.write(row),
      onConnection: (row) => connections.write(writtenConnection(row, links)),
      onExchange: (row) => exchanges.write(writtenExchange(row, links)),
    };
  }

  #openSeries(folder: string): Required<RowSinks> {
    const series = new TableWriter(tablePath(folder, 'series'), SECOND_COLUMNS);
    this.#open.set('series', series);
    return {
      onConnection: () => {},
      onExchange: () => {},
      onSecond: (row) => series.write(row),
      onSlot: () => {},
    };
  }

  #openEvents(folder: string): void {
    const events = new TableWriter(tablePath(folder, 'events'), EVENT_COLUMNS);
    this.#open.set('events', events);
    this.#writers.push((_process, _sequence, block, row) =>
      events.write(eventRow(eventRecord(block, row))),
    );
  }

  #openLines(folder: string): void {
    const lines = new LineWriter(tablePath(folder, 'ndjson'));
    this.#open.set('ndjson', lines);
    this.#writers.push((_process, _sequence, block, row) =>
      lines.write(eventLine(eventRecord(block, row))),
    );
  }
}
