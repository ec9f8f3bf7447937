/** Typed columns that grow: the rows of a story lie in them by index. */
export class Doubles {
  values: Float64Array;
  readonly #empty: number;

  constructor(empty: number, capacity = 1_024) {
    this.#empty = empty;
    this.values = new Float64Array(capacity).fill(empty);
  }

  get(index: number): number {
    return this.values[index] ?? this.#empty;
  }

  set(index: number, value: number): void {
    if (index >= this.values.length) {
      const grown = new Float64Array(Math.max(index + 1, this.values.length * 2)).fill(this.#empty);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[index] = value;
  }

  /** Everything from `index` on is empty again. */
  clear(index: number): void {
    this.values.fill(this.#empty, index);
  }
}

export class Integers {
  values: Int32Array;
  readonly #empty: number;

  constructor(empty: number, capacity = 1_024) {
    this.#empty = empty;
    this.values = new Int32Array(capacity).fill(empty);
  }

  get(index: number): number {
    return this.values[index] ?? this.#empty;
  }

  set(index: number, value: number): void {
    if (index >= this.values.length) {
      const grown = new Int32Array(Math.max(index + 1, this.values.length * 2)).fill(this.#empty);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[index] = value;
  }

  /** Everything from `index` on is empty again. */
  clear(index: number): void {
    this.values.fill(this.#empty, index);
  }
}

const PAGE_BITS = 12;

/**
 * Integers by number of a connection, -1 where there is none. A long run has millions of numbers,
 * of which few are still known: they lie in pages, and a page without any is not there.
 */
export class Numbered {
  readonly #pages: (Int32Array | undefined)[] = [];

  get(number: number): number {
    if (number < 0) return -1;
    return this.#pages[number >> PAGE_BITS]?.[number & (2 ** PAGE_BITS - 1)] ?? -1;
  }

  set(number: number, value: number): void {
    const at = number >> PAGE_BITS;
    let page = this.#pages[at];
    if (page === undefined) {
      page = new Int32Array(2 ** PAGE_BITS).fill(-1);
      this.#pages[at] = page;
    }
    page[number & (2 ** PAGE_BITS - 1)] = value;
  }
}
