/**
 * The values of one column that wait for their row group. Numbers of the row's 64-bit integers
 * wait in a typed array, everything else as it is.
 */
import { type Column, holds } from './columns.ts';

export class ColumnBuffer {
  readonly name: string;
  readonly #column: Column;
  /** Of an int64 column; NaN stands for null. */
  readonly #integers: Float64Array | null;
  readonly #others: unknown[] = [];

  constructor(name: string, column: Column, rowsMax: number) {
    this.name = name;
    this.#column = column;
    this.#integers = column.type === 'int64' ? new Float64Array(rowsMax) : null;
  }

  /** Throws a RangeError for a value that the column cannot hold. */
  set(row: number, value: unknown): void {
    if (!holds(this.#column, value)) {
      throw new RangeError(
        `column ${this.name} (${this.#column.type}) cannot hold ${String(value)}`,
      );
    }
    if (this.#integers === null) this.#others[row] = value;
    else this.#integers[row] = typeof value === 'number' ? value : Number.NaN;
  }

  /** The first `rows` values as Parquet's cells. */
  cells(rows: number): unknown[] {
    if (this.#integers === null) return this.#others.slice(0, rows);
    const cells: unknown[] = new Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = this.#integers[row] ?? Number.NaN;
      cells[row] = Number.isNaN(value) ? null : BigInt(value);
    }
    return cells;
  }
}
