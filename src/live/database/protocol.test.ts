/** The parts of the protocol by themselves: packets in any pieces, any parameters, any SQL. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PACKET_BYTES_MAX, PacketReader } from './packet-reader.ts';
import { readParameters } from './parameters.ts';
import { parseStatement } from './parser.ts';
import { isLike } from './statements.ts';
import { tokensOf } from './tokens.ts';
import { type Column, ColumnType, Reply } from './wire.ts';

const packet = (payload: Uint8Array, sequence: number): Buffer =>
  Buffer.concat([
    Buffer.from([payload.length & 255, payload.length >> 8, payload.length >> 16, sequence]),
    payload,
  ]);

describe('packets', () => {
  it('come out as they went in, however the bytes are cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 70_000, size: 'max' }), { maxLength: 5 });
    const cuts = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(payloads, cuts, (sent, sizes) => {
        const bytes = Buffer.concat(sent.map((payload, index) => packet(payload, index)));
        const reader = new PacketReader();
        const got: Buffer[] = [];
        // Every read lies in the same buffer, as it does on sockets.
        const shared = Buffer.alloc(40_000);
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          const length = bytes.copy(shared, 0, at, at + size);
          at += length;
          reader.add(shared.subarray(0, length));
          while (reader.next() === 'packet') {
            expect(reader.sequence).toBe(got.length & 255);
            got.push(Buffer.from(reader.payload));
          }
          reader.keep();
          shared.fill(0xee);
        }
        expect(got.map((one) => one.toString('hex'))).toEqual(
          sent.map((one) => Buffer.from(one).toString('hex')),
        );
        expect(reader.waiting).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('that are too large are refused by their head', () => {
    const reader = new PacketReader();
    const head = Buffer.alloc(4);
    head.writeUIntLE(PACKET_BYTES_MAX + 1, 0, 3);
    reader.add(head);
    expect(reader.next()).toBe('too-large');
  });

  it('of one answer are numbered on, and longer than the scratch buffer', () => {
    const column: Column = { name: 'text', type: ColumnType.string };
    const long = 'ä'.repeat(40_000);
    const bytes = new Reply(1).textRows([column], [[long], [null]]).bytes();
    const reader = new PacketReader();
    reader.add(bytes);
    const payloads: Buffer[] = [];
    while (reader.next() === 'packet') {
      payloads.push(reader.payload);
      expect(reader.sequence).toBe(payloads.length);
    }
    expect(payloads).toHaveLength(6);
    // 80,000 bytes are more than two bytes can tell.
    expect(payloads[3]?.[0]).toBe(254);
    expect(payloads[3]?.toString('utf8', 9)).toBe(long);
    expect(payloads[4]).toEqual(Buffer.from([251]));
  });
});

describe('parameters of a prepared statement', () => {
  const execute = (nulls: number[], types: number[] | null, values: Buffer): Buffer =>
    Buffer.concat([
      Buffer.alloc(10),
      Buffer.from(nulls),
      Buffer.from(types === null ? [0] : [1, ...types.flatMap((t) => [t & 255, t >> 8])]),
      values,
    ]);

  it('are read by their types, which later executions need not repeat', () => {
    const double = Buffer.alloc(8);
    double.writeDoubleLE(1.5);
    const values = Buffer.concat([
      Buffer.from([0xff, 0xfe, 0xff]),
      double,
      Buffer.from([2, 0xc3, 0xa4]),
    ]);
    const types = [0x8001, 2, 5, 253];
    const first = readParameters(execute([0], types, values), 4, []);
    expect(first?.values).toEqual([255, -2, 1.5, 'ä']);
    const again = readParameters(execute([0b0100], null, Buffer.from([1, 2, 0, 1, 65])), 4, types);
    expect(again?.values).toEqual([1, 2, null, 'A']);
    expect(readParameters(execute([0], null, values), 4, [])).toBeNull();
  });

  it('are never read beyond the payload, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 9 }), (bytes, n) => {
        const read = readParameters(Buffer.from(bytes), n, new Array<number>(n).fill(253));
        if (read !== null) expect(read.values).toHaveLength(n);
      }),
    );
  });
});

describe('SQL', () => {
  it('of any kind is a statement or an error, soon', () => {
    const words = fc.constantFrom(
      'select',
      'insert',
      'into',
      'items',
      'from',
      'where',
      'id',
      '=',
      '?',
      '1',
      "'",
      '"',
      '`',
      '(',
      ')',
      ',',
      '*',
      '@@version',
      'show',
      'variables',
      'like',
      '%',
      '/*',
      '*/',
      '-- ',
      '\n',
      '\\',
      'values',
      'name',
      'price',
      'limit',
      'as',
      'null',
      '-',
      ';',
      'use',
      'create',
      'ä',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 30 }), (parts) => {
        const statement = parseStatement(parts.join(' '));
        if (statement.kind === 'error') expect(statement.code).toBeGreaterThan(1_000);
        else expect(statement.parameters).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is cut into words without regard to comments; strings as they were meant', () => {
    const texts = (sql: string) => tokensOf(sql)?.map(({ kind, text }) => `${kind} ${text}`);
    expect(
      texts("/* a */ SELECT 'it''s' , \"b\\n\" # end\n -- more\n, `x y`, @@session.v"),
    ).toEqual([
      'word SELECT',
      "string it's",
      'sign ,',
      'string b\n',
      'sign ,',
      'word x y',
      'sign ,',
      'variable v',
    ]);
    expect(texts("'open")?.[0]).toMatch(/^other/);
    expect(tokensOf('1,'.repeat(200))).toBeNull();
  });

  it('LIKE means what it means in MySQL', () => {
    const cases: [string, string, boolean][] = [
      ['max_connections', 'MAX%', true],
      ['max_connections', 'max_connection', false],
      ['max_connections', '%conn%s', true],
      ['ab', 'a_', true],
      ['a', 'a_', false],
      ['', '%', true],
      ['abcabd', '%ab_', true],
    ];
    for (const [text, pattern, expected] of cases) {
      expect([text, pattern, isLike(text, pattern)]).toEqual([text, pattern, expected]);
    }
    // A backtracking expression would not come back from this one.
    expect(isLike('a'.repeat(60), `${'%a'.repeat(50)}b`)).toBe(false);
  });
});
