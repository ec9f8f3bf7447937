/**
 * The MySQL client/server protocol's elements: packets (3 bytes length, 1 byte sequence number),
 * length-encoded integers and strings, OK, ERR, EOF, column definitions and rows. Source: MySQL
 * internals, "Client/Server Protocol". Left out: compression, TLS, packets of 16 MiB and more,
 * CLIENT_DEPRECATE_EOF.
 */

export const STATUS_AUTOCOMMIT = 2;
const CHARSET_UTF8MB4 = 45;
const CHARSET_BINARY = 63;

/** Column types that the embedded database has. */
export const ColumnType = { long: 3, string: 253 } as const;

export interface Column {
  readonly name: string;
  readonly type: (typeof ColumnType)[keyof typeof ColumnType];
}

export type Value = number | string | null;

/** Collects the packets of one reply, to be written at once. */
export class Reply {
  #parts: Buffer[] = [];
  #sequence: number;

  /** `sequence`: number of the first packet, one more than the request's last. */
  constructor(sequence: number) {
    this.#sequence = sequence;
  }

  packet(payload: Buffer): this {
    const head = Buffer.allocUnsafe(4);
    head.writeUIntLE(payload.length, 0, 3);
    head[3] = this.#sequence & 255;
    this.#sequence += 1;
    this.#parts.push(head, payload);
    return this;
  }

  ok(affectedRows = 0, insertId = 0): this {
    return this.packet(
      Buffer.concat([
        Buffer.from([0]),
        integer(affectedRows),
        integer(insertId),
        Buffer.from([STATUS_AUTOCOMMIT, 0, 0, 0]),
      ]),
    );
  }

  error(code: number, state: string, message: string): this {
    const head = Buffer.from([255, code & 255, code >> 8]);
    return this.packet(Buffer.concat([head, Buffer.from(`#${state}${message}`)]));
  }

  eof(): this {
    return this.packet(Buffer.from([254, 0, 0, STATUS_AUTOCOMMIT, 0]));
  }

  columns(columns: readonly Column[]): this {
    for (const column of columns) this.packet(definition(column));
    return this.eof();
  }

  /** A result set in the text protocol. */
  textRows(columns: readonly Column[], rows: readonly (readonly Value[])[]): this {
    this.packet(integer(columns.length)).columns(columns);
    for (const row of rows) {
      this.packet(
        Buffer.concat(row.map((value) => (value === null ? NULL : string(String(value))))),
      );
    }
    return this.eof();
  }

  /** A result set in the binary protocol, as prepared statements give it. */
  binaryRows(columns: readonly Column[], rows: readonly (readonly Value[])[]): this {
    this.packet(integer(columns.length)).columns(columns);
    for (const row of rows) this.packet(binaryRow(columns, row));
    return this.eof();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

const NULL = Buffer.from([251]);

/** Length-encoded integer. */
export function integer(value: number): Buffer {
  if (value < 251) return Buffer.from([value]);
  if (value < 65_536) return Buffer.from([252, value & 255, value >> 8]);
  if (value < 16_777_216) {
    return Buffer.from([253, value & 255, (value >> 8) & 255, value >> 16]);
  }
  const long = Buffer.alloc(9);
  long[0] = 254;
  long.writeBigUInt64LE(BigInt(value), 1);
  return long;
}

/** Length-encoded string. */
export function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([integer(bytes.length), bytes]);
}

function definition({ name, type }: Column): Buffer {
  const tail = Buffer.alloc(13);
  tail[0] = 12;
  tail.writeUInt16LE(type === ColumnType.string ? CHARSET_UTF8MB4 : CHARSET_BINARY, 1);
  tail.writeUInt32LE(type === ColumnType.string ? 1_020 : 11, 3);
  tail[7] = type;
  const names = ['def', 'waterhammer', 'items', 'items', name, name];
  return Buffer.concat([...names.map(string), tail]);
}

function binaryRow(columns: readonly Column[], row: readonly Value[]): Buffer {
  const nulls = Buffer.alloc(((columns.length + 9) >> 3) + 1);
  const values: Buffer[] = [nulls];
  row.forEach((value, index) => {
    if (value === null) {
      const bit = index + 2;
      nulls[1 + (bit >> 3)] = (nulls[1 + (bit >> 3)] ?? 0) | (1 << (bit & 7));
    } else if (columns[index]?.type === ColumnType.long) {
      const long = Buffer.alloc(4);
      long.writeInt32LE(Number(value));
      values.push(long);
    } else values.push(string(String(value)));
  });
  return Buffer.concat(values);
}

/** Packets larger than this are a protocol error: our app sends far smaller ones. */
export const PACKET_BYTES_MAX = 1_048_576;

/** Cuts a byte stream into packets. */
export class PacketReader {
  readonly #onPacket: (payload: Buffer, sequence: number) => void;
  #kept = Buffer.alloc(0);

  constructor(onPacket: (payload: Buffer, sequence: number) => void) {
    this.#onPacket = onPacket;
  }

  /** Payloads are copies. False when a packet is too large. */
  feed(chunk: Buffer): boolean {
    let bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    while (bytes.length >= 4) {
      const length = bytes.readUIntLE(0, 3);
      if (length > PACKET_BYTES_MAX) return false;
      if (bytes.length < 4 + length) break;
      this.#onPacket(Buffer.from(bytes.subarray(4, 4 + length)), bytes[3] ?? 0);
      bytes = bytes.subarray(4 + length);
    }
    this.#kept = Buffer.from(bytes);
    return true;
  }
}
