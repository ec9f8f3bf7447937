/**
 * Writes one table of a recording as a Parquet file, row by row.
 *
 * Rows are gathered into row groups of bounded size; a finished group goes to the disk at once,
 * and only its few numbers of metadata stay in memory. The file has a temporary name until it is
 * complete: a table that exists under its own name can be read. Writing is synchronous, because
 * it happens after the run; conversion yields between steps.
 *
 * Integers of 64 bits wait as doubles, and become the BigInts that the Parquet writer wants one
 * column at a time: a row group of BigInts would be a hundred thousand objects that outlive the
 * young generation (measured: a third of the whole conversion).
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { ColumnBuffer } from './column-buffer.ts';
import { type Column, type Columns, schemaOf } from './columns.ts';
import { RecordingError, reasonOf, systemCode } from './error.ts';

/** Rows in memory before they go to the disk: a few MB for the tables of a recording. */
export const ROW_GROUP_ROWS = 32_768;

export interface TableOptions {
  readonly rowGroupRows?: number;
}

export class TableWriter<Row extends object> {
  readonly #path: string;
  readonly #file: number;
  readonly #parquet: ParquetWriter;
  readonly #columns: readonly ColumnBuffer[];
  readonly #rowGroupRows: number;
  #gathered = 0;
  #rows = 0;
  #closed = false;
  #finished = false;

  /** Creates `path` + ".partial". Throws a RecordingError if it cannot. */
  constructor(path: string, columns: Columns<Row>, options: TableOptions = {}) {
    this.#path = path;
    const entries = Object.entries<Column>(columns);
    this.#rowGroupRows = options.rowGroupRows ?? ROW_GROUP_ROWS;
    this.#columns = entries.map(
      ([name, column]) => new ColumnBuffer(name, column, this.#rowGroupRows),
    );
    this.#file = attempt(path, () => {
      rmSync(partial(path), { force: true });
      return openSync(partial(path), 'wx');
    });
    this.#parquet = new ParquetWriter({
      writer: fileWriter(this.#file),
      schema: schemaOf(entries),
      createdBy: 'waterhammer',
    });
  }

  get rows(): number {
    return this.#rows;
  }

  /** Throws a RangeError for a value that its column cannot hold, or a RecordingError. */
  write(row: Row): void {
    // A value that does not fit leaves nothing behind: the next row takes its place.
    for (const column of this.#columns) {
      column.set(this.#gathered, Reflect.get(row, column.name));
    }
    this.#rows += 1;
    this.#gathered += 1;
    if (this.#gathered >= this.#rowGroupRows) this.#writeGroup();
  }

  /** Completes the file and gives it its name. */
  finish(): void {
    attempt(this.#path, () => {
      if (this.#gathered > 0) this.#writeGroup();
      this.#parquet.finish();
      this.#close();
      renameSync(partial(this.#path), this.#path);
      this.#finished = true;
    });
  }

  /** Gives up: closes the file and removes it, even if it is finished. */
  abandon(): void {
    this.#close();
    rmSync(partial(this.#path), { force: true });
    if (this.#finished) rmSync(this.#path, { force: true });
  }

  #close(): void {
    if (!this.#closed) closeSync(this.#file);
    this.#closed = true;
  }

  #writeGroup(): void {
    const rows = this.#gathered;
    const columnData = this.#columns.map((column) => ({
      name: column.name,
      // Read when it is this column's turn, so that only one column's cells are there at a time.
      get data() {
        return column.cells(rows);
      },
      offsetIndex: false,
    }));
    attempt(this.#path, () =>
      this.#parquet.write({ columnData, rowGroupSize: this.#rowGroupRows }),
    );
    this.#gathered = 0;
  }
}

function partial(path: string): string {
  return `${path}.partial`;
}

/** Bytes gather in memory for one row group, then go to the file. */
function fileWriter(file: number): ByteWriter & { flush(): void } {
  const bytes = new ByteWriter(1 << 16);
  const flush = (): void => {
    const done = new Uint8Array(bytes.buffer, 0, bytes.index);
    for (let offset = 0; offset < done.length; ) {
      offset += writeSync(file, done, offset, done.length - offset);
    }
    bytes.index = 0;
  };
  return Object.assign(bytes, { flush, finish: flush });
}

/** Errors of the disk become RecordingErrors; others pass. */
function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (thrown) {
    if (systemCode(thrown) === null || thrown instanceof RecordingError) throw thrown;
    const text = `${path} cannot be written: ${reasonOf(thrown)}`;
    throw new RecordingError('recording-write-failed', text, thrown);
  }
}
