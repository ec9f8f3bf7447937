/**
 * Event columns: a block of events as parallel typed arrays, 43 bytes a row. Writers append
 * in time order; when a block is full it is handed on and another one begins. Layout and
 * meaning of the columns are in `model/event.ts`.
 */

export const EVENTS_PER_BLOCK = 8_192;

export class EventBlock {
  readonly at: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly end: Uint32Array;
  readonly exchange: Uint32Array;
  readonly instance: Uint16Array;
  readonly kind: Uint8Array;
  readonly capacity: number;
  /** Process that wrote the rows. */
  process = 0;
  /** Sequence number of row 0 among the events of its process. */
  firstSequence = 0;
  count = 0;

  constructor(capacity: number = EVENTS_PER_BLOCK) {
    this.capacity = capacity;
    this.at = new Float64Array(capacity);
    this.a = new Float64Array(capacity);
    this.b = new Float64Array(capacity);
    this.c = new Float64Array(capacity);
    this.end = new Uint32Array(capacity);
    this.exchange = new Uint32Array(capacity);
    this.instance = new Uint16Array(capacity);
    this.kind = new Uint8Array(capacity);
  }
}

/** Blocks kept for later; a process fills a few in a second. */
const SPARE_MAX = 4;

/** Appends events; calls `full` with each finished block, which the receiver owns from then on. */
export class EventWriter {
  readonly process: number;
  readonly #full: (block: EventBlock) => void;
  #block: EventBlock;
  #next = 0;
  readonly #spare: EventBlock[] = [];

  constructor(process: number, full: (block: EventBlock) => void) {
    this.process = process;
    this.#full = full;
    this.#block = this.#fresh();
  }

  /** Events written so far. */
  get written(): number {
    return this.#next;
  }

  write(
    at: number,
    kind: number,
    instance: number,
    end: number,
    exchange: number,
    a: number,
    b: number,
    c: number,
  ): void {
    const block = this.#block;
    const i = block.count;
    block.at[i] = at;
    block.kind[i] = kind;
    block.instance[i] = instance;
    block.end[i] = end;
    block.exchange[i] = exchange;
    block.a[i] = a;
    block.b[i] = b;
    block.c[i] = c;
    block.count = i + 1;
    this.#next += 1;
    if (block.count === block.capacity) this.flush();
  }

  /** Hands on what is there, full or not. */
  flush(): void {
    if (this.#block.count === 0) return;
    const done = this.#block;
    this.#block = this.#fresh();
    this.#full(done);
  }

  /** Takes back a block that nobody reads any more: new ones cost more than filling them. */
  reuse(block: EventBlock): void {
    if (this.#spare.length < SPARE_MAX) this.#spare.push(block);
  }

  #fresh(): EventBlock {
    const block = this.#spare.pop() ?? new EventBlock();
    block.count = 0;
    block.process = this.process;
    block.firstSequence = this.#next;
    return block;
  }
}
