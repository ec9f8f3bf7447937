/**
 * A growable table of numbers: a row for each of somebody's small reusable integers, and a few
 * columns. All of a row lies together, so that a policy that looks at one connection touches one
 * line of memory: with thousands of small policies that is most of what they cost. What was never
 * set is 0.
 */
import { checkIndex } from './int-column.ts';

const NOTHING = new Float64Array(0);

export class IntTable {
  readonly columns: number = 0;
  /** Row after row; for lists, which look at several cells of a row. Another array after `room`. */
  values = NOTHING;
  #rows = 1;

  constructor(columns: number) {
    this.columns = columns;
    this.values = new Float64Array(columns);
  }

  get(row: number, column: number): number {
    return row < this.#rows ? (this.values[row * this.columns + column] ?? 0) : 0;
  }

  set(row: number, column: number, value: number): void {
    if (!(row >= 0 && row < this.#rows)) this.#grow(row);
    this.values[row * this.columns + column] = value;
  }

  add(row: number, column: number, amount: number): void {
    this.set(row, column, this.get(row, column) + amount);
  }

  /** Whether the row was ever set. */
  has(row: number): boolean {
    return row < this.#rows;
  }

  /** Makes sure that the row can be written to `values`. */
  room(row: number): void {
    if (!(row >= 0 && row < this.#rows)) this.#grow(row);
  }

  #grow(row: number): void {
    checkIndex(row);
    const rows = Math.max(this.#rows * 2, row + 1);
    const grown = new Float64Array(rows * this.columns);
    grown.set(this.values);
    this.values = grown;
    this.#rows = rows;
  }
}
