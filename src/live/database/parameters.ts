/**
 * The parameters of COM_STMT_EXECUTE (MySQL internals, "Binary Protocol Value"): a bitmap of
 * NULLs, the types if they were bound anew, then the values one after another. Clients send the
 * types only when they change, so a statement remembers them.
 *
 * Left out: COM_STMT_SEND_LONG_DATA (nobody needs it for short values), and dates and times,
 * which become strings of their bytes' count: no column here has such a type.
 */
import type { Value } from './wire.ts';

/** Command, statement number, flags, iteration count. */
const HEAD_BYTES = 10;

const FIXED_BYTES: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  3: 4,
  4: 4,
  5: 8,
  8: 8,
  13: 2,
  9: 4,
};
const FLOAT = 4;
const DOUBLE = 5;
const NULL = 6;
const LONGLONG = 8;
const TEMPORAL = new Set([7, 10, 11, 12]);

/** Types as the client bound them last: type and unsigned flag in one number. */
export type BoundTypes = readonly number[];

/** Null when the payload is not well formed. */
export function readParameters(
  payload: Buffer,
  count: number,
  known: BoundTypes,
): { readonly values: Value[]; readonly types: BoundTypes } | null {
  if (count === 0) return { values: [], types: known };
  const nulls = HEAD_BYTES;
  let at = nulls + ((count + 7) >> 3);
  if (at >= payload.length) return null;
  let types = known;
  const boundAnew = payload[at] === 1;
  at += 1;
  if (boundAnew) {
    if (at + 2 * count > payload.length) return null;
    const start = at;
    types = Array.from({ length: count }, (_type, index) =>
      payload.readUInt16LE(start + 2 * index),
    );
    at += 2 * count;
  }
  if (types.length !== count) return null;
  const values: Value[] = [];
  for (let index = 0; index < count; index++) {
    const type = types[index] ?? NULL;
    const isNull = (((payload[nulls + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1;
    if (isNull || (type & 255) === NULL) {
      values.push(null);
      continue;
    }
    const end = endOfValue(payload, at, type & 255);
    if (end === null) return null;
    values.push(valueAt(payload, at, end, type));
    at = end;
  }
  return { values, types };
}

function endOfValue(payload: Buffer, at: number, type: number): number | null {
  const fixed = FIXED_BYTES[type];
  if (fixed !== undefined) return at + fixed <= payload.length ? at + fixed : null;
  if (TEMPORAL.has(type)) {
    const end = at + 1 + (payload[at] ?? payload.length);
    return end <= payload.length ? end : null;
  }
  const text = textAt(payload, at);
  return text === null ? null : text.end;
}

function valueAt(payload: Buffer, at: number, end: number, type: number): Value {
  const isUnsigned = type >= 0x8000;
  const kind = type & 255;
  if (kind === DOUBLE) return payload.readDoubleLE(at);
  if (kind === FLOAT) return payload.readFloatLE(at);
  if (kind === LONGLONG) {
    return Number(isUnsigned ? payload.readBigUInt64LE(at) : payload.readBigInt64LE(at));
  }
  if (FIXED_BYTES[kind] !== undefined) {
    return isUnsigned ? payload.readUIntLE(at, end - at) : payload.readIntLE(at, end - at);
  }
  if (TEMPORAL.has(kind)) return payload.toString('latin1', at, end);
  return payload.toString('utf8', textAt(payload, at)?.start ?? end, end);
}

/** Where a length-encoded string lies; null when it goes beyond the payload. */
export function textAt(payload: Buffer, at: number): { start: number; end: number } | null {
  const first = payload[at];
  if (first === undefined || first === 251 || first === 255) return null;
  const lengthBytes = first === 252 ? 2 : first === 253 ? 3 : first === 254 ? 8 : 0;
  const start = at + 1 + lengthBytes;
  if (start > payload.length) return null;
  const length =
    lengthBytes === 0
      ? first
      : lengthBytes === 8
        ? Number(payload.readBigUInt64LE(at + 1))
        : payload.readUIntLE(at + 1, lengthBytes);
  return start + length <= payload.length ? { start, end: start + length } : null;
}
