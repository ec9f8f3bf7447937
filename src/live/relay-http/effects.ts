/**
 * Decisions of a policy, kept until the input that caused them has returned: a port method must
 * not call back into its policy (policy/contract.ts), and carrying out a decision often does.
 * Decisions that follow from carrying out others come after them.
 */
export class Effects {
  readonly #carryOut: (kind: number, a: number, b: number) => void;
  /** Three numbers each; what lies beyond `#length` is of earlier times. */
  readonly #queue: number[] = [];
  #length = 0;
  #running = false;

  constructor(carryOut: (kind: number, a: number, b: number) => void) {
    this.#carryOut = carryOut;
  }

  push(kind: number, a: number, b: number): void {
    const at = this.#length;
    this.#queue[at] = kind;
    this.#queue[at + 1] = a;
    this.#queue[at + 2] = b;
    this.#length = at + 3;
  }

  /** Call after every input of the policy. */
  run(): void {
    if (this.#running || this.#length === 0) return;
    this.#running = true;
    const queue = this.#queue;
    for (let i = 0; i < this.#length; i += 3) {
      this.#carryOut(queue[i] ?? 0, queue[i + 1] ?? 0, queue[i + 2] ?? 0);
    }
    // Not `queue.length = 0`, which gives its memory back each time.
    this.#length = 0;
    this.#running = false;
  }
}

/** Small numbers for a policy to index its arrays with, handed out again when free. */
export class Numbers<T> {
  readonly #items: (T | null)[] = [];
  readonly #free: number[] = [];

  add(make: (number: number) => T): T {
    const number = this.#free.pop() ?? this.#items.length;
    const item = make(number);
    this.#items[number] = item;
    return item;
  }

  get(number: number): T | null {
    return this.#items[number] ?? null;
  }

  remove(number: number): void {
    if (this.#items[number] === undefined || this.#items[number] === null) return;
    this.#items[number] = null;
    this.#free.push(number);
  }
}
