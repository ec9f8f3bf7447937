import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventKind } from '../model/event.ts';
import { type EventBlock, EventWriter } from '../stream/columns.ts';
import { type EventRecord, eventBlocks, eventList } from '../stream/event-list.ts';
import { RecordingError } from './error.ts';
import { HEADER_BYTES } from './segment.ts';
import { SpoolWriter } from './spool.ts';
import { readSpool } from './spool-reader.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waterhammer-spool-'));
  path = join(folder, 'spool-0.seg');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const number = fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true }));
const recordList = fc
  .array(
    fc.record({
      at: number,
      kind: fc.constantFrom(...Object.values(EventKind)),
      instance: fc.integer({ min: 0, max: 0xffff }),
      end: uint32,
      exchange: uint32,
      a: number,
      b: number,
      c: number,
    }),
    { maxLength: 30 },
  )
  .map((list) => list.map((one, sequence): EventRecord => ({ process: 5, sequence, ...one })));

function someRecords(count: number, process = 0): EventRecord[] {
  return Array.from({ length: count }, (_, sequence) => ({
    process,
    sequence,
    at: sequence * 10,
    kind: EventKind.accepted,
    instance: 1,
    end: sequence,
    exchange: 0,
    a: 1,
    b: 2,
    c: 3,
  }));
}

function blocksOf(records: readonly EventRecord[], capacity: number): EventBlock[] {
  return [...eventBlocks(records, capacity).values()].flat();
}

async function spool(to: string, blocks: readonly EventBlock[]): Promise<void> {
  const writer = new SpoolWriter(to);
  for (const block of blocks) {
    expect(writer.write(block)).toBe(true);
    await writer.drained();
  }
  await writer.close();
}

describe('spool', () => {
  it('gives back what was written', async () => {
    let file = 0;
    await fc.assert(
      fc.asyncProperty(recordList, fc.integer({ min: 1, max: 12 }), async (records, capacity) => {
        file += 1;
        const to = join(folder, `spool-${file}.seg`);
        await spool(to, blocksOf(records, capacity));
        const reader = readSpool(to);
        expect(eventList(reader)).toEqual(records);
        expect(reader.totals).toEqual({
          process: records.length === 0 ? -1 : 5,
          events: records.length,
          segments: Math.ceil(records.length / capacity),
          missingEvents: 0,
          truncatedBytes: 0,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('reads every whole segment of a file cut off at any byte of the last one', async () => {
    const records = someRecords(9);
    await spool(path, blocksOf(records, 4));
    const whole = readFileSync(path);
    const lastStart = whole.length - (HEADER_BYTES + 43);
    const cut = join(folder, 'cut.seg');
    for (let length = lastStart; length < whole.length; length++) {
      writeFileSync(cut, whole.subarray(0, length));
      const reader = readSpool(cut);
      expect(eventList(reader)).toEqual(records.slice(0, 8));
      expect(reader.truncatedBytes).toBe(length - lastStart);
    }
    const reader = readSpool(path);
    expect(eventList(reader).length).toBe(9);
    expect(reader.truncatedBytes).toBe(0);
  });

  it('stops at the segment of any byte that was changed', async () => {
    const records = someRecords(6);
    await spool(path, blocksOf(records, 2));
    const whole = readFileSync(path);
    const segmentBytes = HEADER_BYTES + 2 * 43;
    expect(whole.length).toBe(3 * segmentBytes);
    const changed = join(folder, 'changed.seg');
    for (let offset = 0; offset < whole.length; offset++) {
      const bytes = Uint8Array.from(whole);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 8));
      writeFileSync(changed, bytes);
      const reader = readSpool(changed);
      const before = Math.floor(offset / segmentBytes);
      expect(eventList(reader)).toEqual(records.slice(0, before * 2));
      expect(reader.truncatedBytes).toBe(whole.length - before * segmentBytes);
    }
  });

  it('never takes noise for events', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        writeFileSync(path, noise);
        const reader = readSpool(path);
        expect(eventList(reader)).toEqual([]);
        expect(reader.truncatedBytes).toBe(noise.length);
      }),
    );
  });

  it('stops at a segment of another process and at one that goes back', async () => {
    const other = join(folder, 'other.seg');
    const back = join(folder, 'back.seg');
    const first = blocksOf(someRecords(2), 2);
    await spool(other, [...first, ...blocksOf(someRecords(4, 1).slice(2), 2)]);
    await spool(back, [...first, ...first]);
    for (const to of [other, back]) {
      const reader = readSpool(to);
      expect(eventList(reader).length).toBe(2);
      expect(reader.truncatedBytes).toBe(HEADER_BYTES + 2 * 43);
    }
  });

  it('drops blocks beyond its bound, tells how many events, and shows the gap', async () => {
    const writer = new SpoolWriter(path, { blocksMax: 3 });
    const blocks = blocksOf(someRecords(10), 2);
    const taken = blocks.map((block) => writer.write(block));
    expect(taken).toEqual([true, true, true, false, false]);
    expect(writer.takeLost()).toBe(4);
    expect(writer.takeLost()).toBe(0);
    await writer.drained();
    const later = blocksOf(
      someRecords(12).filter((one) => one.sequence >= 10),
      2,
    );
    for (const block of later) expect(writer.write(block)).toBe(true);
    await writer.close();
    expect([writer.written, writer.dropped, writer.failure]).toEqual([8, 4, null]);
    const reader = readSpool(path);
    expect(eventList(reader).map((one) => one.sequence)).toEqual([0, 1, 2, 3, 4, 5, 10, 11]);
    expect(reader.totals.missingEvents).toBe(4);
  });

  it('says that the disk failed, and counts every event as dropped', async () => {
    const writer = new SpoolWriter(join(folder, 'missing', 'spool-0.seg'));
    const [block] = blocksOf(someRecords(2), 2);
    if (block === undefined) throw new Error('no block');
    expect(writer.write(block)).toBe(true);
    await writer.drained();
    expect(writer.write(block)).toBe(false);
    expect(writer.dropped).toBe(4);
    await expect(writer.close()).rejects.toMatchObject({ code: 'recording-write-failed' });
    await expect(writer.close()).rejects.toBeInstanceOf(RecordingError);
  });

  it('does not write over a file that is there', async () => {
    writeFileSync(path, 'precious');
    await expect(new SpoolWriter(path).close()).rejects.toMatchObject({
      code: 'recording-write-failed',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('takes blocks from an EventWriter as they come', async () => {
    const spoolWriter = new SpoolWriter(path);
    const events = new EventWriter(0, (block) => spoolWriter.write(block));
    for (let i = 0; i < 20_000; i++) events.write(i, EventKind.mark, 0, 0, 0, i, 0, 0);
    events.flush();
    await spoolWriter.close();
    const reader = readSpool(path);
    let next = 0;
    for (const block of reader) {
      for (let row = 0; row < block.count; row++) expect(block.a[row]).toBe(next++);
    }
    expect(next).toBe(20_000);
    expect(reader.totals.segments).toBe(3);
  });

  it('fills blocks again that are in the file, and loses nothing by it', async () => {
    const seen = new Set<EventBlock>();
    const writer = new SpoolWriter(path, { written: (block) => events.reuse(block) });
    const events = new EventWriter(0, (block) => {
      seen.add(block);
      writer.write(block);
    });
    for (let end = 0; end < 1_000; end++) {
      events.write(end, EventKind.accepted, 1, end, 0, 1, 2, 3);
      if (end % 7 === 0) events.flush();
      if (end % 21 === 0) await writer.drained();
    }
    events.flush();
    await writer.close();
    expect(seen.size).toBeLessThan(10);
    const ends = [...readSpool(path)].flatMap((block) => [...block.end.subarray(0, block.count)]);
    expect(ends).toEqual(Array.from({ length: 1_000 }, (_, end) => end));
  });
});
