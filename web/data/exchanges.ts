/**
 * Requests by connection: each connection has a chain of them in the order in which they began,
 * and a finger on the one that began last before the time that is looked at. Playing moves the
 * fingers a step at a time; a jump walks.
 *
 * Bounded: beyond the limit the older half is forgotten, and `from` says since when all are known.
 */
import type { Frame } from '../../src/serve/story/frame.ts';
import { Doubles, Integers, Numbered } from './columns.ts';

/** 76 bytes each. */
const EXCHANGES_MAX = 1_000_000;

export class Exchanges {
  count = 0;
  /** µs: what began before may have been forgotten. */
  from = 0;
  startedAt = new Doubles(Number.NaN);
  readAt = new Doubles(Number.NaN);
  endedAt = new Doubles(Number.NaN);
  /** Number of the connection in the run. */
  connection = new Integers(-1);
  ordinal = new Integers(-1);
  status = new Integers(-1);
  parent = new Integers(-1);
  parentOrdinal = new Integers(-1);
  group = new Integers(-1);
  client = new Integers(-1);
  request = new Integers(-1);
  attempt = new Integers(-1);
  #next = new Integers(-1);
  #before = new Integers(-1);
  /** By number of the connection. */
  #first = new Numbered();
  #last = new Numbered();
  #finger = new Numbered();

  take(frame: Frame): void {
    const { startedAt, readAt, endedAt, connection, ordinal, status } = this;
    const { parent, parentOrdinal, group, client, request, attempt } = this;
    const columns = Object.entries({
      ...{ startedAt, readAt, endedAt, connection, ordinal, status },
      ...{ parent, parentOrdinal, group, client, request, attempt },
    });
    const read = columns.map(([name]) => frame.column(name));
    const [connections, ordinals] = [frame.column('connection'), frame.column('ordinal')];
    for (let row = 0; row < frame.rows; row++) {
      const known = this.#find(connections[row] ?? -1, ordinals[row] ?? -1);
      const index = known < 0 ? this.count : known;
      columns.forEach(([, column], at) => {
        column.set(index, read[at]?.[row] ?? -1);
      });
      if (known >= 0) continue;
      this.count += 1;
      this.#chain(index);
    }
    if (this.count > EXCHANGES_MAX) this.#forget();
  }

  /** The latest exchange of a connection that began at `at` or before; -1 = none. */
  at(connection: number, at: number): number {
    let finger = this.#finger.get(connection);
    if (finger < 0) finger = this.#first.get(connection);
    if (finger < 0) return -1;
    while (finger >= 0 && this.startedAt.get(finger) > at) finger = this.#before.get(finger);
    if (finger < 0) {
      this.#finger.set(connection, -1);
      return -1;
    }
    for (let next = this.#next.get(finger); next >= 0 && this.startedAt.get(next) <= at; ) {
      finger = next;
      next = this.#next.get(finger);
    }
    this.#finger.set(connection, finger);
    return finger;
  }

  before(index: number): number {
    return this.#before.get(index);
  }

  /** How many of a connection began in (from, to], up to `most`. */
  began(connection: number, from: number, to: number, most: number): number {
    let count = 0;
    for (let one = this.at(connection, to); one >= 0 && count < most; one = this.before(one)) {
      if (this.startedAt.get(one) <= from) break;
      count += 1;
    }
    return count;
  }

  *of(connection: number): Generator<number> {
    for (let one = this.#first.get(connection); one >= 0; one = this.#next.get(one)) yield one;
  }

  #find(connection: number, ordinal: number): number {
    let one = connection < 0 ? -1 : this.#last.get(connection);
    while (one >= 0 && this.ordinal.get(one) > ordinal) one = this.#before.get(one);
    return one >= 0 && this.ordinal.get(one) === ordinal ? one : -1;
  }

  #chain(index: number): void {
    const connection = this.connection.get(index);
    const at = this.startedAt.get(index);
    let before = this.#last.get(connection);
    while (before >= 0 && this.startedAt.get(before) > at) before = this.#before.get(before);
    const next = before < 0 ? this.#first.get(connection) : this.#next.get(before);
    this.#before.set(index, before);
    this.#next.set(index, next);
    if (before < 0) this.#first.set(connection, index);
    else this.#next.set(before, index);
    if (next < 0) this.#last.set(connection, index);
    else this.#before.set(next, index);
  }

  #forget(): void {
    const kept = Math.floor(this.count / 2);
    const from = this.count - kept;
    const doubles = [this.startedAt, this.readAt, this.endedAt];
    const { connection, ordinal, status, parent, parentOrdinal, group, client } = this;
    const integers = [connection, ordinal, status, parent, parentOrdinal, group, client];
    for (const column of [...doubles, ...integers, this.request, this.attempt]) {
      column.values.copyWithin(0, from, this.count);
    }
    this.count = kept;
    this.from = Math.max(this.from, this.startedAt.get(0));
    this.#next = new Integers(-1, kept);
    this.#before = new Integers(-1, kept);
    this.#first = new Numbered();
    this.#last = new Numbered();
    this.#finger = new Numbered();
    for (let index = 0; index < kept; index++) this.#chain(index);
  }
}
