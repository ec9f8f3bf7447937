import { describe, expect, it } from 'vitest';
import type { ConnectionRow, ExchangeRow } from '../../src/measure/rows.ts';
import { SlotState } from '../../src/model/event.ts';
import { decodeFrame, type Frame } from '../../src/serve/story/frame.ts';
import {
  encodeConnections,
  encodeExchanges,
  encodeSlots,
  STORY_TABLES,
} from '../../src/serve/story/tables.ts';
import { Numbered } from './columns.ts';
import { Connections } from './connections.ts';
import { Exchanges } from './exchanges.ts';
import { Slots } from './slots.ts';

const decoded = (bytes: Uint8Array): Frame => decodeFrame(STORY_TABLES, bytes);

function opened(connection: number, openedAt: number, closedAt: number | null): ConnectionRow {
  return {
    connection,
    link: 0,
    connectorInstance: 0,
    acceptorInstance: 1,
    connectorAddress: null,
    acceptorAddress: null,
    openedAt,
    closedAt,
    closedBy: null,
    outcome: 'open',
    bytesUp: null,
    bytesDown: null,
    exchanges: null,
    upstreamConnection: null,
    downstreamConnection: null,
    slotTime: null,
    slotBusyTime: null,
    waitedMax: null,
  };
}

function asked(connection: number, ordinal: number, startedAt: number, endedAt: number | null) {
  return {
    ...{ link: 0, connection, ordinal, startedAt, readAt: null, answeredAt: endedAt, endedAt },
    ...{ status: null, failure: null, parentLink: null, parentConnection: null },
    ...{ parentOrdinal: null, clientGroup: null, client: null, request: null, attempt: null },
    clientConnection: null,
  } satisfies ExchangeRow;
}

describe('connections', () => {
  it('are completed by a later row of the same number', () => {
    const connections = new Connections();
    connections.take(decoded(encodeConnections([opened(7, 100, null)], 0)));
    connections.settle();
    connections.take(decoded(encodeConnections([opened(7, 100, 900)], 0)));
    connections.settle();
    expect(connections.count).toBe(1);
    expect(connections.closedAt.get(connections.indexOf(7))).toBe(900);
  });

  it('forget what closed first, and keep what is open', () => {
    const connections = new Connections();
    const slots = new Slots(connections);
    const rows = [opened(1, 0, null), ...[2, 3, 4, 5].map((n) => opened(n, n, n * 100))];
    connections.take(decoded(encodeConnections(rows, 0)));
    connections.settle();
    const granted = [1, 2, 5].map((connection) => ({ connection, at: 6, state: SlotState.active }));
    slots.take(decoded(encodeSlots(granted, 0)));
    expect(connections.forget(5)).toBe(false);
    expect(connections.forget(4)).toBe(true);
    slots.forget();
    expect([1, 2, 3, 4, 5].map((id) => connections.indexOf(id) >= 0)).toEqual([
      ...[true, false, false, true, true],
    ]);
    expect(connections.from).toBe(400);
    expect(slots.find(2, 10)).toBe(-1);
    expect(slots.state.get(slots.find(5, 10))).toBe(SlotState.active);
    connections.take(decoded(encodeConnections([opened(6, 700, null)], 0)));
    connections.settle();
    expect(connections.closedAt.get(connections.indexOf(6))).toBeNaN();
    expect(connections.lane.get(connections.indexOf(6))).toBeGreaterThan(0);
  });
});

describe('exchanges', () => {
  it('are found by time, whichever way time is gone through', () => {
    const exchanges = new Exchanges();
    const rows = [asked(3, 1, 10, 20), asked(3, 2, 30, 40), asked(3, 3, 50, null)];
    exchanges.take(decoded(encodeExchanges(rows, 0, [])));
    const ordinalAt = (at: number): number => exchanges.ordinal.get(exchanges.at(3, at));
    expect([5, 10, 35, 60, 35, 12, 5].map(ordinalAt)).toEqual([-1, 1, 2, 3, 2, 1, -1]);
    expect(exchanges.began(3, 10, 60, 9)).toBe(2);
    expect(exchanges.at(4, 60)).toBe(-1);
  });

  it('told twice are one', () => {
    const exchanges = new Exchanges();
    exchanges.take(decoded(encodeExchanges([asked(3, 1, 10, null)], 0, [])));
    exchanges.take(decoded(encodeExchanges([asked(3, 1, 10, 90)], 0, [])));
    expect(exchanges.count).toBe(1);
    expect(exchanges.endedAt.get(0)).toBe(90);
  });
});

it('numbers far apart need no room between them', () => {
  const numbered = new Numbered();
  numbered.set(5_000_000, 7);
  expect([5_000_000, 4_999_999, 3, -1].map((one) => numbered.get(one))).toEqual([7, -1, -1, -1]);
});
