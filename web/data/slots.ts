/** Slots of connections at queues over time, and which cell of its queue each slot is. */

import { SlotState } from '../../src/model/event.ts';
import type { Frame } from '../../src/serve/story/frame.ts';
import { Doubles, Integers, Numbered } from './columns.ts';
import type { Connections } from './connections.ts';
import { LaneBook } from './lane-book.ts';

export class Slots {
  count = 0;
  readonly at = new Doubles(Number.NaN);
  readonly state = new Integers(0);
  /** Cell of the queue's replica; -1 without a slot. */
  readonly cell = new Integers(-1);
  readonly #connection = new Integers(-1);
  readonly #before = new Integers(-1);
  /** Latest change by number of the connection. */
  #last = new Numbered();
  readonly #books = new Map<number, LaneBook>();
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** Changes come in the order of time. */
  take(frame: Frame): void {
    const [ats, ids, states] = ['at', 'connection', 'state'].map((name) => frame.column(name));
    for (let row = 0; row < frame.rows; row++) {
      this.#change(ids?.[row] ?? -1, ats?.[row] ?? 0, states?.[row] ?? 0);
    }
  }

  /** The change that counts at a time; -1 where nothing is known of a slot. */
  find(connection: number, at: number): number {
    let change = this.#last.get(connection);
    while (change >= 0 && this.at.get(change) > at) change = this.#before.get(change);
    return change;
  }

  before(change: number): number {
    return this.#before.get(change);
  }

  /** Cells that a queue's replica ever used. */
  cells(instance: number): number {
    return this.#books.get(instance)?.lanes ?? 0;
  }

  /** Forgets what belongs to connections that are known no more. */
  forget(): void {
    const [count, connections] = [this.count, this.#connections];
    this.count = 0;
    this.#last = new Numbered();
    for (let index = 0; index < count; index++) {
      const connection = this.#connection.get(index);
      if (connections.indexOf(connection) < 0) continue;
      const kept = this.count;
      this.count += 1;
      this.at.set(kept, this.at.get(index));
      for (const column of [this.state, this.cell, this.#connection]) {
        column.set(kept, column.get(index));
      }
      this.#before.set(kept, this.#last.get(connection));
      this.#last.set(connection, kept);
    }
  }

  #change(connection: number, at: number, state: number): void {
    const before = this.#last.get(connection);
    const held = before >= 0 ? this.cell.get(before) : -1;
    const active = state === SlotState.active;
    const book = this.#bookOf(connection);
    if (held >= 0 && !active) book?.ends(held, at);
    const index = this.count;
    this.count += 1;
    this.at.set(index, at);
    this.state.set(index, state);
    this.cell.set(index, active ? this.#cellFor(connection, held, at, book) : -1);
    this.#connection.set(index, connection);
    this.#before.set(index, before);
    this.#last.set(connection, index);
  }

  #cellFor(connection: number, held: number, at: number, book: LaneBook | null): number {
    if (held >= 0 || book === null) return held;
    const closedAt = this.#connections.closedAt.get(this.#connections.indexOf(connection));
    return book.take(at, closedAt);
  }

  #bookOf(connection: number): LaneBook | null {
    const index = this.#connections.indexOf(connection);
    if (index < 0) return null;
    const instance = this.#connections.acceptor.get(index);
    let book = this.#books.get(instance);
    if (book === undefined) {
      book = new LaneBook();
      this.#books.set(instance, book);
    }
    return book;
  }
}
