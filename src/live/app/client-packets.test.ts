/** The app's client against the embedded server's own reading and writing of the same packets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PacketReader } from '../database/packet-reader.ts';
import { readParameters } from '../database/parameters.ts';
import { type Column, ColumnType, Reply, type Value } from '../database/wire.ts';
import { binaryRow, columnType, executePacket, integerAt } from './client-packets.ts';

const value = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 200, maxLength: 400 }),
);

function payloads(bytes: Buffer): Buffer[] {
  const reader = new PacketReader();
  reader.add(bytes);
  const found: Buffer[] = [];
  while (reader.next() === 'packet') found.push(Buffer.from(reader.payload));
  return found;
}

describe("the client's packets", () => {
  it('carry parameters as the server reads them', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), fc.nat(), (values, statement) => {
        const [payload = Buffer.alloc(0), ...more] = payloads(executePacket(statement, values));
        expect(more).toEqual([]);
        expect(payload.readUInt32LE(1)).toBe(statement);
        const read = readParameters(payload, values.length, []);
        expect(read?.values).toEqual(values);
      }),
    );
  });

  it('give back the rows that the server wrote', () => {
    const cell = fc.oneof(
      fc.tuple(fc.constant(ColumnType.long), fc.option(fc.integer())),
      fc.tuple(fc.constant(ColumnType.longlong), fc.option(fc.maxSafeInteger())),
      fc.tuple(fc.constant(ColumnType.string), fc.option(fc.string({ unit: 'binary' }))),
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1, maxLength: 12 }), (cells) => {
        const columns: Column[] = cells.map(([type], index) => ({ name: `c${index}`, type }));
        const row: Value[] = cells.map(([, content]) => content);
        const packets = payloads(new Reply(1).binaryRows(columns, [row]).bytes());
        const [count = Buffer.alloc(0), ...rest] = packets;
        expect(integerAt(count, 0)?.value).toBe(columns.length);
        const types = rest.slice(0, columns.length).map((payload) => columnType(payload) ?? -1);
        expect(types).toEqual(columns.map(({ type }) => type));
        const written = rest[columns.length + 1] ?? Buffer.alloc(0);
        expect(binaryRow(written, types)).toEqual(row);
        for (let end = 0; end < written.length; end++) {
          expect(() => binaryRow(written.subarray(0, end), types)).not.toThrow();
        }
      }),
    );
  });

  it('survive any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(255)), (bytes, types) => {
        const payload = Buffer.from(bytes);
        columnType(payload);
        binaryRow(payload, types);
        integerAt(payload, 0);
      }),
    );
  });
});
