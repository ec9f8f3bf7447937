/** Both event queues against a plain sorted list: order of time, then of insertion. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventQueue, NOBODY } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { WheelQueue } from './wheel-queue.ts';

const QUEUES: readonly (readonly [string, () => EventQueue])[] = [
  ['heap', () => new HeapQueue()],
  ['wheel', () => new WheelQueue()],
];

interface Pushed {
  readonly at: number;
  readonly arg: number;
}

/** How far ahead of the present an event lies: now, near, in the same bucket, beyond the wheel. */
const ahead = fc.oneof(
  fc.constant(0),
  fc.nat(3),
  fc.nat(200),
  fc.nat(100_000),
  fc.nat(30_000_000),
  fc.nat(4_000_000_000),
);

/** Pushes some, takes some; what was taken is the present. */
const script = fc.array(fc.tuple(fc.array(ahead, { maxLength: 40 }), fc.nat(40)), {
  maxLength: 30,
});

for (const [name, make] of QUEUES) {
  describe(`event queue: ${name}`, () => {
    it('takes events in order of time, and at equal times of insertion', () => {
      fc.assert(
        fc.property(script, (steps) => {
          const queue = make();
          let plain: Pushed[] = [];
          let now = 0;
          let pushed = 0;
          for (const [times, takes] of steps) {
            for (const time of times) {
              const event = { at: now + time, arg: pushed };
              pushed += 1;
              queue.push(event.at, NOBODY, event.arg);
              plain.push(event);
            }
            // Sorting is stable, so equal times stay in order of insertion.
            plain = plain.sort((one, other) => one.at - other.at);
            expect(queue.size).toBe(plain.length);
            expect(queue.firstAt).toBe(plain[0]?.at ?? Number.POSITIVE_INFINITY);
            for (let i = 0; i < takes; i++) {
              const first = plain.shift();
              expect(queue.take(Number.POSITIVE_INFINITY)).toBe(first !== undefined);
              if (first === undefined) break;
              expect({ at: queue.at, arg: queue.arg }).toEqual(first);
              now = first.at;
            }
          }
        }),
      );
    });

    it('takes nothing that is not due', () => {
      const queue = make();
      expect(queue.take(1e12)).toBe(false);
      queue.push(100_000_000, NOBODY, 1);
      queue.push(5, NOBODY, 2);
      expect(queue.take(4)).toBe(false);
      expect(queue.take(5)).toBe(true);
      expect(queue.arg).toBe(2);
      expect(queue.take(99_999_999)).toBe(false);
      // Somebody acts at the time up to which was looked: before what lies further ahead.
      queue.push(99_999_999, NOBODY, 3);
      expect(queue.take(1e12)).toBe(true);
      expect(queue.arg).toBe(3);
      expect(queue.take(1e12)).toBe(true);
      expect(queue.arg).toBe(1);
    });

    it('sorts a crowded instant', () => {
      const queue = make();
      for (let i = 0; i < 5_000; i++) queue.push((i * 7) % 64, NOBODY, i);
      let before = { at: -1, arg: -1 };
      for (let i = 0; i < 5_000; i++) {
        expect(queue.take(64)).toBe(true);
        const later = queue.at > before.at || (queue.at === before.at && queue.arg > before.arg);
        expect(later).toBe(true);
        before = { at: queue.at, arg: queue.arg };
      }
    });
  });
}
