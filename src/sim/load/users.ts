/** The clients of all groups, a row each: what they draw from, and what they have. */
import { Rows } from '../../policy/rows.ts';
import { initialState, RandomStream, WARM_UP } from '../../random/stream.ts';

const WORDS = 16;
const ROW = 4;

/** Words of the state of its stream of inputs. */
const STREAM = 0;
/** Its pool, and where its connections go (number of the listener), each and 1; 0 = none yet. */
export const POOL = 4;
export const TARGET = 5;
export const IN_FLIGHT = 6;
/** The instance of its group, and its number there, from 1. */
export const GROUP = 7;
export const NUMBER = 8;
/** Requests so far. */
export const REQUESTS = 9;
/** A double: the pause that it makes, or would have made if it did not sleep (µs). */
const PAUSE = 10;

export class Users extends Rows {
  #count = 0;
  /** Takes on the state of whoever draws. */
  readonly #stream = new RandomStream(0, '');

  constructor() {
    super(WORDS);
  }

  /** A group of `count` clients: the row before that of its first one. */
  addGroup(instance: number, count: number): number {
    const base = this.#count - 1;
    this.#count += count;
    this.room(this.#count);
    for (let number = 1; number <= count; number++) {
      this.put(base + number, GROUP, instance);
      this.put(base + number, NUMBER, number);
    }
    return base;
  }

  /** It begins to draw, from the stream of that name. */
  begin(user: number, seed: number, name: string): void {
    const [a, b, c, counter] = initialState(seed, name);
    const row = user << ROW;
    this.ints.set([a, b, c, counter], row | STREAM);
    const stream = this.stream(user);
    for (let i = 0; i < WARM_UP; i++) stream.uint32();
    this.drawn(user);
  }

  /** To draw from, until `drawn`; one user at a time. */
  stream(user: number): RandomStream {
    this.#stream.load(this.ints, (user << ROW) | STREAM);
    return this.#stream;
  }

  drawn(user: number): void {
    this.#stream.store(this.ints, (user << ROW) | STREAM);
  }

  pause(user: number): number {
    return this.doubles[((user << ROW) | PAUSE) >> 1] ?? 0;
  }

  setPause(user: number, pause: number): void {
    this.doubles[((user << ROW) | PAUSE) >> 1] = pause;
  }

  get(user: number, column: number): number {
    return this.ints[(user << ROW) | column] ?? 0;
  }

  put(user: number, column: number, value: number): void {
    this.ints[(user << ROW) | column] = value;
  }

  add(user: number, column: number, amount: number): void {
    this.put(user, column, this.get(user, column) + amount);
  }
}
