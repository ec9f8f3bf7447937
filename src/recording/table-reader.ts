/**
 * Reads a table of a recording back, one row group in memory at a time: as rows, or as columns
 * where millions of rows are only passed on.
 *
 * What is read is checked against the columns: the file comes from a disk and may be anybody's.
 * Columns that it has beyond those asked for are passed over, so that a later version may add some.
 */
import { asyncBufferFromFile, type ColumnData, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { type Column, type ColumnEntries, type Columns, fromCell, holds } from './columns.ts';
import { RecordingError, reasonOf, systemCode } from './error.ts';

/** The cells of a row group, by column. */
export type ColumnCells<Row> = { readonly [Name in keyof Row]: readonly Row[Name][] };

/**
 * The columns of a table, one batch per row group. Throws a RecordingError (`recording-unreadable`)
 * for a file that is not this table; a file that is not there throws the system's ENOENT.
 */
export async function* readColumns<Row extends object>(
  path: string,
  columns: Columns<Row>,
): AsyncGenerator<ColumnCells<Row>, void, undefined> {
  for await (const { cells } of readGroups(path, columns)) yield cells;
}

/** The rows of a table, in the same batches, with the same errors. */
export async function* readTable<Row extends object>(
  path: string,
  columns: Columns<Row>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const names = Object.keys(columns) as (keyof Row)[];
  for await (const { rows, cells } of readGroups(path, columns)) {
    const read = names.map((name) => cells[name]);
    const batch: Row[] = [];
    for (let at = 0; at < rows; at++) {
      const row = {} as Row;
      for (let index = 0; index < names.length; index++) {
        row[names[index] as keyof Row] = read[index]?.[at] as Row[keyof Row];
      }
      batch.push(row);
    }
    yield batch;
  }
}

interface Group<Row> {
  readonly rows: number;
  readonly cells: ColumnCells<Row>;
}

async function* readGroups<Row extends object>(
  path: string,
  columns: Columns<Row>,
): AsyncGenerator<Group<Row>, void, undefined> {
  const entries = Object.entries<Column>(columns);
  const names = entries.map(([name]) => name);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rows = Number(group.num_rows);
      const rowEnd = rowStart + rows;
      const cells: Record<string, unknown[]> = {};
      const onChunk = ({ columnName, columnData }: ColumnData): void => {
        const before = cells[columnName];
        const now = cellsOf(columnData);
        cells[columnName] = before === undefined ? now : before.concat(now);
      };
      await parquetRead({ file, metadata, rowStart, rowEnd, columns: names, onChunk });
      if (!fits<Row>(entries, rows, cells)) {
        throw new TypeError('a column has a value of the wrong type');
      }
      yield { rows, cells };
      rowStart = rowEnd;
    }
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') throw thrown;
    const text = `${path} cannot be read as a table of a recording: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-unreadable', text, thrown);
  }
}

/** In place, where that is possible: it is done for every cell of a recording. */
function cellsOf(read: ColumnData['columnData']): unknown[] {
  if (!Array.isArray(read)) return Array.from<number | bigint, unknown>(read, fromCell);
  const cells: unknown[] = read;
  for (let at = 0; at < cells.length; at++) {
    const cell = cells[at];
    if (cell === undefined || typeof cell === 'bigint') cells[at] = fromCell(cell);
  }
  return cells;
}

/** Is each column there, with values that it can hold? */
function fits<Row>(
  entries: ColumnEntries,
  rows: number,
  cells: Record<string, unknown[]>,
): cells is Record<string, unknown[]> & ColumnCells<Row> {
  return entries.every(([name, column]) => {
    const values = cells[name];
    return values?.length === rows && values.every((value) => holds(column, value));
  });
}
