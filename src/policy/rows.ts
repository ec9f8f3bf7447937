/**
 * A growable table with a row of 2^n words for each of somebody's small integers. A word is an
 * int32; two of them, from an even column on, can be a double instead. Whoever shares a table has
 * columns of its own, so that all that is known of a connection lies together: a visit to one of
 * thousands touches a line or two of memory, no boxes and no headers.
 *
 *   ints     │ 0 │ 1 │ 2 │ 3 │ 4 │ 5 │ 6 │ 7 │       row << shift | column
 *   doubles  │   0   │   1   │   2   │   3   │       row << shift - 1 | column / 2
 *
 * What was never set is 0. Both arrays are others after a row was added: read them anew after
 * whatever may add one.
 */
import { INDEX_MAX } from './int-column.ts';

export class Rows {
  /** Row `n` begins at word `n << shift`. */
  readonly shift: number = 0;
  doubles = new Float64Array(0);
  ints = new Int32Array(0);

  /** `words`: per row, a power of two from 2 on. */
  constructor(words: number) {
    this.shift = 31 - Math.clz32(words);
    if (words < 2 || 1 << this.shift !== words) throw new RangeError(`${words} words to a row`);
    this.#grow(16);
  }

  /** Makes sure that the row is there. */
  room(row: number): void {
    if (row >>> 0 < this.ints.length >>> this.shift && row === row >>> 0) return;
    if (!Number.isInteger(row) || row < 0 || row > INDEX_MAX) {
      throw new RangeError(`${row} is not a number to index with (0 .. ${INDEX_MAX})`);
    }
    this.#grow(Math.max(row + 1, (this.ints.length >>> this.shift) * 2));
  }

  /** As if the row, which is there, had never been set. (`fill` costs more than all of this.) */
  clear(row: number): void {
    const { doubles } = this;
    const end = (row + 1) << (this.shift - 1);
    for (let at = row << (this.shift - 1); at < end; at++) doubles[at] = 0;
  }

  #grow(rows: number): void {
    const doubles = new Float64Array(rows << (this.shift - 1));
    doubles.set(this.doubles);
    this.doubles = doubles;
    this.ints = new Int32Array(doubles.buffer);
  }
}
