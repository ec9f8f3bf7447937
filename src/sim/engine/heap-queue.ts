/**
 * A 4-ary heap of event slots: the reference. Four children to a node make it half as deep as a
 * binary one, and lie in one cache line. Order of insertion is a number of its own.
 */
import { type Actor, type EventQueue, NOBODY } from './event-queue.ts';
import { Slots } from './slots.ts';

export class HeapQueue implements EventQueue {
  at = 0;
  actor: Actor = NOBODY;
  arg = 0;
  readonly #slots = new Slots();
  #heap = new Int32Array(1_024);
  /** By slot: how many were pushed before it. */
  #order = new Float64Array(1_024);
  #size = 0;
  #pushed = 0;

  get size(): number {
    return this.#size;
  }

  get firstAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#slots.at(this.#heap[0] ?? 0);
  }

  push(at: number, actor: Actor, arg: number): void {
    const slot = this.#slots.take(at, actor, arg);
    this.#room(slot);
    this.#order[slot] = this.#pushed;
    this.#pushed += 1;
    const heap = this.#heap;
    let index = this.#size;
    this.#size += 1;
    while (index > 0) {
      const above = (index - 1) >> 2;
      const parent = heap[above] ?? 0;
      if (!this.#before(slot, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = slot;
  }

  take(limit: number): boolean {
    if (this.#size === 0) return false;
    const first = this.#heap[0] ?? 0;
    const at = this.#slots.at(first);
    if (at > limit) return false;
    this.at = at;
    this.arg = this.#slots.arg(first);
    this.actor = this.#slots.actor[first] ?? NOBODY;
    this.#slots.give(first);
    this.#removeFirst();
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    this.#size -= 1;
    const size = this.#size;
    if (size === 0) return;
    const last = heap[size] ?? 0;
    let index = 0;
    for (let child = 1; child < size; child = 4 * index + 1) {
      let least = child;
      const end = Math.min(child + 4, size);
      for (let other = child + 1; other < end; other++) {
        if (this.#before(heap[other] ?? 0, heap[least] ?? 0)) least = other;
      }
      const below = heap[least] ?? 0;
      if (!this.#before(below, last)) break;
      heap[index] = below;
      index = least;
    }
    heap[index] = last;
  }

  #before(one: number, other: number): boolean {
    const first = this.#slots.at(one);
    const second = this.#slots.at(other);
    if (first !== second) return first < second;
    return (this.#order[one] ?? 0) < (this.#order[other] ?? 0);
  }

  #room(slot: number): void {
    if (slot < this.#order.length && this.#size < this.#heap.length) return;
    const length = Math.max(this.#order.length, this.#heap.length) * 2;
    const heap = new Int32Array(length);
    const order = new Float64Array(length);
    heap.set(this.#heap);
    order.set(this.#order);
    this.#heap = heap;
    this.#order = order;
  }
}
