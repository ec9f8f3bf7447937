/**
 * Events as plain objects, for tests, NDJSON and people. An object per event costs fifteen times
 * a row in a column, so nothing on the way from a hop to the disk uses this form.
 *
 * The round trip is exact: blocks -> records -> blocks gives the same rows with the same process
 * and sequence numbers (block boundaries may differ). A gap in the sequence (a lost block) stays
 * a gap: it begins a new block.
 */
import { EVENT_KIND_NAMES, EventKind } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { EVENTS_PER_BLOCK, EventBlock } from './columns.ts';

/** One event; the fields mean what `model/event.ts` says. */
export interface EventRecord {
  readonly process: number;
  readonly sequence: number;
  readonly at: Micros;
  readonly kind: EventKind;
  readonly instance: number;
  readonly end: number;
  readonly exchange: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const KINDS = new Map<number, EventKind>(Object.values(EventKind).map((kind) => [kind, kind]));

/** Throws a RangeError for a kind that this version does not know. */
export function eventRecord(block: EventBlock, row: number): EventRecord {
  const code = block.kind[row] ?? 0;
  const kind = KINDS.get(code);
  if (kind === undefined) throw new RangeError(`unknown event kind ${code}`);
  return {
    process: block.process,
    sequence: block.firstSequence + row,
    at: block.at[row] ?? 0,
    kind,
    instance: block.instance[row] ?? 0,
    end: block.end[row] ?? 0,
    exchange: block.exchange[row] ?? 0,
    a: block.a[row] ?? 0,
    b: block.b[row] ?? 0,
    c: block.c[row] ?? 0,
  };
}

export function eventList(blocks: Iterable<EventBlock>): EventRecord[] {
  const records: EventRecord[] = [];
  for (const block of blocks) {
    for (let row = 0; row < block.count; row++) records.push(eventRecord(block, row));
  }
  return records;
}

/** Blocks by process number, each in order of sequence. `capacity` is rows per block. */
export function eventBlocks(
  records: readonly EventRecord[],
  capacity: number = EVENTS_PER_BLOCK,
): Map<number, EventBlock[]> {
  const sorted = [...records].sort((x, y) => x.process - y.process || x.sequence - y.sequence);
  const blocks = new Map<number, EventBlock[]>();
  let block: EventBlock | null = null;
  for (const record of sorted) {
    if (block === null || !continues(block, record)) {
      block = new EventBlock(capacity);
      block.process = record.process;
      block.firstSequence = record.sequence;
      const list = blocks.get(record.process);
      if (list === undefined) blocks.set(record.process, [block]);
      else list.push(block);
    }
    append(block, record);
  }
  return blocks;
}

function continues(block: EventBlock, record: EventRecord): boolean {
  return (
    block.process === record.process &&
    block.count < block.capacity &&
    block.firstSequence + block.count === record.sequence
  );
}

function append(block: EventBlock, record: EventRecord): void {
  setEvent(block, block.count, record);
  block.count += 1;
}

/** Writes the columns of one row; process and sequence are the block's. */
export function setEvent(block: EventBlock, row: number, record: EventRecord): void {
  block.at[row] = record.at;
  block.kind[row] = record.kind;
  block.instance[row] = record.instance;
  block.end[row] = record.end;
  block.exchange[row] = record.exchange;
  block.a[row] = record.a;
  block.b[row] = record.b;
  block.c[row] = record.c;
}

/** Null for a name that this version does not know. */
export function eventKindNamed(name: string): EventKind | null {
  return name === '' ? null : (KINDS.get(EVENT_KIND_NAMES.indexOf(name)) ?? null);
}

/** One line of NDJSON, without the line break. The kind is written by name. */
export function eventLine(record: EventRecord): string {
  return JSON.stringify({ ...record, kind: EVENT_KIND_NAMES[record.kind] });
}

/** Reads what `eventLine` wrote. Null for anything else. */
export function parseEventLine(line: string): EventRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const fields = new Map<string, unknown>(Object.entries(value));
  const name = fields.get('kind');
  const kind = typeof name === 'string' ? eventKindNamed(name) : null;
  if (kind === null) return null;
  const numbers = new Map<string, number>();
  for (const [field, content] of fields) {
    if (typeof content === 'number') numbers.set(field, content);
  }
  const number = (field: string): number => numbers.get(field) ?? Number.NaN;
  const record: EventRecord = {
    process: number('process'),
    sequence: number('sequence'),
    at: number('at'),
    kind,
    instance: number('instance'),
    end: number('end'),
    exchange: number('exchange'),
    a: number('a'),
    b: number('b'),
    c: number('c'),
  };
  return Object.values(record).some((content) => Number.isNaN(content)) ? null : record;
}
