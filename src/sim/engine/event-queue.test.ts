/** Both event queues against a plain sorted list: order of time, then of insertion. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EventQueue, FORETOLD_MAX } from './event-queue.ts';
import { HeapQueue } from './heap-queue.ts';
import { WheelQueue } from './wheel-queue.ts';

const QUEUES: readonly (readonly [string, () => EventQueue])[] = [
  ['heap', () => new HeapQueue()],
  ['wheel', () => new WheelQueue()],
];

/** The number of events that only make time pass. */
const TICK = 1_000_000;

/** Time and number of the next event; null when none is due. */
function taken(queue: EventQueue, limit: number): Pushed | null {
  const event = queue.take(limit);
  return event < 0 ? null : { at: queue.takenAt, arg: event };
}

interface Pushed {
  readonly at: number;
  readonly arg: number;
}

/** How far ahead of the present: now, in the same bucket, a window on, beyond all of them. */
const ahead = fc.oneof(
  fc.constant(0),
  fc.nat(3),
  fc.nat(200),
  fc.nat(100_000),
  fc.nat(30_000_000),
  fc.nat(4_000_000_000),
  fc.constantFrom(524_287, 524_288, 1_048_575, 1_048_576, 135_266_303, 135_266_304),
  fc.constant(4_503_599_627_370_496),
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
              queue.push(event.at, event.arg);
              plain.push(event);
            }
            // Sorting is stable, so equal times stay in order of insertion.
            plain = plain.sort((one, other) => one.at - other.at);
            expect(queue.size).toBe(plain.length);
            for (let i = 0; i < takes; i++) {
              const first = plain.shift();
              expect(taken(queue, Number.POSITIVE_INFINITY)).toEqual(first ?? null);
              if (first === undefined) break;
              now = first.at;
            }
          }
        }),
      );
    });

    it('takes nothing that is not due', () => {
      const queue = make();
      expect(taken(queue, 1e12)).toBeNull();
      queue.push(100_000_000, 1);
      queue.push(5, 2);
      expect(taken(queue, 4)).toBeNull();
      expect(taken(queue, 5)?.arg).toBe(2);
      expect(taken(queue, 99_999_999)).toBeNull();
      // Somebody acts at the time up to which was looked: before what lies further ahead.
      queue.push(99_999_999, 3);
      expect(taken(queue, 1e12)?.arg).toBe(3);
      expect(taken(queue, 1e12)?.arg).toBe(1);
    });

    it('sorts a crowded instant', () => {
      const queue = make();
      for (let i = 0; i < 5_000; i++) queue.push((i * 7) % 64, i);
      let before = { at: -1, arg: -1 };
      for (let i = 0; i < 5_000; i++) {
        const event = taken(queue, 64) ?? { at: -1, arg: -1 };
        const later = event.at > before.at || (event.at === before.at && event.arg > before.arg);
        expect(later).toBe(true);
        before = event;
      }
    });
  });
}

describe('what a wheel foretells', () => {
  it('is, while something happens all the time, what was there two milliseconds before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_000_000), { minLength: 1, maxLength: 200 }), (times) => {
        const { told, takenAt } = foretold(times, 1_000);
        expect(new Set(told.map(({ arg }) => arg)).size).toBe(told.length);
        for (const { at, arg } of told) {
          const ahead = (times[arg] ?? 0) - at;
          expect(ahead).toBeGreaterThan(0);
          expect(ahead).toBeLessThan(6_000);
        }
        const known = new Set(told.map(({ arg }) => arg));
        times.forEach((at, arg) => {
          if (at >= 8_192) expect(known.has(arg)).toBe(true);
        });
        expect(takenAt).toEqual([...times].sort((one, other) => one - other));
      }),
      { numRuns: 20 },
    );
  });

  it('is the first of a crowd, and little where hardly anything happens', () => {
    const crowd = foretold(new Array(1_000).fill(50_000), 1_000);
    expect(crowd.told.map(({ arg }) => arg)).toEqual([...new Array(FORETOLD_MAX).keys()]);
    expect(crowd.takenAt.length).toBe(1_000);
    const quiet = foretold([100_000, 200_000, 300_000], null);
    expect(quiet.told).toEqual([]);
    expect(quiet.takenAt).toEqual([100_000, 200_000, 300_000]);
  });
});

/** Events 0, 1, ... at those times, and others at a distance: what was told when, and taken. */
function foretold(times: readonly number[], tick: number | null) {
  const queue = new WheelQueue();
  let now = 0;
  const told: Pushed[] = [];
  queue.foretell({
    soon(events, count) {
      for (const arg of events.subarray(0, count)) if (arg < TICK) told.push({ at: now, arg });
    },
  });
  times.forEach((at, arg) => {
    queue.push(at, arg);
  });
  if (tick !== null) for (let at = 0; at < 3_000_000; at += tick) queue.push(at, TICK);
  const takenAt: number[] = [];
  for (let one = taken(queue, 1e9); one !== null; one = taken(queue, 1e9)) {
    now = one.at;
    if (one.arg < TICK) takenAt.push(one.at);
  }
  return { told, takenAt };
}
