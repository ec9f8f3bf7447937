import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventKind } from '../model/event.ts';
import { EventBlock, EventWriter } from './columns.ts';
import {
  type EventRecord,
  eventBlocks,
  eventLine,
  eventList,
  eventRecord,
  parseEventLine,
} from './event-list.ts';
import { filterEvents } from './filter.ts';
import { byColumns, EventMerge, type EventVisitor, mergeEvents } from './merge.ts';

/** Times per process; small numbers, so that ties are common. */
const timesPerProcess = fc.array(
  fc.array(fc.nat(20), { maxLength: 40 }).map((times) => times.sort((x, y) => x - y)),
  { maxLength: 5 },
);

function records(processes: readonly (readonly number[])[]): EventRecord[] {
  return processes.flatMap((times, process) =>
    times.map((at, sequence) => ({
      process,
      sequence,
      at,
      kind: EventKind.mark,
      instance: sequence % 3,
      end: sequence,
      exchange: 0,
      a: at * 2 ** 40,
      b: -at - 1,
      c: 0,
    })),
  );
}

function collector(): { seen: EventRecord[]; visit: EventVisitor } {
  const seen: EventRecord[] = [];
  return {
    seen,
    visit: (process, sequence, block, row) => {
      const record = eventRecord(block, row);
      expect([process, sequence]).toEqual([record.process, record.sequence]);
      seen.push(record);
    },
  };
}

const inOrder = (x: EventRecord, y: EventRecord): number =>
  x.at - y.at || x.process - y.process || x.sequence - y.sequence;

describe('merge', () => {
  it('gives what a sort gives, whatever the block size, source order and step', () => {
    fc.assert(
      fc.property(
        timesPerProcess,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (processes, capacity, stepMax, reversed) => {
          const all = records(processes);
          const sources = [...eventBlocks(all, capacity).values()];
          if (reversed) sources.reverse();
          const { seen, visit } = collector();
          const merge = new EventMerge(sources, visit);
          for (let more = true; more; ) {
            const before = merge.merged;
            more = merge.step(stepMax);
            expect(merge.merged - before).toBeLessThanOrEqual(stepMax);
            if (more) expect(merge.merged - before).toBe(stepMax);
          }
          expect(seen).toEqual([...all].sort(inOrder));
          expect(merge.merged).toBe(all.length);
        },
      ),
    );
  });

  it('keeps the order of a process whose clock steps back', () => {
    const all = records([[5, 3, 9], [4]]);
    const { seen, visit } = collector();
    expect(mergeEvents([...eventBlocks(all).values()], visit)).toBe(4);
    expect(seen.map((one) => one.at)).toEqual([4, 5, 3, 9]);
  });

  it('passes over empty blocks and reads one block per source at a time', () => {
    let pulled = 0;
    function* source(): Generator<EventBlock> {
      for (const at of [1, 2, 3]) {
        pulled += 1;
        yield new EventBlock(4);
        const block = new EventBlock(4);
        block.at[0] = at;
        block.kind[0] = EventKind.mark;
        block.count = 1;
        yield block;
      }
    }
    const pulledAtVisit: number[] = [];
    mergeEvents([source()], () => pulledAtVisit.push(pulled));
    expect(pulledAtVisit).toEqual([1, 2, 3]);
  });

  it('hands on columns', () => {
    const all = records([[4], [3]]);
    const seen: number[][] = [];
    mergeEvents(
      [...eventBlocks(all).values()],
      byColumns((...columns) => seen.push(columns)),
    );
    expect(seen).toEqual([
      [1, 0, 3, EventKind.mark, 0, 0, 0, 3 * 2 ** 40, -4, 0],
      [0, 0, 4, EventKind.mark, 0, 0, 0, 4 * 2 ** 40, -5, 0],
    ]);
  });

  it('lets sources go when it is closed early', () => {
    let closed = 0;
    function* source(): Generator<EventBlock> {
      try {
        for (const blocks of eventBlocks(records([[1, 2, 3]]), 1).values()) yield* blocks;
      } finally {
        closed += 1;
      }
    }
    const merge = new EventMerge([source(), source()], () => undefined);
    merge.step(1);
    merge.close();
    expect(closed).toBe(2);
    expect(merge.step(1)).toBe(false);
  });
});

describe('filter', () => {
  it('passes what a plain filter passes', () => {
    const all = records([
      [1, 2, 3, 4, 5, 6],
      [2, 4, 6],
    ]);
    const { seen, visit } = collector();
    const criteria = { from: 2, until: 6, kinds: [EventKind.mark], instances: [0, 1] };
    mergeEvents([...eventBlocks(all).values()], filterEvents(criteria, visit));
    const expected = all.filter((one) => one.at >= 2 && one.at < 6 && one.instance < 2);
    expect(expected.length).toBeGreaterThan(3);
    expect(seen).toEqual(expected.sort(inOrder));
  });

  it('selects kinds and processes', () => {
    const all = records([[1, 2], [3]]);
    const { seen, visit } = collector();
    const blocks = [...eventBlocks(all).values()];
    mergeEvents(blocks, filterEvents({ kinds: [EventKind.closed] }, visit));
    expect(seen).toEqual([]);
    mergeEvents(blocks, filterEvents({ processes: [1] }, visit));
    expect(seen.map((one) => one.at)).toEqual([3]);
    mergeEvents(blocks, filterEvents({}, visit));
    expect(seen.length).toBe(4);
  });
});

describe('event list', () => {
  it('makes the round trip through blocks and through lines', () => {
    fc.assert(
      fc.property(timesPerProcess, fc.integer({ min: 1, max: 9 }), (processes, capacity) => {
        const all = records(processes);
        const back = [...eventBlocks(all, capacity).values()].flatMap((list) => eventList(list));
        expect(back).toEqual(all);
        expect(all.map((one) => parseEventLine(eventLine(one)))).toEqual(all);
      }),
    );
  });

  it('keeps a gap in the sequence', () => {
    const all = records([[1, 2, 3, 4]]).filter((one) => one.sequence !== 1);
    const blocks = eventBlocks(all).get(0) ?? [];
    expect(blocks.map((block) => [block.firstSequence, block.count])).toEqual([
      [0, 1],
      [2, 2],
    ]);
    expect(eventList(blocks)).toEqual(all);
  });

  it('reads what an EventWriter wrote', () => {
    const blocks: EventBlock[] = [];
    const writer = new EventWriter(3, (block) => blocks.push(block));
    writer.write(1.5e15, EventKind.closed, 7, 4_000_000_000, 9, 4, 2 ** 50, -1);
    writer.flush();
    expect(eventList(blocks)).toEqual([
      {
        process: 3,
        sequence: 0,
        at: 1.5e15,
        kind: EventKind.closed,
        instance: 7,
        end: 4_000_000_000,
        exchange: 9,
        a: 4,
        b: 2 ** 50,
        c: -1,
      },
    ]);
  });

  it('takes nothing else for an event', () => {
    const line = eventLine(records([[1]])[0] as EventRecord);
    for (const bad of ['', 'null', '[]', '{}', line.slice(1), line.replace('mark', 'nothing')]) {
      expect(parseEventLine(bad)).toBeNull();
    }
    expect(parseEventLine(line.replace('"at":1', '"at":"1"'))).toBeNull();
  });
});
