/**
 * One event block as a self-contained segment of a spool file.
 *
 *   offset  size  header, 32 bytes, little-endian
 *        0     4  magic "WHSG"
 *        4     2  format version, 1
 *        6     2  process
 *        8     8  sequence number of the first event (an integer-valued double)
 *       16     4  count of events
 *       20     4  payload length = count x 43
 *       24     4  CRC-32 of the payload
 *       28     4  CRC-32 of the 28 bytes before
 *       32        payload: columns one after the other, `count` rows each, in the order
 *                 at a b c (8 bytes each), end exchange (4), instance (2), kind (1)
 *
 * The header has a checksum of its own, so that a damaged length is never believed. Columns are
 * copied as they lie in memory: the format is that of little-endian machines, which are all that
 * Node.js 20 supports but IBM's s390x; there, writing and reading refuse to start.
 */
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { EventBlock } from '../stream/columns.ts';

const MAGIC = 0x47534857;
const VERSION = 1;
export const HEADER_BYTES = 32;
const BYTES_PER_EVENT = 43;
/** A segment with more events than this is taken for damage. */
export const SEGMENT_EVENTS_MAX = 65_536;

if (endianness() !== 'LE') throw new Error('spool segments need a little-endian machine');

export interface SegmentHeader {
  readonly process: number;
  readonly firstSequence: number;
  readonly count: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

/** The columns of a block as bytes, in the order of the payload, `count` rows each. */
function columnBytes(block: EventBlock, count: number): Uint8Array[] {
  const bytes = (column: ArrayBufferView & { readonly BYTES_PER_ELEMENT: number }): Uint8Array =>
    new Uint8Array(column.buffer, column.byteOffset, count * column.BYTES_PER_ELEMENT);
  return [
    bytes(block.at),
    bytes(block.a),
    bytes(block.b),
    bytes(block.c),
    bytes(block.end),
    bytes(block.exchange),
    bytes(block.instance),
    bytes(block.kind),
  ];
}

/** How long the segment of so many events is. */
export function segmentBytes(events: number): number {
  return HEADER_BYTES + events * BYTES_PER_EVENT;
}

/**
 * The whole segment in one buffer, to be written at once: the first bytes of `room`. The block
 * must have rows.
 */
export function encodeSegment(
  block: EventBlock,
  room = new Uint8Array(segmentBytes(block.count)),
): Uint8Array {
  const { count } = block;
  if (count < 1 || count > SEGMENT_EVENTS_MAX) {
    throw new RangeError(`a segment holds 1 to ${SEGMENT_EVENTS_MAX} events, not ${count}`);
  }
  const payloadBytes = count * BYTES_PER_EVENT;
  const segment = room.subarray(0, HEADER_BYTES + payloadBytes);
  let offset = HEADER_BYTES;
  for (const column of columnBytes(block, count)) {
    segment.set(column, offset);
    offset += column.length;
  }
  const view = new DataView(segment.buffer, segment.byteOffset, HEADER_BYTES);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, block.process, true);
  view.setFloat64(8, block.firstSequence, true);
  view.setUint32(16, count, true);
  view.setUint32(20, payloadBytes, true);
  view.setUint32(24, crc32(segment.subarray(HEADER_BYTES)), true);
  view.setUint32(28, crc32(segment.subarray(0, 28)), true);
  return segment;
}

/** Null if these are not the bytes of an undamaged header. */
export function decodeHeader(header: Uint8Array): SegmentHeader | null {
  if (header.length < HEADER_BYTES) return null;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  if (view.getUint32(0, true) !== MAGIC || view.getUint16(4, true) !== VERSION) return null;
  if (view.getUint32(28, true) !== crc32(header.subarray(0, 28))) return null;
  const firstSequence = view.getFloat64(8, true);
  const count = view.getUint32(16, true);
  const payloadBytes = view.getUint32(20, true);
  if (count < 1 || count > SEGMENT_EVENTS_MAX || payloadBytes !== count * BYTES_PER_EVENT) {
    return null;
  }
  if (!Number.isSafeInteger(firstSequence) || firstSequence < 0) return null;
  return {
    process: view.getUint16(6, true),
    firstSequence,
    count,
    payloadBytes,
    payloadCrc: view.getUint32(24, true),
  };
}

/** Null if the payload is not the one that the header was written for. */
export function decodePayload(header: SegmentHeader, payload: Uint8Array): EventBlock | null {
  if (payload.length !== header.payloadBytes || crc32(payload) !== header.payloadCrc) return null;
  const block = new EventBlock(header.count);
  let offset = 0;
  for (const column of columnBytes(block, header.count)) {
    column.set(payload.subarray(offset, offset + column.length));
    offset += column.length;
  }
  block.process = header.process;
  block.firstSequence = header.firstSequence;
  block.count = header.count;
  return block;
}
