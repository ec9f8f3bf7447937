/** Small numbers for a policy to index its arrays with, handed out again when free. */
export class Numbered<T> {
  readonly #items: (T | null)[] = [];
  readonly #free: number[] = [];

  /** The number that the next item will have. */
  get next(): number {
    const { length } = this.#free;
    return length > 0 ? (this.#free[length - 1] ?? 0) : this.#items.length;
  }

  add(item: T): number {
    const number = this.#free.pop() ?? this.#items.length;
    this.#items[number] = item;
    return number;
  }

  /** Null for a number that nobody has. */
  find(number: number): T | null {
    return this.#items[number] ?? null;
  }

  /** Throws for a number that nobody has: policy and driver would have lost each other. */
  get(number: number): T {
    const item = this.#items[number];
    if (item === null || item === undefined) throw new Error(`nothing has number ${number}`);
    return item;
  }

  remove(number: number): void {
    this.#items[number] = null;
    this.#free.push(number);
  }
}
