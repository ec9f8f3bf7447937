/**
 * K-way merge of the event blocks of several processes into one order of time.
 *
 * Each source gives the blocks of one process in the order in which it wrote them. Events at
 * equal times come by process number, then by sequence number, so that the same blocks always
 * give the same order. The order *within* a process is never changed, not even where its clock
 * would step back: the sequence is what the books count by.
 *
 *   source 0  ──[block]──[block]──┐
 *   source 1  ──[block]───────────┼── visit(process, sequence, block, row)
 *   source 2  ──[block]──[block]──┘
 *
 * One block per source is in memory. Nothing is allocated per event: the visitor gets the block
 * and the row and reads the columns it wants; it must not keep the block. A run has a handful of
 * processes, so the next source is found by a scan over them, and the source that is ahead keeps
 * the turn until another one's event is due: a heap would cost more than it saves.
 *
 * Left out: sorting inside a source. A source whose `at` falls is merged by the order above,
 * which costs a reader who needs strict time order a sort of his own.
 */
import type { EventBlock } from './columns.ts';

/** Called for each event. `sequence` is its number within `process`, from 0. */
export type EventVisitor = (
  process: number,
  sequence: number,
  block: EventBlock,
  row: number,
) => void;

interface Source {
  readonly blocks: Iterator<EventBlock>;
  block: EventBlock;
  row: number;
}

/** A merge that can be taken in steps, so that a driver may do other things in between. */
export class EventMerge {
  readonly #visit: EventVisitor;
  readonly #sources: Source[] = [];
  #merged = 0;

  constructor(processes: readonly Iterable<EventBlock>[], visit: EventVisitor) {
    this.#visit = visit;
    for (const blocks of processes) {
      const iterator = blocks[Symbol.iterator]();
      const first = nextBlock(iterator);
      if (first !== null) this.#sources.push({ blocks: iterator, block: first, row: 0 });
    }
  }

  /** Events visited so far. */
  get merged(): number {
    return this.#merged;
  }

  /** Visits up to `eventsMax` events. False when there are no more. */
  step(eventsMax: number): boolean {
    let left = eventsMax;
    while (left > 0) {
      const first = this.#earliest(null);
      if (first === null) return false;
      left -= this.#drain(first, this.#earliest(first), left);
    }
    return this.#sources.length > 0;
  }

  /** Lets the sources go (open files, for example) before their end. */
  close(): void {
    for (const source of this.#sources) source.blocks.return?.();
    this.#sources.length = 0;
  }

  #earliest(except: Source | null): Source | null {
    let best: Source | null = null;
    for (const source of this.#sources) {
      if (source !== except && (best === null || isBefore(source, best))) best = source;
    }
    return best;
  }

  /** Visits events of `first` until one of `next` is due. Returns how many. */
  #drain(first: Source, next: Source | null, eventsMax: number): number {
    let visited = 0;
    do {
      const { block, row } = first;
      this.#visit(block.process, block.firstSequence + row, block, row);
      visited += 1;
      first.row = row + 1;
      if (first.row === block.count && !this.#refill(first)) break;
    } while (visited < eventsMax && (next === null || isBefore(first, next)));
    this.#merged += visited;
    return visited;
  }

  #refill(source: Source): boolean {
    const block = nextBlock(source.blocks);
    if (block === null) {
      this.#sources.splice(this.#sources.indexOf(source), 1);
      return false;
    }
    source.block = block;
    source.row = 0;
    return true;
  }
}

/** Merges everything at once. Returns the number of events. */
export function mergeEvents(
  processes: readonly Iterable<EventBlock>[],
  visit: EventVisitor,
): number {
  const merge = new EventMerge(processes, visit);
  while (merge.step(Number.MAX_SAFE_INTEGER));
  return merge.merged;
}

/** The next block that has rows, or null at the end. */
function nextBlock(blocks: Iterator<EventBlock>): EventBlock | null {
  for (;;) {
    const next = blocks.next();
    if (next.done === true) return null;
    if (next.value.count > 0) return next.value;
  }
}

/** Is the head of `x` due before the head of `y`? */
function isBefore(x: Source, y: Source): boolean {
  const atX = x.block.at[x.row] ?? 0;
  const atY = y.block.at[y.row] ?? 0;
  if (atX !== atY) return atX < atY;
  if (x.block.process !== y.block.process) return x.block.process < y.block.process;
  return x.block.firstSequence + x.row < y.block.firstSequence + y.row;
}

/** Called with the columns of an event, which `model/event.ts` explains. */
export type ColumnVisitor = (
  process: number,
  sequence: number,
  at: number,
  kind: number,
  instance: number,
  end: number,
  exchange: number,
  a: number,
  b: number,
  c: number,
) => void;

/** A visitor that hands on the columns of each row: for folds that know no blocks. */
export function byColumns(visit: ColumnVisitor): EventVisitor {
  return (process, sequence, block, row) =>
    visit(
      process,
      sequence,
      block.at[row] ?? 0,
      block.kind[row] ?? 0,
      block.instance[row] ?? 0,
      block.end[row] ?? 0,
      block.exchange[row] ?? 0,
      block.a[row] ?? 0,
      block.b[row] ?? 0,
      block.c[row] ?? 0,
    );
}
