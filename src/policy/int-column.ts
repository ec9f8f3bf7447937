/**
 * A growable column of numbers indexed by small integers; what was never set is 0. An index is
 * somebody's reusable number: one beyond INDEX_MAX means that numbers are not handed back, which
 * would grow without limit, so it throws.
 */
export const INDEX_MAX = 67_108_863;

export class IntColumn {
  #values = new Float64Array(16);

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (!(index >= 0 && index < this.#values.length)) this.#grow(index);
    this.#values[index] = value;
  }

  add(index: number, amount: number): void {
    this.set(index, this.get(index) + amount);
  }

  #grow(index: number): void {
    checkIndex(index);
    const grown = new Float64Array(Math.max(this.#values.length * 2, index + 1));
    grown.set(this.#values);
    this.#values = grown;
  }
}

/** Throws for what is not an integer in 0 .. INDEX_MAX. */
export function checkIndex(index: number): void {
  if (!Number.isInteger(index) || index < 0 || index > INDEX_MAX) {
    throw new RangeError(`${index} is not a number to index with (0 .. ${INDEX_MAX})`);
  }
}
