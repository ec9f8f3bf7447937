/** A growable column of numbers indexed by small integers; what was never set is 0. */
export class IntColumn {
  #values = new Float64Array(16);

  get(index: number): number {
    return this.#values[index] ?? 0;
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) {
      const grown = new Float64Array(Math.max(this.#values.length * 2, index + 1));
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[index] = value;
  }

  add(index: number, amount: number): void {
    this.set(index, this.get(index) + amount);
  }
}
