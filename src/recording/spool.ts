/**
 * Writes the event blocks of one process to `spool-<process>.seg` while the run goes on.
 *
 * Each block becomes one segment (see `segment.ts`), and some of them are written by one call: a
 * run that is killed leaves whole segments and at most one broken one, at the end. Nothing waits
 * for the disk: blocks that it has not taken yet wait in memory, up to `blocksMax`. Beyond that a
 * block is dropped, as is everything after the disk has failed, and the caller is told how many
 * events went with it, so that it can write a `lost` event. The gap in the sequence numbers shows
 * the loss even without one.
 *
 * Left out: fsync. A killed process loses nothing that was written; a machine that loses power
 * may lose its last seconds. Waiting for the disk would slow the run that is measured.
 */
import { type FileHandle, open } from 'node:fs/promises';
import type { EventBlock } from '../stream/columns.ts';
import { RecordingError, reasonOf } from './error.ts';
import { encodeSegment, segmentBytes } from './segment.ts';

/** 64 full blocks are 23 MB, and half a million events: two seconds of a very busy process. */
export const SPOOL_BLOCKS_MAX = 64;
/** A turn of a busy process's loop fills more than one block, and sees one write done. */
const BLOCKS_AT_ONCE = 8;

export interface SpoolOptions {
  /** Blocks that may wait for the disk, the one being written included. */
  readonly blocksMax?: number;
  /** A block is in the file and can be used again. */
  readonly written?: (block: EventBlock) => void;
}

/** The name of a process's spool in a recording folder. */
export function spoolName(process: number): string {
  return `spool-${process}.seg`;
}

export class SpoolWriter {
  readonly #opening: Promise<FileHandle>;
  readonly #blocksMax: number;
  readonly #onWritten: (block: EventBlock) => void;
  readonly #waiting: EventBlock[] = [];
  /** One call writes at a time, so that one room serves all of them. */
  #room = new Uint8Array(0);
  #working: Promise<void> | null = null;
  #failure: RecordingError | null = null;
  #closed = false;
  #written = 0;
  #dropped = 0;
  #untold = 0;

  /** Creates the file, which must not exist yet. Failure to do so shows in `failure`. */
  constructor(path: string, options: SpoolOptions = {}) {
    this.#blocksMax = options.blocksMax ?? SPOOL_BLOCKS_MAX;
    this.#onWritten = options.written ?? (() => {});
    this.#opening = open(path, 'wx');
    this.#opening.catch((thrown: unknown) => this.#fail(thrown));
  }

  /** Events that are in the file. */
  get written(): number {
    return this.#written;
  }

  /** Events that are not and never will be. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why the file is not written any more, or null. */
  get failure(): RecordingError | null {
    return this.#failure;
  }

  /**
   * Takes over a finished block. False if it was dropped: the caller should write a `lost`
   * event with `takeLost()` as its count as soon as a `write` succeeds again.
   */
  write(block: EventBlock): boolean {
    if (this.#closed) throw new Error('the spool is closed');
    if (block.count === 0) return true;
    if (this.#failure !== null || this.#waiting.length >= this.#blocksMax) {
      this.#drop(block.count);
      return false;
    }
    this.#waiting.push(block);
    this.#working ??= this.#work();
    return true;
  }

  /** Events dropped since the last call. */
  takeLost(): number {
    const lost = this.#untold;
    this.#untold = 0;
    return lost;
  }

  /** Resolves when everything that was written so far is in the file (or the file has failed). */
  async drained(): Promise<void> {
    while (this.#working !== null) await this.#working;
  }

  /**
   * Writes what waits and closes the file.
   * Rejects with a RecordingError (recording-write-failed) if the file is not complete.
   */
  async close(): Promise<void> {
    const first = !this.#closed;
    this.#closed = true;
    await this.drained();
    const file = await this.#opening.catch(() => null);
    if (first && file !== null) {
      await file.close().catch((thrown: unknown) => this.#fail(thrown));
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #work(): Promise<void> {
    try {
      const file = await this.#opening;
      while (this.#waiting.length > 0) {
        const blocks = this.#waiting.slice(0, BLOCKS_AT_ONCE);
        await writeWhole(file, this.#encoded(blocks));
        this.#waiting.splice(0, blocks.length);
        for (const block of blocks) {
          this.#written += block.count;
          this.#onWritten(block);
        }
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#working = null;
  }

  /** The segments of blocks, one behind the other. */
  #encoded(blocks: readonly EventBlock[]): Uint8Array {
    const bytes = blocks.reduce((sum, block) => sum + segmentBytes(block.count), 0);
    if (this.#room.length < bytes) this.#room = new Uint8Array(bytes);
    let at = 0;
    for (const block of blocks) at += encodeSegment(block, this.#room.subarray(at)).length;
    return this.#room.subarray(0, bytes);
  }

  #fail(thrown: unknown): void {
    this.#failure ??= new RecordingError(
      'recording-write-failed',
      `the spool cannot be written: ${reasonOf(thrown)}`,
      thrown,
    );
    for (const block of this.#waiting) this.#drop(block.count);
    this.#waiting.length = 0;
  }

  #drop(events: number): void {
    this.#dropped += events;
    this.#untold += events;
  }
}

/** A write may be short (a nearly full disk); the rest follows. */
async function writeWhole(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done);
    done += bytesWritten;
  }
}
