/**
 * A log-linear histogram of non-negative integers, in the bucket scheme of HdrHistogram
 * (http://hdrhistogram.org): values below 256 have a cell each; above, every power of two is
 * divided into 128 cells of equal width.
 *
 *   0 1 2 ... 255 | 256 258 ... 510 | 512 516 ... 1020 | 1024 ...
 *     width 1           width 2           width 4          width 8
 *
 * A quantile is the middle of the cell in which it falls, so its relative error is at most
 * half a cell's width: 1/256 = 0.4 %. Values below 2^40 are told apart (in µs: 12 days), larger
 * ones share the last cell. Adding costs a few integer operations and no allocation.
 */
const LINEAR_BITS = 8;
const LINEAR = 1 << LINEAR_BITS;
const HALF = LINEAR / 2;
const VALUE_BITS = 40;
const VALUE_MAX = 1_099_511_627_775;
const CELLS = LINEAR + (VALUE_BITS - LINEAR_BITS) * HALF;

export class Histogram {
  readonly #cells = new Float64Array(CELLS);
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact, unlike the quantiles; null when empty. */
  get mean(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }

  add(value: number): void {
    const whole = value > 0 ? Math.min(Math.round(value), VALUE_MAX) : 0;
    const cell = cellOf(whole);
    this.#cells[cell] = (this.#cells[cell] ?? 0) + 1;
    this.#count += 1;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /** Adds what another histogram holds. */
  merge(other: Histogram): void {
    for (let cell = 0; cell < CELLS; cell++) {
      this.#cells[cell] = (this.#cells[cell] ?? 0) + (other.#cells[cell] ?? 0);
    }
    this.#count += other.#count;
    this.#sum += other.#sum;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
  }

  /**
   * The smallest value that at least `share` (0..1) of the values do not exceed (nearest rank),
   * within 0.4 %; null when empty.
   */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      seen += this.#cells[cell] ?? 0;
      if (seen >= rank) return Math.min(Math.max(middleOf(cell), this.#min), this.#max);
    }
    return this.#max;
  }

  clear(): void {
    if (this.#count === 0) return;
    this.#cells.fill(0);
    this.#count = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }
}

function cellOf(value: number): number {
  if (value < LINEAR) return value;
  let shift = 0;
  let rest = value;
  // At most four rounds of large steps, then single ones: values of milliseconds need few.
  while (rest >= LINEAR * LINEAR) {
    rest = Math.floor(rest / LINEAR);
    shift += LINEAR_BITS;
  }
  while (rest >= LINEAR) {
    rest = Math.floor(rest / 2);
    shift += 1;
  }
  return LINEAR + (shift - 1) * HALF + (rest - HALF);
}

function middleOf(cell: number): number {
  if (cell < LINEAR) return cell;
  const shift = Math.floor((cell - LINEAR) / HALF) + 1;
  let width = 1;
  for (let i = 0; i < shift; i++) width *= 2;
  const start = (((cell - LINEAR) % HALF) + HALF) * width;
  return start + (width - 1) / 2;
}
