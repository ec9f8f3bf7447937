import { expect, it } from 'vitest';
import type { ConnectionRow, ExchangeRow } from '../../measure/rows.ts';
import { SlotState } from '../../model/event.ts';
import type { StoryPart } from '../page-run.ts';
import { decodeFrame } from './frame.ts';
import { RunningStory, type SeriesSource } from './running-story.ts';
import { CONNECTIONS, EXCHANGES, SERIES, SLOTS, STORY_TABLES } from './tables.ts';

const connection = { connection: 1, openedAt: 5, closedBy: null } as ConnectionRow;
const exchange = { connection: 1, ordinal: 1, clientGroup: null, link: 0 } as ExchangeRow;

function tables(parts: readonly StoryPart[]): number[] {
  return parts.flatMap((part) =>
    part.kind === 'frame' ? [decodeFrame(STORY_TABLES, part.frame).table] : [],
  );
}

it('tells what is new since the last look, and keeps all of it', () => {
  const story = new RunningStory({ loadStart: 0, groups: [] });
  story.sinks.onConnection?.(connection);
  story.sinks.onSlot?.({ connection: 1, at: 6, state: SlotState.active });
  story.sinks.onExchange?.(exchange);
  const parts = story.look(10);
  expect(tables(parts)).toEqual([CONNECTIONS.number, SLOTS.number, EXCHANGES.number]);
  expect(story.look(20)).toEqual([]);
  expect(story.kept).toEqual(parts);
});

it('makes no row of requests that nobody wants', () => {
  let wanted = false;
  const story = new RunningStory({ loadStart: 0, groups: [], wantsRequests: () => wanted });
  expect(story.sinks.onExchange).toBeUndefined();
  wanted = true;
  expect(story.sinks.onExchange).toBeDefined();
});

it('lets go of requests first, then of connections, and tells slots that last again', () => {
  const story = new RunningStory({ loadStart: 0, groups: [], keptBytesMax: 400 });
  story.sinks.onSlot?.({ connection: 1, at: 1, state: SlotState.active });
  story.sinks.onSlot?.({ connection: 2, at: 1, state: SlotState.held });
  story.sinks.onSlot?.({ connection: 2, at: 2, state: SlotState.none });
  story.sinks.onExchange?.(exchange);
  story.look(10);
  for (let at = 0; at < 20; at++) {
    story.sinks.onConnection?.({ ...connection, connection: at });
    story.look(10);
  }
  const bytes = story.kept.reduce(
    (sum, part) => sum + (part.kind === 'frame' ? part.frame.length : 0),
    0,
  );
  expect(bytes).toBeLessThanOrEqual(400);
  expect(tables(story.kept)).not.toContain(EXCHANGES.number);
  const slots = story.kept
    .flatMap((part) => (part.kind === 'frame' ? [decodeFrame(STORY_TABLES, part.frame)] : []))
    .filter(({ table }) => table === SLOTS.number);
  expect(slots.flatMap((frame) => [...frame.column('connection')])).toContain(1);
  expect(slots.flatMap((frame) => [...frame.column('connection')])).not.toContain(2);
});

it('tells seconds that are over once, of rows that stand for a minute too', () => {
  for (const step of [1, 60]) {
    const source: SeriesSource = {
      step,
      stepOf: (at) => Math.floor(at / 1e6 / step),
      *rowsBetween(since, at) {
        for (let second = since; second < Math.floor(at / 1e6 / step) * step; second += step) {
          yield { second, scope: 'link:a', measure: 'open', value: second };
        }
      },
    };
    const story = new RunningStory({ loadStart: 0, groups: [] });
    story.followsSeries(source);
    const seconds = [2.5, 2.9, 4].flatMap((at) =>
      story.look(at * step * 1e6).flatMap((part) => {
        if (part.kind !== 'frame') return [];
        const frame = decodeFrame(STORY_TABLES, part.frame);
        return frame.table === SERIES.number ? [...frame.column('second')] : [];
      }),
    );
    expect(seconds).toEqual([0, 1, 2, 3].map((one) => one * step));
  }
});
