/**
 * A 4-ary heap of event slots: the reference. Four children to a node make it half as deep as a
 * binary one, and lie in one cache line. Order of insertion is a number of its own.
 */
import type { Actor, EventQueue } from './event-queue.ts';
import { NO_SLOT, Slots } from './slots.ts';

export class HeapQueue implements EventQueue {
  readonly slots = new Slots();
  #heap = new Int32Array(1_024);
  /** By slot: how many were pushed before it. */
  #order = new Float64Array(1_024);
  #size = 0;
  #pushed = 0;

  get size(): number {
    return this.#size;
  }

  get firstAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#at(this.#heap[0] ?? 0);
  }

  push(at: number, actor: Actor, arg: number): void {
    const slot = this.slots.take(at, actor, arg);
    this.#room(slot >> 2);
    this.#order[slot >> 2] = this.#pushed;
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

  take(limit: number): number {
    if (this.#size === 0) return NO_SLOT;
    const first = this.#heap[0] ?? 0;
    if (this.#at(first) > limit) return NO_SLOT;
    this.slots.give(first);
    this.#removeFirst();
    return first;
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
    const first = this.#at(one);
    const second = this.#at(other);
    if (first !== second) return first < second;
    return (this.#order[one >> 2] ?? 0) < (this.#order[other >> 2] ?? 0);
  }

  #at(slot: number): number {
    return this.slots.times[slot >> 1] ?? 0;
  }

  #room(place: number): void {
    if (place < this.#order.length && this.#size < this.#heap.length) return;
    const length = Math.max(this.#order.length, this.#heap.length) * 2;
    const heap = new Int32Array(length);
    const order = new Float64Array(length);
    heap.set(this.#heap);
    order.set(this.#order);
    this.#heap = heap;
    this.#order = order;
  }
}
