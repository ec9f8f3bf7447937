/**
 * A 4-ary heap of events: the reference. Four children to a node make it half as deep as a binary
 * one. Order of insertion is a number of its own.
 */
import { type EventQueue, NO_EVENT } from './event-queue.ts';

const FIRST_ROOM = 64;

export class HeapQueue implements EventQueue {
  size = 0;
  takenAt = 0;
  #times = new Float64Array(FIRST_ROOM);
  /** How many were pushed before it. */
  #orders = new Float64Array(FIRST_ROOM);
  #events = new Int32Array(FIRST_ROOM);
  #pushed = 0;

  /** Time of the earliest, Infinity when there is none. */
  get firstAt(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] ?? 0);
  }

  push(at: number, event: number): void {
    if (this.size === this.#times.length) this.#grow();
    const order = this.#pushed;
    this.#pushed += 1;
    let index = this.size;
    this.size += 1;
    while (index > 0) {
      const above = (index - 1) >> 2;
      if ((this.#times[above] ?? 0) <= at) break;
      this.#move(above, index);
      index = above;
    }
    this.#put(index, at, order, event);
  }

  /** It knows the next one only. */
  foretell(): void {}

  take(limit: number): number {
    if (this.size === 0 || (this.#times[0] ?? 0) > limit) return NO_EVENT;
    this.takenAt = this.#times[0] ?? 0;
    const first = this.#events[0] ?? NO_EVENT;
    this.size -= 1;
    if (this.size > 0) this.#sink(this.size);
    return first;
  }

  /** What lies at `last` finds its place from the top. */
  #sink(last: number): void {
    const at = this.#times[last] ?? 0;
    const order = this.#orders[last] ?? 0;
    const event = this.#events[last] ?? 0;
    let index = 0;
    for (let child = 1; child < this.size; child = 4 * index + 1) {
      let least = child;
      const end = Math.min(child + 4, this.size);
      for (let other = child + 1; other < end; other++) {
        if (this.#isBefore(other, this.#times[least] ?? 0, this.#orders[least] ?? 0)) least = other;
      }
      if (!this.#isBefore(least, at, order)) break;
      this.#move(least, index);
      index = least;
    }
    this.#put(index, at, order, event);
  }

  #isBefore(index: number, at: number, order: number): boolean {
    const time = this.#times[index] ?? 0;
    return time < at || (time === at && (this.#orders[index] ?? 0) < order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] ?? 0, this.#orders[from] ?? 0, this.#events[from] ?? 0);
  }

  #put(index: number, at: number, order: number, event: number): void {
    this.#times[index] = at;
    this.#orders[index] = order;
    this.#events[index] = event;
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const orders = new Float64Array(times.length);
    const events = new Int32Array(times.length);
    times.set(this.#times);
    orders.set(this.#orders);
    events.set(this.#events);
    this.#times = times;
    this.#orders = orders;
    this.#events = events;
  }
}
