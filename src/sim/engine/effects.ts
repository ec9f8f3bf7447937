/**
 * Decisions of a policy, kept until the input that caused them has returned (policy/contract.ts:
 * no call back from a port). What follows from carrying out a decision comes after the others.
 */
export class Effects {
  readonly #carryOut: (kind: number, a: number, b: number) => void;
  readonly #queue: number[] = [];
  #running = false;

  constructor(carryOut: (kind: number, a: number, b: number) => void) {
    this.#carryOut = carryOut;
  }

  push(kind: number, a: number, b: number): void {
    this.#queue.push(kind, a, b);
  }

  /** Call after every input of the policy. */
  run(): void {
    const queue = this.#queue;
    if (this.#running || queue.length === 0) return;
    this.#running = true;
    for (let i = 0; i < queue.length; i += 3) {
      this.#carryOut(queue[i] as number, queue[i + 1] as number, queue[i + 2] as number);
    }
    queue.length = 0;
    this.#running = false;
  }
}

/** Small numbers for a policy to index its arrays with, handed out again when free. */
export class Numbered<T> {
  readonly #items: (T | null)[] = [];
  readonly #free: number[] = [];

  add(item: T): number {
    const number = this.#free.pop() ?? this.#items.length;
    this.#items[number] = item;
    return number;
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
