import { expect, it } from 'vitest';
import { decodeFrame, encodeFrame, type FrameTable } from './frame.ts';

const TABLE: FrameTable = { number: 9, doubles: ['at'], integers: ['count', 'state'] };
const rows = [
  [1.5, 7, null],
  [null, -3, 2],
  [4, 5, 6],
] as const;
const encoded = encodeFrame(TABLE, rows, (row) => row);

it('carries rows as columns; what is not known is NaN or -1', () => {
  const frame = decodeFrame([TABLE], encoded);
  expect(frame.rows).toBe(3);
  expect([...frame.column('at')]).toEqual([1.5, Number.NaN, 4]);
  expect([...frame.column('count')]).toEqual([7, -3, 5]);
  expect([...frame.column('state')]).toEqual([-1, 2, 6]);
  expect(() => frame.column('other')).toThrow(RangeError);
});

it('is read wherever it lies in a stream', () => {
  const stream = new Uint8Array(encoded.length + 3);
  stream.set(encoded, 3);
  expect([...decodeFrame([TABLE], stream.subarray(3)).column('count')]).toEqual([7, -3, 5]);
});

it('is refused when it is cut off, of another table, or too long', () => {
  expect(() => decodeFrame([TABLE], encoded.subarray(0, 8))).toThrow('cut off');
  expect(() => decodeFrame([TABLE], encoded.subarray(0, encoded.length - 8))).toThrow(
    'not a frame',
  );
  expect(() => decodeFrame([{ ...TABLE, number: 8 }], encoded)).toThrow('not a frame');
  const many = encoded.slice();
  new Uint32Array(many.buffer, 0, 2)[1] = 4_000_000_000;
  expect(() => decodeFrame([TABLE], many)).toThrow('not a frame');
});
