/**
 * The connections of a run, as columns. A connection is named by its index here; its number in
 * the run by `id`. Connections between the same two replicas on one link form a *group*, a
 * bundle of pipes, in which each has a lane for life.
 *
 * Bounded: beyond the limit the half of the closed ones that ended first is forgotten.
 */
import type { Frame } from '../../src/serve/story/frame.ts';
import { Doubles, Integers, Numbered } from './columns.ts';
import { LaneBook } from './lane-book.ts';

export interface Group {
  readonly number: number;
  readonly link: number;
  /** Replicas; -1 where that end is not ours. */
  readonly connector: number;
  readonly acceptor: number;
  readonly book: LaneBook;
}

/** 90 bytes each. */
const CONNECTIONS_MAX = 500_000;

export class Connections {
  count = 0;
  /** Grows when rows have come: chains may have been joined. */
  version = 0;
  /** µs: what closed before may have been forgotten. */
  from = 0;
  readonly groups: Group[] = [];
  readonly id = new Integers(-1);
  readonly openedAt = new Doubles(Number.NaN);
  readonly closedAt = new Doubles(Number.NaN);
  readonly connectorAddress = new Doubles(Number.NaN);
  readonly acceptorAddress = new Doubles(Number.NaN);
  readonly waitedMax = new Doubles(Number.NaN);
  readonly link = new Integers(-1);
  readonly connector = new Integers(-1);
  readonly acceptor = new Integers(-1);
  readonly cause = new Integers(-1);
  readonly exchanges = new Integers(-1);
  /** Numbers in the run, -1 = none. */
  readonly upstream = new Integers(-1);
  readonly downstream = new Integers(-1);
  readonly group = new Integers(-1);
  readonly lane = new Integers(-1);
  #index = new Numbered();
  readonly #columns: readonly (Doubles | Integers)[] = [
    ...[this.openedAt, this.closedAt, this.connectorAddress, this.acceptorAddress],
    ...[this.waitedMax, this.id, this.link, this.connector, this.acceptor, this.cause],
    ...[this.exchanges, this.upstream, this.downstream, this.group, this.lane],
  ];
  readonly #groupOf = new Map<string, Group>();
  #waiting: number[] = [];

  /** Index of a connection; -1 where it is not known. */
  indexOf(id: number): number {
    return id < 0 ? -1 : this.#index.get(id);
  }

  take(frame: Frame): void {
    this.version += 1;
    const ids = frame.column('connection');
    const columns = [
      ['openedAt', this.openedAt],
      ['connectorAddress', this.connectorAddress],
      ['acceptorAddress', this.acceptorAddress],
      ['waitedMax', this.waitedMax],
      ['link', this.link],
      ['connector', this.connector],
      ['acceptor', this.acceptor],
      ['cause', this.cause],
      ['exchanges', this.exchanges],
      ['upstream', this.upstream],
      ['downstream', this.downstream],
    ] as const;
    const read = columns.map(([name]) => frame.column(name));
    const closedAt = frame.column('closedAt');
    for (let row = 0; row < frame.rows; row++) {
      const index = this.#indexFor(ids[row] ?? -1);
      columns.forEach(([, column], at) => {
        column.set(index, read[at]?.[row] ?? -1);
      });
      this.#close(index, closedAt[row] ?? Number.NaN);
    }
  }

  /** Gives lanes to what came since the last call, in the order of opening. */
  settle(): void {
    const waiting = this.#waiting.filter((index) => !Number.isNaN(this.openedAt.get(index)));
    waiting.sort((x, y) => this.openedAt.get(x) - this.openedAt.get(y));
    for (const index of waiting) {
      const group = this.#groupFor(index);
      this.group.set(index, group.number);
      this.lane.set(index, group.book.take(this.openedAt.get(index), this.closedAt.get(index)));
    }
    this.#waiting = [];
  }

  /** True when indexes are others now. */
  forget(most = CONNECTIONS_MAX): boolean {
    if (this.count <= most) return false;
    const closed = this.closedAt.values.slice(0, this.count).filter((at) => !Number.isNaN(at));
    if (closed.length === 0) return false;
    this.from = closed.sort()[closed.length >> 1] ?? 0;
    const count = this.count;
    this.count = 0;
    this.version += 1;
    this.#index = new Numbered();
    for (let index = 0; index < count; index++) {
      if (this.closedAt.get(index) < this.from) continue;
      const kept = this.count;
      this.count += 1;
      for (const column of this.#columns) column.set(kept, column.get(index));
      this.#index.set(this.id.get(kept), kept);
    }
    // What lies beyond is found empty when it is used again.
    for (const column of this.#columns) column.clear(this.count);
    return true;
  }

  /** The first connection of the chain that L4 relays make of it: requests are told there. */
  headOf(index: number): number {
    let head = index;
    for (let hops = 0; hops < 16; hops++) {
      const before = this.indexOf(this.downstream.get(head));
      if (before < 0) return head;
      head = before;
    }
    return head;
  }

  /** The connection of a chain that stands at a queue; -1 = there is none (yet). */
  atQueue(head: number, isQueueLink: readonly boolean[]): number {
    let one = head;
    for (let hops = 0; one >= 0 && hops < 16; hops++) {
      if (isQueueLink[this.link.get(one)] === true) return one;
      one = this.indexOf(this.upstream.get(one));
    }
    return -1;
  }

  #indexFor(id: number): number {
    const known = this.#index.get(id);
    if (known >= 0) return known;
    const index = this.count;
    this.count += 1;
    this.#index.set(id, index);
    this.id.set(index, id);
    this.#waiting.push(index);
    return index;
  }

  #close(index: number, at: number): void {
    const was = this.closedAt.get(index);
    this.closedAt.set(index, at);
    const group = this.groups[this.group.get(index)];
    if (Number.isNaN(was) && !Number.isNaN(at)) group?.book.ends(this.lane.get(index), at);
  }

  #groupFor(index: number): Group {
    const [link, connector, acceptor] = [this.link, this.connector, this.acceptor].map((column) =>
      column.get(index),
    ) as [number, number, number];
    const key = `${link} ${connector} ${acceptor}`;
    let group = this.#groupOf.get(key);
    if (group === undefined) {
      const number = this.groups.length;
      group = { number, link, connector, acceptor, book: new LaneBook() };
      this.groups.push(group);
      this.#groupOf.set(key, group);
    }
    return group;
  }
}
