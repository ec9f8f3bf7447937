/**
 * The tables of a recording: which columns the rows of `measure/rows.ts` and events have on disk.
 *
 * Each row is written with a few columns more, for people who query the file by itself: the
 * link's name beside its number, an address as text beside the packed one. Reading passes over
 * them, because `run.json` says the same.
 */
import { join } from 'node:path';
import type { ConnectionRow, ExchangeRow, SecondRow, SlotRow } from '../measure/rows.ts';
import { CLOSE_CAUSES } from '../model/close-cause.ts';
import { EVENT_KIND_NAMES, EXCHANGE_FAILURES, unpackAddress } from '../model/event.ts';
import type { Link } from '../model/run.ts';
import type { EventRecord } from '../stream/event-list.ts';
import { type Columns, nullable, required } from './columns.ts';

export const TABLE_FILES = {
  connections: 'connections.parquet',
  exchanges: 'exchanges.parquet',
  series: 'series.parquet',
  slots: 'slots.parquet',
  events: 'events.parquet',
  ndjson: 'events.ndjson',
} as const;

export type TableName = keyof typeof TABLE_FILES;

export function tablePath(folder: string, table: TableName): string {
  return join(folder, TABLE_FILES[table]);
}

export const CONNECTION_COLUMNS: Columns<ConnectionRow> = {
  connection: required('int64'),
  link: required('int32'),
  connectorInstance: nullable('int32'),
  acceptorInstance: nullable('int32'),
  connectorAddress: nullable('int64'),
  acceptorAddress: nullable('int64'),
  openedAt: nullable('int64'),
  closedAt: nullable('int64'),
  closedBy: { ...nullable('string'), values: CLOSE_CAUSES },
  outcome: { ...required('string'), values: ['closed', 'open', 'failed', 'unaccounted'] },
  bytesUp: nullable('int64'),
  bytesDown: nullable('int64'),
  exchanges: nullable('int64'),
  upstreamConnection: nullable('int64'),
  downstreamConnection: nullable('int64'),
  slotTime: nullable('int64'),
  slotBusyTime: nullable('int64'),
  waitedMax: nullable('int64'),
};

export const EXCHANGE_COLUMNS: Columns<ExchangeRow> = {
  link: required('int32'),
  connection: required('int64'),
  ordinal: required('int64'),
  startedAt: required('int64'),
  readAt: nullable('int64'),
  answeredAt: nullable('int64'),
  endedAt: nullable('int64'),
  status: nullable('int32'),
  failure: { ...nullable('string'), values: EXCHANGE_FAILURES },
  parentLink: nullable('int32'),
  parentConnection: nullable('int64'),
  parentOrdinal: nullable('int64'),
  clientGroup: nullable('string'),
  client: nullable('int64'),
  request: nullable('int64'),
  attempt: nullable('int32'),
  clientConnection: nullable('int64'),
};

export const SECOND_COLUMNS: Columns<SecondRow> = {
  second: required('int32'),
  scope: required('string'),
  measure: required('string'),
  value: nullable('double'),
};

export const SLOT_COLUMNS: Columns<SlotRow> = {
  connection: required('int64'),
  at: required('int64'),
  state: required('int32'),
};

/** An event as `event-list.ts` has it, its kind by name. */
export interface EventRow extends Omit<EventRecord, 'kind'> {
  readonly kind: string;
}

export const EVENT_COLUMNS: Columns<EventRow> = {
  process: required('int32'),
  sequence: required('int64'),
  at: required('int64'),
  kind: required('string'),
  instance: required('int32'),
  end: required('int64'),
  exchange: required('int64'),
  // Payloads are integers too, but what they mean depends on the kind: doubles lose nothing.
  a: required('double'),
  b: required('double'),
  c: required('double'),
};

export function eventRow(record: EventRecord): EventRow {
  return { ...record, kind: EVENT_KIND_NAMES[record.kind] ?? '' };
}

interface LinkName {
  readonly linkName: string;
}

/** A connection as it is written: with the link's name and the addresses as text. */
export interface WrittenConnection extends ConnectionRow, LinkName {
  readonly connector: string | null;
  readonly acceptor: string | null;
}

export interface WrittenExchange extends ExchangeRow, LinkName {}

export const WRITTEN_CONNECTION_COLUMNS: Columns<WrittenConnection> = {
  ...CONNECTION_COLUMNS,
  linkName: required('string'),
  connector: nullable('string'),
  acceptor: nullable('string'),
};

export const WRITTEN_EXCHANGE_COLUMNS: Columns<WrittenExchange> = {
  ...EXCHANGE_COLUMNS,
  linkName: required('string'),
};

export function writtenConnection(row: ConnectionRow, links: readonly Link[]): WrittenConnection {
  const text = (packed: number | null): string | null =>
    packed === null ? null : unpackAddress(packed);
  return {
    ...row,
    linkName: linkName(row.link, links),
    connector: text(row.connectorAddress),
    acceptor: text(row.acceptorAddress),
  };
}

export function writtenExchange(row: ExchangeRow, links: readonly Link[]): WrittenExchange {
  return { ...row, linkName: linkName(row.link, links) };
}

function linkName(link: number, links: readonly Link[]): string {
  return links[link]?.name ?? `link ${link}`;
}
