/**
 * Reads a table of a recording back, one row group in memory at a time.
 *
 * What is read is checked against the columns: the file comes from a disk and may be anybody's.
 * Columns that it has beyond those asked for are passed over, so that a later version may add some.
 */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { type Column, type Columns, fits, fromCell } from './columns.ts';
import { RecordingError, reasonOf, systemCode } from './error.ts';

/**
 * The rows of a table, one batch per row group. Throws a RecordingError (`recording-unreadable`)
 * for a file that is not this table; a file that is not there throws the system's ENOENT.
 */
export async function* readTable<Row extends object>(
  path: string,
  columns: Columns<Row>,
): AsyncGenerator<readonly Row[], void, undefined> {
  const entries = Object.entries<Column>(columns);
  const isRow = (fields: object): fields is Row => fits(entries, fields);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    const names = entries.map(([name]) => name);
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const raw = await parquetReadObjects({ file, metadata, rowStart, rowEnd, columns: names });
      const batch: Row[] = [];
      for (const cells of raw) {
        // Millions of rows are read so: what was read becomes the row, in place.
        for (const name of names) cells[name] = fromCell(cells[name]);
        if (!isRow(cells)) throw new TypeError('a row has a value of the wrong type');
        batch.push(cells);
      }
      yield batch;
      rowStart = rowEnd;
    }
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') throw thrown;
    const text = `${path} cannot be read as a table of a recording: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-unreadable', text, thrown);
  }
}
