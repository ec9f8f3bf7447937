/**
 * How rows travel to the page: a frame is a table's rows as columns, first doubles, then 32-bit
 * integers, little-endian as every machine that we run on. The page reads the columns where they
 * lie; nothing is parsed.
 *
 *   u32 table | u32 rows | u32 x 2 nothing | f64 column x doubles | i32 column x integers | to 8
 *
 * What cannot be known is NaN in a double and -1 in an integer.
 */
export interface FrameTable {
  readonly number: number;
  readonly doubles: readonly string[];
  readonly integers: readonly string[];
}

/** Columns by name, all of the same length. */
export interface Frame {
  readonly table: number;
  readonly rows: number;
  readonly column: (name: string) => Float64Array | Int32Array;
}

const HEADER_BYTES = 16;
/** More rows than that are no frame of ours. */
const ROWS_MAX = 4_000_000;

type Cell = number | null;

/** `cellsOf` gives the cells of a row in the order of the table: doubles, then integers. */
export function encodeFrame<Row>(
  table: FrameTable,
  rows: readonly Row[],
  cellsOf: (row: Row) => readonly Cell[],
): Uint8Array {
  const { bytes, columns } = emptyFrame(table, rows.length);
  const missing = columns.map((column) => (column instanceof Float64Array ? Number.NaN : -1));
  for (let at = 0; at < rows.length; at++) {
    const cells = cellsOf(rows[at] as Row);
    for (let index = 0; index < columns.length; index++) {
      (columns[index] as Float64Array | Int32Array)[at] =
        cells[index] ?? (missing[index] as number);
    }
  }
  return bytes;
}

/** The same of rows that are there as columns, in the order of the table. */
export function encodeColumns(
  table: FrameTable,
  rows: number,
  cells: readonly (readonly Cell[])[],
): Uint8Array {
  const { bytes, columns } = emptyFrame(table, rows);
  columns.forEach((column, index) => {
    const missing = column instanceof Float64Array ? Number.NaN : -1;
    const from = cells[index] ?? [];
    for (let at = 0; at < rows; at++) column[at] = from[at] ?? missing;
  });
  return bytes;
}

function emptyFrame(
  table: FrameTable,
  rows: number,
): { bytes: Uint8Array; columns: (Float64Array | Int32Array)[] } {
  const bytes = new Uint8Array(bytesOf(table, rows));
  new Uint32Array(bytes.buffer, 0, 2).set([table.number, rows]);
  return { bytes, columns: columnsOf(table, rows, bytes) };
}

/** Throws a RangeError for what is no frame of one of the tables. */
export function decodeFrame(tables: readonly FrameTable[], bytes: Uint8Array): Frame {
  // Columns can only be looked at where doubles may begin.
  const whole = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  if (whole.length < HEADER_BYTES) throw new RangeError('a frame is cut off');
  const [number = 0, rows = 0] = new Uint32Array(whole.buffer, whole.byteOffset, 2);
  const table = tables.find((one) => one.number === number);
  if (table === undefined || rows > ROWS_MAX || whole.length !== bytesOf(table, rows)) {
    throw new RangeError('not a frame');
  }
  const columns = columnsOf(table, rows, whole);
  const names = [...table.doubles, ...table.integers];
  const column = (name: string): Float64Array | Int32Array => {
    const found = columns[names.indexOf(name)];
    if (found === undefined) throw new RangeError(`no column ${name}`);
    return found;
  };
  return { table: number, rows, column };
}

function bytesOf({ doubles, integers }: FrameTable, rows: number): number {
  const bytes = HEADER_BYTES + rows * (doubles.length * 8 + integers.length * 4);
  return Math.ceil(bytes / 8) * 8;
}

function columnsOf(
  { doubles, integers }: FrameTable,
  rows: number,
  bytes: Uint8Array,
): (Float64Array | Int32Array)[] {
  const { buffer, byteOffset } = bytes;
  let at = byteOffset + HEADER_BYTES;
  const columns: (Float64Array | Int32Array)[] = [];
  for (let index = 0; index < doubles.length; index++, at += rows * 8) {
    columns.push(new Float64Array(buffer, at, rows));
  }
  for (let index = 0; index < integers.length; index++, at += rows * 4) {
    columns.push(new Int32Array(buffer, at, rows));
  }
  return columns;
}
