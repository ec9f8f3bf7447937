/** Ports against a plain list of which is taken, free, and in TIME_WAIT until when. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FIRST_PORT, Ports, TIME_WAIT } from './ports.ts';

it('never gives out a port that is taken or in TIME_WAIT, and always one that is not', () => {
  const step = fc.record({
    takes: fc.boolean(),
    which: fc.nat(),
    waits: fc.boolean(),
    later: fc.oneof(fc.nat(10), fc.nat(2 * TIME_WAIT)),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.array(step, { maxLength: 400 }),
      (all, steps) => {
        const ports = new Ports(all);
        const taken: number[] = [];
        const waiting = new Map<number, number>();
        let now = 0;
        for (const { takes, which, waits, later } of steps) {
          now += later;
          for (const [port, until] of waiting) if (until <= now) waiting.delete(port);
          if (takes) {
            const port = ports.take(now);
            expect(port === null).toBe(taken.length + waiting.size === all);
            if (port === null) continue;
            expect(taken).not.toContain(port);
            expect(waiting.has(port)).toBe(false);
            expect(port >= FIRST_PORT && port < FIRST_PORT + all).toBe(true);
            taken.push(port);
          } else if (taken.length > 0) {
            const [port = 0] = taken.splice(which % taken.length, 1);
            ports.give(now, port, waits);
            if (waits) waiting.set(port, now + TIME_WAIT);
          }
        }
      },
    ),
  );
});

it('takes what has been free for longest of those that waited, and of others the last', () => {
  const ports = new Ports(3);
  const [first, second, third] = [ports.take(0), ports.take(0), ports.take(0)];
  expect([first, second, third]).toEqual([FIRST_PORT, FIRST_PORT + 1, FIRST_PORT + 2]);
  ports.give(1, FIRST_PORT + 1, true);
  ports.give(2, FIRST_PORT, true);
  expect(ports.take(TIME_WAIT)).toBeNull();
  expect(ports.take(TIME_WAIT + 1)).toBe(FIRST_PORT + 1);
  ports.give(TIME_WAIT + 1, FIRST_PORT + 1, false);
  ports.give(TIME_WAIT + 1, FIRST_PORT + 2, false);
  expect(ports.take(TIME_WAIT + 2)).toBe(FIRST_PORT + 2);
});
