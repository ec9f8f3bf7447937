/**
 * Follows the spools of a run that goes on: each call hands out what was written since the last
 * one, in the order of time, as far as no process can still write something earlier.
 *
 * A process flushes its events twice a second. One that has nothing to tell writes nothing: what
 * the others told is held back for at most two seconds for its sake.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { EventBlock } from '../stream/columns.ts';
import { EventMerge, type EventVisitor } from '../stream/merge.ts';
import { spoolPaths } from './folder.ts';
import { readSegment } from './spool-reader.ts';

const HELD_BACK = 2_000_000;

interface Tail {
  readonly file: number;
  offset: number;
  /** What was read and not handed out. */
  blocks: EventBlock[];
  lastAt: number;
}

export class SpoolTail {
  readonly #folder: string;
  #tails: Tail[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads at most so many segments of each spool; true when there may be more.
   * @param isLast nobody writes any more: everything is handed out
   */
  async read(segmentsMax: number, visit: EventVisitor, isLast: 'last' | 'more'): Promise<boolean> {
    if (this.#tails.length === 0) await this.#open();
    let full = false;
    for (const tail of this.#tails) {
      if (this.#readOne(tail, segmentsMax) === segmentsMax) full = true;
    }
    const ends = this.#tails.map((tail) => tail.lastAt);
    const latest = Math.max(...ends);
    const held = full ? Math.min(...ends) : Math.max(Math.min(...ends), latest - HELD_BACK);
    const until = isLast === 'last' && !full ? Number.POSITIVE_INFINITY : held;
    const ready = this.#tails.map((tail) => take(tail, until));
    const merge = new EventMerge(ready, visit);
    while (merge.step(Number.MAX_SAFE_INTEGER));
    return full;
  }

  close(): void {
    for (const { file } of this.#tails) closeSync(file);
    this.#tails = [];
  }

  async #open(): Promise<void> {
    for (const path of await spoolPaths(this.#folder)) {
      this.#tails.push({ file: openSync(path, 'r'), offset: 0, blocks: [], lastAt: 0 });
    }
  }

  #readOne(tail: Tail, segmentsMax: number): number {
    const { size } = fstatSync(tail.file);
    for (let read = 0; read < segmentsMax; read++) {
      const segment = readSegment(tail.file, tail.offset, size);
      if (segment === null) return read;
      tail.offset += segment.bytes;
      tail.blocks.push(segment.block);
      tail.lastAt = segment.block.at[segment.block.count - 1] ?? tail.lastAt;
    }
    return segmentsMax;
  }
}

/** Blocks up to a time; one that goes beyond it is cut in two. */
function take(tail: Tail, until: number): EventBlock[] {
  const ready: EventBlock[] = [];
  for (let block = tail.blocks[0]; block !== undefined; block = tail.blocks[0]) {
    let rows = block.count;
    while (rows > 0 && (block.at[rows - 1] ?? 0) > until) rows -= 1;
    if (rows === 0) break;
    tail.blocks.shift();
    if (rows < block.count) tail.blocks.unshift(part(block, rows, block.count));
    ready.push(rows < block.count ? part(block, 0, rows) : block);
    if (rows < block.count) break;
  }
  return ready;
}

function part(block: EventBlock, from: number, to: number): EventBlock {
  const cut = new EventBlock(to - from);
  cut.process = block.process;
  cut.firstSequence = block.firstSequence + from;
  cut.count = to - from;
  for (const name of ['at', 'a', 'b', 'c', 'end', 'exchange', 'instance', 'kind'] as const) {
    cut[name].set(block[name].subarray(from, to));
  }
  return cut;
}
