/**
 * The tables of a story: what the page is told of a run. Times are µs since the start of the
 * load. A later row of the same connection (or of the same exchange on it) takes the place of an
 * earlier one, so that a live run tells what is open now and completes it later.
 *
 * An exchange is told once, on the first connection of its chain: L4 relays pass it on, and the
 * page follows their pairs. Between two L7 hops a chain is a single connection.
 */
import type { ConnectionRow, ExchangeRow, SecondRow, SlotRow } from '../../measure/rows.ts';
import { closeCauseCode } from '../../model/close-cause.ts';
import { encodeColumns, encodeFrame, type FrameTable } from './frame.ts';

export const CONNECTIONS: FrameTable = {
  number: 1,
  doubles: ['openedAt', 'closedAt', 'connectorAddress', 'acceptorAddress', 'waitedMax'],
  integers: [
    'connection',
    'link',
    'connector',
    'acceptor',
    'cause',
    'exchanges',
    'upstream',
    'downstream',
  ],
};

export const EXCHANGES: FrameTable = {
  number: 2,
  doubles: ['startedAt', 'readAt', 'endedAt'],
  integers: [
    'connection',
    'ordinal',
    'status',
    'parent',
    'parentOrdinal',
    'group',
    'client',
    'request',
    'attempt',
  ],
};

/** A connection's slot at a queue changed; `state` is a SlotState. */
export const SLOTS: FrameTable = {
  number: 3,
  doubles: ['at'],
  integers: ['connection', 'state'],
};

/** Values of series by second; `series` counts the names told so far, from 0. */
export const SERIES: FrameTable = {
  number: 4,
  doubles: ['value'],
  integers: ['second', 'series'],
};

export const STORY_TABLES = [CONNECTIONS, EXCHANGES, SLOTS, SERIES] as const;

export function encodeConnections(rows: readonly ConnectionRow[], loadStart: number): Uint8Array {
  const since = (at: number | null): number | null => (at === null ? null : at - loadStart);
  return encodeFrame(CONNECTIONS, rows, (row) => [
    since(row.openedAt),
    since(row.closedAt),
    row.connectorAddress,
    row.acceptorAddress,
    row.waitedMax,
    row.connection,
    row.link,
    row.connectorInstance,
    row.acceptorInstance,
    row.closedBy === null ? null : closeCauseCode(row.closedBy),
    row.exchanges,
    row.upstreamConnection,
    row.downstreamConnection,
  ]);
}

/** `groups` are the names of the clients' hops: a row says which by number. */
export function encodeExchanges(
  rows: readonly ExchangeRow[],
  loadStart: number,
  groups: readonly string[],
): Uint8Array {
  const since = (at: number | null): number | null => (at === null ? null : at - loadStart);
  return encodeFrame(EXCHANGES, rows, (row) => [
    since(row.startedAt),
    since(row.readAt),
    since(row.endedAt),
    row.connection,
    row.ordinal,
    row.status,
    row.parentConnection,
    row.parentOrdinal,
    row.clientGroup === null ? null : groups.indexOf(row.clientGroup),
    row.client,
    row.request,
    row.attempt,
  ]);
}

export function encodeSlots(rows: readonly SlotRow[], loadStart: number): Uint8Array {
  return encodeFrame(SLOTS, rows, ({ connection, at, state }) => [
    at - loadStart,
    connection,
    state,
  ]);
}

/** Rows of series, by column. */
export type SeriesCells = { readonly [Name in keyof SecondRow]: readonly SecondRow[Name][] };

export function seriesCells(rows: readonly SecondRow[]): SeriesCells {
  return {
    second: rows.map(({ second }) => second),
    scope: rows.map(({ scope }) => scope),
    measure: rows.map(({ measure }) => measure),
    value: rows.map(({ value }) => value),
  };
}

/** Numbers the series in the order of their first mention, and makes frames of their values. */
export class SeriesFrames {
  readonly names: (readonly [scope: string, measure: string])[] = [];
  readonly #numbers = new Map<string, Map<string, number>>();

  frame({ second, scope, measure, value }: SeriesCells): Uint8Array {
    const series: number[] = [];
    for (let row = 0; row < second.length; row++) {
      series.push(this.#numberOf(scope[row] ?? '', measure[row] ?? ''));
    }
    return encodeColumns(SERIES, second.length, [value, second, series]);
  }

  #numberOf(scope: string, measure: string): number {
    let measures = this.#numbers.get(scope);
    if (measures === undefined) {
      measures = new Map();
      this.#numbers.set(scope, measures);
    }
    let number = measures.get(measure);
    if (number === undefined) {
      number = this.names.length;
      measures.set(measure, number);
      this.names.push([scope, measure]);
    }
    return number;
  }
}
