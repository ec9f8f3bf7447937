/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/, version 00) as the thread through
 * foreign hops: a relay in front of, say, a real nginx writes into `traceparent` which exchange
 * of which connection end a request travels on, and the hop behind nginx reads it.
 *
 *   traceparent: 00-<trace id, 32 hex>-<parent id, 16 hex>-01
 *   trace id  = "hammer" (12 hex) + process (4) + end (8) + exchange (8)
 *   parent id = end (8) + exchange (8)
 *
 * Ends and exchanges count from 1, so neither id is all zeros, which the standard forbids.
 */
import { writeText } from './characters.ts';

export interface TraceOrigin {
  readonly process: number;
  readonly end: number;
  readonly exchange: number;
}

const HEAD = '00-68616d6d6572';
const TAIL = '-01';
const DASH = 0x2d;

/** Length of a traceparent value of version 00. */
export const TRACEPARENT_LENGTH = 55;

/** Writes the value's TRACEPARENT_LENGTH bytes: strings would cost more than the bytes. */
export function writeTraceparent(target: Uint8Array, at: number, origin: TraceOrigin): void {
  const { process, end, exchange } = origin;
  writeText(target, at, HEAD);
  writeHex(target, at + 15, process, 4);
  writeHex(target, at + 19, end, 8);
  writeHex(target, at + 27, exchange, 8);
  target[at + 35] = DASH;
  writeHex(target, at + 36, end, 8);
  writeHex(target, at + 44, exchange, 8);
  writeText(target, at + 52, TAIL);
}

export function encodeTraceparent(process: number, end: number, exchange: number): string {
  const bytes = Buffer.allocUnsafe(TRACEPARENT_LENGTH);
  writeTraceparent(bytes, 0, { process, end, exchange });
  return bytes.toString('latin1');
}

export function decodeTraceparent(value: string): TraceOrigin | null {
  return readTraceparent(Buffer.from(value, 'latin1'), 0, value.length);
}

/** Whose exchange the value in bytes[from..to) names; null for a value that is not ours. */
export function readTraceparent(bytes: Uint8Array, from: number, to: number): TraceOrigin | null {
  if (to - from !== TRACEPARENT_LENGTH) return null;
  for (let i = 0; i < HEAD.length; i++) {
    if (bytes[from + i] !== HEAD.charCodeAt(i)) return null;
  }
  const process = readHex(bytes, from + 15, 4);
  const end = readHex(bytes, from + 19, 8);
  const exchange = readHex(bytes, from + 27, 8);
  const isWhole = bytes[from + 35] === DASH && bytes[from + 52] === DASH;
  const isRepeated =
    readHex(bytes, from + 36, 8) === end && readHex(bytes, from + 44, 8) === exchange;
  const isHex = process >= 0 && end >= 0 && exchange >= 0 && readHex(bytes, from + 53, 2) >= 0;
  return isWhole && isRepeated && isHex ? { process, end, exchange } : null;
}

/** The lowest digits of a number below 2^32, in lower case. */
function writeHex(target: Uint8Array, at: number, value: number, digits: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = rest & 15;
    target[i] = digit < 10 ? 0x30 + digit : 0x57 + digit;
    rest >>>= 4;
  }
}

/** -1 for what is not lower-case hexadecimal. */
function readHex(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const byte = bytes[i] ?? 0;
    if (byte >= 0x30 && byte <= 0x39) value = value * 16 + (byte - 0x30);
    else if (byte >= 0x61 && byte <= 0x66) value = value * 16 + (byte - 0x57);
    else return -1;
  }
  return value;
}
