/**
 * Gives things that begin and end (connections of a pipe, connections with a slot) the lowest
 * lane that is free, in the order in which they begin, so that each stays where it is for life.
 *
 * When a thing ends may become known only later, and may be told twice (a slot is given back, and
 * its connection closes): the earliest end counts.
 */
export class LaneBook {
  /** Lanes ever used. */
  lanes = 0;
  readonly #free = new MinHeap();
  readonly #ending = new MinHeap();
  /** By lane: when what has it ends; NaN = not known; null = it is free. */
  readonly #endAt: (number | null)[] = [];

  /** `until` NaN = not known yet. */
  take(from: number, until: number): number {
    for (let first = this.#ending.first; first !== null && first.key <= from; ) {
      this.#ending.pop();
      // Another end than the one that counts is an old one.
      if (this.#endAt[first.value] === first.key) {
        this.#endAt[first.value] = null;
        this.#free.push(first.value, first.value);
      }
      first = this.#ending.first;
    }
    const lane = this.#free.pop() ?? this.lanes;
    if (lane === this.lanes) this.lanes += 1;
    this.#endAt[lane] = Number.NaN;
    if (!Number.isNaN(until)) this.ends(lane, until);
    return lane;
  }

  ends(lane: number, at: number): void {
    const known = this.#endAt[lane] ?? null;
    if (known === null || known <= at) return;
    this.#endAt[lane] = at;
    this.#ending.push(at, lane);
  }
}

interface Item {
  readonly key: number;
  readonly value: number;
}

class MinHeap {
  readonly #items: Item[] = [];

  get first(): Item | null {
    return this.#items[0] ?? null;
  }

  push(key: number, value: number): void {
    const items = this.#items;
    let at = items.length;
    items.push({ key, value });
    for (let parent = (at - 1) >> 1; at > 0; parent = (at - 1) >> 1) {
      const above = items[parent] as Item;
      if (above.key <= key) break;
      items[at] = above;
      at = parent;
    }
    items[at] = { key, value };
  }

  /** The value with the least key; null when empty. */
  pop(): number | null {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined) return null;
    if (items.length > 0) this.#sink(last);
    return first.value;
  }

  #sink(item: Item): void {
    const items = this.#items;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      const other = items[child + 1];
      if (other !== undefined && other.key < (items[child] as Item).key) child += 1;
      const least = items[child] as Item;
      if (least.key >= item.key) break;
      items[at] = least;
      at = child;
    }
    items[at] = item;
  }
}
