/**
 * The tables of one recording, as rows come. All are completed, or none is left: what they are
 * made from, the spools, is still there. A simulation has no spools: with `keepsWhole` a table
 * that the disk does not take is given up alone, which makes room for the others, and room for
 * the smallest and most useful things, the series and `run.json`, is taken at the beginning.
 */
import type { RowSinks } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import { eventLine, eventRecord } from '../stream/event-list.ts';
import type { EventVisitor } from '../stream/merge.ts';
import { RecordingError } from './error.ts';
import { releaseRoom, reserveRoom } from './folder.ts';
import { LineWriter } from './line-writer.ts';
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

export interface TablesOptions {
  /** Every event into `events.parquet`. */
  readonly recordEvents?: boolean;
  /** No rows of connections and exchanges: of a run that nobody followed in such detail. */
  readonly seriesOnly?: boolean;
  /** Every event into `events.ndjson`. */
  readonly ndjson?: boolean;
  /**
   * A table that the disk does not take is given up by itself, and the others are kept: for rows
   * that cannot be made again from spools.
   */
  readonly keepsWhole?: boolean;
}

/** As `run.json` names them. */
const TABLES: readonly TableName[] = [
  'connections',
  'exchanges',
  'slots',
  'series',
  'events',
  'ndjson',
];

interface Table<Row> {
  write(row: Row): void;
  finish(): void;
  abandon(): void;
}

export class RecordingTables {
  readonly sinks: Required<RowSinks>;
  /** Why a table was given up: the first time. */
  failure: RecordingError | null = null;
  readonly #folder: string;
  readonly #keepsWhole: boolean;
  readonly #open = new Map<TableName, Pick<Table<never>, 'finish' | 'abandon'>>();
  readonly #writers: EventVisitor[] = [];

  constructor(folder: string, info: RunInfo, options: TablesOptions) {
    this.#folder = folder;
    this.#keepsWhole = options.keepsWhole === true;
    try {
      if (this.#keepsWhole) reserveRoom(folder);
      if (options.recordEvents === true) this.#openEvents();
      if (options.ndjson === true) this.#openLines();
      this.sinks = options.seriesOnly === true ? this.#openSeries() : this.#openRows(info);
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

  /** Largest first: what does not fit leaves its room to the others. Returns what is whole. */
  finish(): TableName[] {
    for (const [name, table] of this.#open) {
      if (name === 'series') releaseRoom(this.#folder);
      try {
        table.finish();
      } catch (thrown) {
        this.#giveUp(name, thrown);
      }
    }
    return TABLES.filter((name) => this.#open.has(name));
  }

  abandon(): void {
    for (const table of this.#open.values()) table.abandon();
    this.#open.clear();
    releaseRoom(this.#folder);
  }

  /** Takes rows into a table for as long as the disk does. */
  #rowsOf<Row>(name: TableName, table: Table<Row>): (row: Row) => void {
    this.#open.set(name, table);
    return (row) => {
      if (this.failure !== null && !this.#open.has(name)) return;
      try {
        table.write(row);
      } catch (thrown) {
        this.#giveUp(name, thrown);
      }
    };
  }

  #giveUp(name: TableName, thrown: unknown): void {
    if (!this.#keepsWhole || !(thrown instanceof RecordingError)) throw thrown;
    this.failure ??= thrown;
    this.#open.get(name)?.abandon();
    this.#open.delete(name);
  }

  #openRows({ plan }: RunInfo): Required<RowSinks> {
    const { links } = plan;
    const at = (name: TableName): string => tablePath(this.#folder, name);
    const exchanges = new TableWriter(at('exchanges'), WRITTEN_EXCHANGE_COLUMNS);
    const onExchange = this.#rowsOf('exchanges', exchanges);
    const connections = new TableWriter(at('connections'), WRITTEN_CONNECTION_COLUMNS);
    const onConnection = this.#rowsOf('connections', connections);
    const onSlot = this.#rowsOf('slots', new TableWriter(at('slots'), SLOT_COLUMNS));
    return {
      ...this.#openSeries(),
      onSlot,
      onConnection: (row) => onConnection(writtenConnection(row, links)),
      onExchange: (row) => onExchange(writtenExchange(row, links)),
    };
  }

  #openSeries(): Required<RowSinks> {
    const series = new TableWriter(tablePath(this.#folder, 'series'), SECOND_COLUMNS);
    return {
      onConnection: () => {},
      onExchange: () => {},
      onSecond: this.#rowsOf('series', series),
      onSlot: () => {},
    };
  }

  #openEvents(): void {
    const events = new TableWriter(tablePath(this.#folder, 'events'), EVENT_COLUMNS);
    const onEvent = this.#rowsOf('events', events);
    this.#writers.push((_process, _sequence, block, row) =>
      onEvent(eventRow(eventRecord(block, row))),
    );
  }

  #openLines(): void {
    const onLine = this.#rowsOf('ndjson', new LineWriter(tablePath(this.#folder, 'ndjson')));
    this.#writers.push((_process, _sequence, block, row) =>
      onLine(eventLine(eventRecord(block, row))),
    );
  }
}
