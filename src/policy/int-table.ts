/**
 * A growable table of numbers: a row for each of somebody's small reusable integers, and a few
 * columns. All of a row lies together, so that a policy that looks at one connection touches one
 * line of memory: with thousands of small policies that is most of what they cost. Rows begin at
 * multiples of a power of two, so that a cell is found by a shift and an or. What was never set
 * is 0.
 */
import { checkIndex } from './int-column.ts';

const NOTHING = new Float64Array(0);

export class IntTable {
  /** Row `n` begins at cell `n << shift`. */
  readonly shift: number = 0;
  /** Row after row; for lists, which look at several cells of a row. Another array after `room`. */
  values = NOTHING;

  constructor(columns: number) {
    this.shift = 32 - Math.clz32(columns - 1);
    this.values = new Float64Array(1 << this.shift);
  }

  get(row: number, column: number): number {
    return this.has(row) ? (this.values[(row << this.shift) | column] ?? 0) : 0;
  }

  set(row: number, column: number, value: number): void {
    this.room(row);
    this.values[(row << this.shift) | column] = value;
  }

  add(row: number, column: number, amount: number): void {
    this.set(row, column, this.get(row, column) + amount);
  }

  /** Whether the row was ever set. */
  has(row: number): boolean {
    return row >>> 0 < this.values.length >>> this.shift;
  }

  /** Makes sure that the row can be written to `values`. */
  room(row: number): void {
    if (row >>> 0 !== row || !this.has(row)) this.#grow(row);
  }

  #grow(row: number): void {
    checkIndex(row);
    const cells = Math.max(this.values.length * 2, (row + 1) << this.shift);
    const grown = new Float64Array(cells);
    grown.set(this.values);
    this.values = grown;
  }
}
