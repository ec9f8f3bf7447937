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
}
