/**
 * The packets of one answer of a MySQL server: OK, ERR, EOF, column definitions, rows of the
 * text and of the binary protocol (MySQL internals, "Client/Server Protocol"). All packets of
 * an answer are laid out in one scratch buffer and leave as one chunk, one write.
 *
 * Left out: compression, TLS, packets of 16 MiB and more, CLIENT_DEPRECATE_EOF.
 * Budget: a few microseconds per answer, one allocation; column definitions are made once.
 */

export const STATUS_AUTOCOMMIT = 2;
const CHARSET_UTF8MB4 = 45;
const CHARSET_BINARY = 63;
const NULL = 251;

/** Column types that the embedded database has: INT, BIGINT, VARCHAR. */
export const ColumnType = { long: 3, longlong: 8, string: 253 } as const;

export interface Column {
  readonly name: string;
  readonly type: (typeof ColumnType)[keyof typeof ColumnType];
}

export type Value = number | string | null;
export type Row = readonly Value[];

/** Shared by all answers of the process: one is laid out and taken at a time. */
let scratch = Buffer.allocUnsafe(16_384);

export class Reply {
  #sequence: number;
  #length = 0;
  /** Where the open packet's head is. */
  #head = 0;

  /** `sequence`: number of the first packet, one more than the request's last. */
  constructor(sequence: number) {
    this.#sequence = sequence;
  }

  /** A packet with this payload. */
  packet(payload: Uint8Array): this {
    this.#begin();
    this.#room(payload.length);
    scratch.set(payload, this.#length);
    this.#length += payload.length;
    return this.#end();
  }

  ok(affectedRows = 0, insertId = 0): this {
    this.#begin();
    this.#byte(0);
    this.#integer(affectedRows);
    this.#integer(insertId);
    this.#uint16(STATUS_AUTOCOMMIT);
    this.#uint16(0);
    return this.#end();
  }

  error(code: number, state: string, message: string): this {
    this.#begin();
    this.#byte(255);
    this.#uint16(code);
    this.#text(`#${state}${message}`);
    return this.#end();
  }

  eof(): this {
    this.#begin();
    this.#byte(254);
    this.#uint16(0);
    this.#uint16(STATUS_AUTOCOMMIT);
    return this.#end();
  }

  /** Column definitions and their EOF. */
  columns(columns: readonly Column[]): this {
    for (const column of columns) this.packet(definitionOf(column));
    return this.eof();
  }

  /** A result set in the text protocol. */
  textRows(columns: readonly Column[], rows: readonly Row[]): this {
    this.#columnCount(columns);
    for (const row of rows) {
      this.#begin();
      for (const value of row) {
        if (value === null) this.#byte(NULL);
        else this.#string(String(value));
      }
      this.#end();
    }
    return this.eof();
  }

  /** A result set in the binary protocol, as prepared statements give it. */
  binaryRows(columns: readonly Column[], rows: readonly Row[]): this {
    this.#columnCount(columns);
    for (const row of rows) this.#binaryRow(columns, row);
    return this.eof();
  }

  /** The answer in a buffer of its own; this Reply is over. */
  bytes(): Buffer {
    return Buffer.from(scratch.subarray(0, this.#length));
  }

  #columnCount(columns: readonly Column[]): void {
    this.#begin();
    this.#integer(columns.length);
    this.#end();
    this.columns(columns);
  }

  #binaryRow(columns: readonly Column[], row: Row): void {
    this.#begin();
    const nulls = this.#length + 1;
    const bitmapBytes = (columns.length + 9) >> 3;
    this.#room(1 + bitmapBytes);
    scratch.fill(0, this.#length, nulls + bitmapBytes);
    this.#length = nulls + bitmapBytes;
    row.forEach((value, index) => {
      const type = columns[index]?.type;
      if (value === null) {
        const at = nulls + ((index + 2) >> 3);
        scratch[at] = (scratch[at] ?? 0) | (1 << ((index + 2) & 7));
      } else if (type === ColumnType.string) this.#string(String(value));
      else if (type === ColumnType.long) this.#int32(Number(value));
      else this.#int64(Number(value));
    });
    this.#end();
  }

  #begin(): void {
    this.#head = this.#length;
    this.#room(4);
    this.#length += 4;
  }

  #end(): this {
    scratch.writeUIntLE(this.#length - this.#head - 4, this.#head, 3);
    scratch[this.#head + 3] = this.#sequence & 255;
    this.#sequence += 1;
    return this;
  }

  #room(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= scratch.length) return;
    const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * scratch.length));
    scratch.copy(larger, 0, 0, this.#length);
    scratch = larger;
  }

  #byte(value: number): void {
    this.#room(1);
    scratch[this.#length] = value;
    this.#length += 1;
  }

  #uint16(value: number): void {
    this.#room(2);
    this.#length = scratch.writeUInt16LE(value, this.#length);
  }

  #int32(value: number): void {
    this.#room(4);
    this.#length = scratch.writeInt32LE(value, this.#length);
  }

  #int64(value: number): void {
    this.#room(8);
    this.#length = scratch.writeBigInt64LE(BigInt(value), this.#length);
  }

  /** Length-encoded integer. */
  #integer(value: number): void {
    if (value < 251) this.#byte(value);
    else if (value < 65_536) {
      this.#byte(252);
      this.#uint16(value);
    } else {
      this.#byte(254);
      this.#int64(value);
    }
  }

  /** Length-encoded string. */
  #string(text: string): void {
    this.#integer(Buffer.byteLength(text));
    this.#text(text);
  }

  #text(text: string): void {
    this.#room(text.length * 3);
    this.#length += scratch.write(text, this.#length);
  }
}

const definitions = new WeakMap<Column, Buffer>();

/** The payload of a column's definition, made once per column. */
function definitionOf(column: Column): Buffer {
  const known = definitions.get(column);
  if (known !== undefined) return known;
  const isText = column.type === ColumnType.string;
  const tail = Buffer.alloc(13);
  tail[0] = 12;
  tail.writeUInt16LE(isText ? CHARSET_UTF8MB4 : CHARSET_BINARY, 1);
  tail.writeUInt32LE(isText ? 1_020 : 20, 3);
  tail[7] = column.type;
  const names = ['def', 'waterhammer', 'items', 'items', column.name, column.name];
  // A name has at most 64 characters, so one byte tells its length.
  const texts = names.map((name) => Buffer.from(name.slice(0, 62)));
  const parts = texts.flatMap((text) => [Buffer.from([text.length]), text]);
  const made = Buffer.concat([...parts, tail]);
  definitions.set(column, made);
  return made;
}
