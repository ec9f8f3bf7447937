/** Wake-ups of a process behind one timer of Node's. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { until } from '../test-support.ts';
import { Clock, WakeTimer } from './clock.ts';

const keepingAlive = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('wake-ups', () => {
  it('come once each, never early, at the last time that was asked for', async () => {
    const asked = fc.array(fc.integer({ min: 0, max: 8_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { maxLength: 30 }), async (timers) => {
        const clock = new Clock();
        const start = clock.now();
        const woken: { at: number; early: boolean }[] = [];
        const last = timers.map((times) => start + (times.at(-1) ?? 0));
        timers.forEach((times, index) => {
          const timer = new WakeTimer(clock, (now) => {
            const at = last[index] ?? 0;
            woken.push({ at, early: now < at });
          });
          for (const delay of times) timer.wakeAt(start + delay);
        });
        await until('all were woken', () => woken.length === timers.length);
        await sleep(2);
        expect(woken).toHaveLength(timers.length);
        expect(woken.some(({ early }) => early)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('that are cancelled do not come, and do not keep the process alive', async () => {
    const clock = new Clock();
    const before = keepingAlive();
    let woken = 0;
    const timer = new WakeTimer(clock, () => {
      woken += 1;
    });
    timer.wakeAt(clock.now() + 3_000);
    expect(keepingAlive()).toBe(before + 1);
    timer.cancel();
    expect(keepingAlive()).toBe(before);
    await sleep(10);
    expect(woken).toBe(0);
    timer.wakeAt(clock.now() + 1_000);
    expect(keepingAlive()).toBe(before + 1);
    await until('it was woken', () => woken === 1);
    await turn();
    expect(keepingAlive()).toBe(before);
  });

  it('that are asked for again and again let everybody else have a turn', async () => {
    const clock = new Clock();
    let turns = 0;
    const eager: WakeTimer = new WakeTimer(clock, (now) => {
      turns += 1;
      if (turns < 5) eager.wakeAt(now);
    });
    eager.wakeAt(clock.now());
    let between = 0;
    for (; turns < 5; between++) await turn();
    expect(between).toBeGreaterThanOrEqual(4);
  });

  it('do not come once the clock is frozen', async () => {
    const clock = new Clock();
    let woken = 0;
    const timer = new WakeTimer(clock, () => {
      woken += 1;
    });
    timer.wakeAt(clock.now() + 1_000);
    clock.freeze();
    await sleep(10);
    expect(woken).toBe(0);
  });
});
