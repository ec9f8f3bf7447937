/**
 * Reading a recording: its tables, row group by row group, and its events.
 *
 * Events may lie there in three forms: `events.parquet`, `events.ndjson`, or still as spools (a
 * run that goes on or was killed, or one whose spools were kept). They say the same; the first
 * that is there is read. Nothing that is read is ever used as a path: file names are ours.
 */
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { ConnectionRow, ExchangeRow, SecondRow, SlotRow } from '../measure/rows.ts';
import type { EventKind } from '../model/event.ts';
import { EventBlock } from '../stream/columns.ts';
import {
  type EventRecord,
  eventKindNamed,
  eventRecord,
  parseEventLine,
  setEvent,
} from '../stream/event-list.ts';
import { EventMerge, type EventVisitor } from '../stream/merge.ts';
import type { Columns } from './columns.ts';
import { RecordingError, systemCode } from './error.ts';
import { spoolPaths } from './folder.ts';
import { readRun } from './run-document.ts';
import { readSpool } from './spool-reader.ts';
import { type ColumnCells, readColumns, readTable } from './table-reader.ts';
import {
  CONNECTION_COLUMNS,
  EVENT_COLUMNS,
  EXCHANGE_COLUMNS,
  SECOND_COLUMNS,
  SLOT_COLUMNS,
  type TableName,
  tablePath,
} from './tables.ts';

const BATCH_EVENTS = 8_192;
/** A longer line cannot be an event. */
const LINE_CHARACTERS_MAX = 4_096;

/**
 * The rows of a recording, in batches. Throws a RecordingError: `not-a-recording`,
 * `recording-incomplete` (a run that goes on or was killed), `recording-unreadable`.
 */
export function readConnections(folder: string): AsyncGenerator<readonly ConnectionRow[], void> {
  return readRows(folder, 'connections', CONNECTION_COLUMNS);
}

export function readExchanges(folder: string): AsyncGenerator<readonly ExchangeRow[], void> {
  return readRows(folder, 'exchanges', EXCHANGE_COLUMNS);
}

export function readSeries(folder: string): AsyncGenerator<readonly SecondRow[], void> {
  return readRows(folder, 'series', SECOND_COLUMNS);
}

/** The same as columns: a day of seconds has millions of rows. */
export async function* readSeriesColumns(
  folder: string,
): AsyncGenerator<ColumnCells<SecondRow>, void> {
  try {
    yield* readColumns(tablePath(folder, 'series'), SECOND_COLUMNS);
  } catch (thrown) {
    throw await missing(folder, 'series', thrown);
  }
}

export function readSlots(folder: string): AsyncGenerator<readonly SlotRow[], void> {
  return readRows(folder, 'slots', SLOT_COLUMNS);
}

async function* readRows<Row extends object>(
  folder: string,
  table: TableName,
  columns: Columns<Row>,
): AsyncGenerator<readonly Row[], void> {
  try {
    yield* readTable(tablePath(folder, table), columns);
  } catch (thrown) {
    throw await missing(folder, table, thrown);
  }
}

/** Why a table is not there; what is no such error comes back as it is. */
async function missing(folder: string, table: TableName, thrown: unknown): Promise<unknown> {
  if (systemCode(thrown) !== 'ENOENT') return thrown;
  const { recording } = await readRun(folder);
  let why = 'it was removed';
  if (recording.state === 'running') why = 'the run goes on or was killed';
  else if (!recording.tables.includes(table)) why = 'it was not recorded';
  const text = `${folder} has no table of ${table}: ${why}`;
  return new RecordingError('recording-incomplete', text, thrown);
}

/**
 * All events in order of time, in batches. Throws a RecordingError: `not-a-recording`,
 * `recording-without-events`, `recording-unreadable`.
 */
export async function* readEvents(folder: string): AsyncGenerator<readonly EventRecord[], void> {
  await readRun(folder);
  if (await exists(tablePath(folder, 'events'))) {
    for await (const rows of readTable(tablePath(folder, 'events'), EVENT_COLUMNS)) {
      yield rows.map((row) => ({ ...row, kind: knownKind(row.kind) }));
    }
  } else if (await exists(tablePath(folder, 'ndjson'))) {
    yield* readLines(tablePath(folder, 'ndjson'));
  } else {
    yield* readSpools(folder);
  }
}

/**
 * Visits all events in order of time, as the merge of the spools did. The block that the
 * visitor gets holds one row at a time; it must not keep it. Returns the number of events.
 */
export async function replayEvents(folder: string, visit: EventVisitor): Promise<number> {
  const block = new EventBlock(1);
  block.count = 1;
  let events = 0;
  for await (const batch of readEvents(folder)) {
    for (const record of batch) {
      block.process = record.process;
      block.firstSequence = record.sequence;
      setEvent(block, 0, record);
      visit(record.process, record.sequence, block, 0);
    }
    events += batch.length;
  }
  return events;
}

async function* readLines(path: string): AsyncGenerator<readonly EventRecord[], void> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let batch: EventRecord[] = [];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const record = line.length > LINE_CHARACTERS_MAX ? null : parseEventLine(line);
    if (record === null) {
      throw new RecordingError('recording-unreadable', `${path}:${number}: not an event`);
    }
    batch.push(record);
    if (batch.length === BATCH_EVENTS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function* readSpools(folder: string): AsyncGenerator<readonly EventRecord[], void> {
  const paths = await spoolPaths(folder);
  if (paths.length === 0) {
    const text = `${folder} has no events: it was recorded without them (--record-events)`;
    throw new RecordingError('recording-without-events', text);
  }
  let batch: EventRecord[] = [];
  const merge = new EventMerge(
    paths.map((path) => readSpool(path)),
    (_process, _sequence, block, row) => batch.push(eventRecord(block, row)),
  );
  try {
    for (let more = true; more; ) {
      more = merge.step(BATCH_EVENTS);
      if (batch.length > 0) yield batch;
      batch = [];
    }
  } finally {
    merge.close();
  }
}

function knownKind(name: string): EventKind {
  const kind = eventKindNamed(name);
  if (kind === null) {
    throw new RecordingError('recording-unreadable', `unknown kind of event: ${name}`);
  }
  return kind;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
