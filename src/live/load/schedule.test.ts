/** Order and punctuality of a schedule on the real clock. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Clock } from '../runtime/clock.ts';
import { until } from '../test-support.ts';
import { Schedule } from './schedule.ts';

it('does everything once, never early, in order of time and then of insertion', async () => {
  const delays = fc.array(fc.integer({ min: -2, max: 8 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(delays, async (steps) => {
      const clock = new Clock();
      const schedule = new Schedule(clock);
      const start = clock.now();
      const ran: { at: number; order: number; early: boolean }[] = [];
      steps.forEach((step, order) => {
        const at = start + step * 500;
        schedule.at(at, (due) => ran.push({ at: due, order, early: clock.now() < at }));
      });
      await until('all was done', () => ran.length === steps.length);
      expect(ran.some(({ early }) => early)).toBe(false);
      const wanted = steps
        .map((step, order) => ({ at: start + step * 500, order }))
        .sort((x, y) => x.at - y.at || x.order - y.order);
      expect(ran.map(({ at, order }) => ({ at, order }))).toEqual(wanted);
      expect(schedule.size).toBe(0);
    }),
    { numRuns: 25 },
  );
});

it('does what is added while it works, in its turn, and nothing after a clear', async () => {
  const clock = new Clock();
  const schedule = new Schedule(clock);
  const start = clock.now();
  const ran: string[] = [];
  schedule.at(start + 1_000, () => {
    ran.push('first');
    schedule.at(start + 1_500, () => ran.push('added'));
    schedule.at(start, () => ran.push('overdue'));
  });
  schedule.at(start + 2_000, () => ran.push('last'));
  await until('all was done', () => ran.length === 4);
  expect(ran).toEqual(['first', 'overdue', 'added', 'last']);
  schedule.at(clock.now() + 2_000, () => ran.push('never'));
  schedule.clear();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ran).toHaveLength(4);
});

it('stands still when the clock is frozen', async () => {
  const clock = new Clock();
  const schedule = new Schedule(clock);
  let ran = 0;
  schedule.at(clock.now() + 2_000, () => {
    ran += 1;
  });
  clock.freeze();
  schedule.catchUp(clock.now() + 10_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(ran).toBe(0);
});
