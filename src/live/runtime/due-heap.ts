/** A binary heap of things that fall due: the earliest first, equal ones as they were added. */
import type { Micros } from '../../model/units.ts';

interface Entry<T> {
  readonly at: Micros;
  readonly order: number;
  readonly item: T;
}

export class DueHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }

  /** When the first falls due; Infinity when there is none. */
  get firstAt(): Micros {
    return this.#entries[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  add(at: Micros, item: T): void {
    this.#order += 1;
    const entry = { at, order: this.#order, item };
    const entries = this.#entries;
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = entries[parent] as Entry<T>;
      if (!before(entry, above)) break;
      entries[index] = above;
      index = parent;
    }
    entries[index] = entry;
  }

  takeFirst(): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined || entries.length === 0) return first?.item;
    let index = 0;
    for (let child = 1; child < entries.length; child = 2 * index + 1) {
      const right = entries[child + 1];
      if (right !== undefined && before(right, entries[child] as Entry<T>)) child += 1;
      const below = entries[child] as Entry<T>;
      if (!before(below, last)) break;
      entries[index] = below;
      index = child;
    }
    entries[index] = last;
    return first.item;
  }

  clear(): void {
    this.#entries.length = 0;
  }
}

function before<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
