/**
 * Reads a spool back, one segment in memory at a time.
 *
 * A spool of a killed run ends where the writer was stopped. Reading ends there too: at the first
 * segment that is cut off, fails its checksum, belongs to another process or goes back in the
 * sequence. What follows is counted in `truncatedBytes`, never guessed at; the books then say
 * which events are missing. Reading is synchronous: it happens after the run, and a step of the
 * merge is short.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { EventBlock } from '../stream/columns.ts';
import { decodeHeader, decodePayload, HEADER_BYTES } from './segment.ts';

export interface SpoolTotals {
  /** -1 as long as no segment was read. */
  readonly process: number;
  readonly events: number;
  readonly segments: number;
  /** Events missing between segments: blocks that were dropped. */
  readonly missingEvents: number;
  /** Bytes at the end that are not undamaged segments. */
  readonly truncatedBytes: number;
}

/** The totals are those of the latest iteration, and true when it has ended. */
export class SpoolReader implements Iterable<EventBlock> {
  readonly #path: string;
  #process = -1;
  #nextSequence = 0;
  #events = 0;
  #segments = 0;
  #truncatedBytes = 0;
  #segmentBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get truncatedBytes(): number {
    return this.#truncatedBytes;
  }

  get totals(): SpoolTotals {
    return {
      process: this.#process,
      events: this.#events,
      segments: this.#segments,
      missingEvents: this.#nextSequence - this.#events,
      truncatedBytes: this.#truncatedBytes,
    };
  }

  *[Symbol.iterator](): Generator<EventBlock, void, undefined> {
    this.#process = -1;
    this.#nextSequence = 0;
    this.#events = 0;
    this.#segments = 0;
    this.#truncatedBytes = 0;
    const file = openSync(this.#path, 'r');
    try {
      // A spool that still grows is read as far as it was at this moment.
      const size = fstatSync(file).size;
      for (let offset = 0; offset < size; ) {
        const block = this.#segmentAt(file, offset, size);
        if (block === null) {
          this.#truncatedBytes = size - offset;
          return;
        }
        offset += this.#segmentBytes;
        yield block;
      }
    } finally {
      closeSync(file);
    }
  }

  #segmentAt(file: number, offset: number, size: number): EventBlock | null {
    const segment = readSegment(file, offset, size);
    if (segment === null) return null;
    const { block, bytes } = segment;
    if (this.#process >= 0 && block.process !== this.#process) return null;
    if (block.firstSequence < this.#nextSequence) return null;
    this.#segmentBytes = bytes;
    this.#process = block.process;
    this.#nextSequence = block.firstSequence + block.count;
    this.#events += block.count;
    this.#segments += 1;
    return block;
  }
}

/** The segment at a place of a file; null where there is none that is whole and undamaged. */
export function readSegment(
  file: number,
  offset: number,
  size: number,
): { readonly block: EventBlock; readonly bytes: number } | null {
  const headerBytes = readExactly(file, offset, HEADER_BYTES, size);
  const header = headerBytes === null ? null : decodeHeader(headerBytes);
  if (header === null) return null;
  const payload = readExactly(file, offset + HEADER_BYTES, header.payloadBytes, size);
  const block = payload === null ? null : decodePayload(header, payload);
  return block === null ? null : { block, bytes: HEADER_BYTES + header.payloadBytes };
}

export function readSpool(path: string): SpoolReader {
  return new SpoolReader(path);
}

/** Null where the file ends before. */
function readExactly(
  file: number,
  offset: number,
  length: number,
  size: number,
): Uint8Array | null {
  if (offset + length > size) return null;
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, offset + done);
    if (read === 0) return null;
    done += read;
  }
  return bytes;
}
