/** What a calibration says of its points, with a known function in place of the simulator. */
import { expect, it } from 'vitest';
import { type Calibration, calibrate } from './calibrate.ts';
import { readTargets } from './read-targets.ts';
import type { TaskResult } from './simulate-window.ts';

/** What each value of the one parameter shows of two measures. */
type Shows = Readonly<Record<string, readonly [number, number]>>;

async function calibrated(shows: Shows): Promise<Calibration> {
  const targets = readTargets(
    `windows: { calm: { lasts: 1m } }
parameters: [{ path: a.b, values: [${Object.keys(shows).join(', ')}] }]
targets:
  - { name: one, window: calm, measure: a.one, between: [10, 20], use: fit }
  - { name: two, window: calm, measure: a.two, between: [10, 20], use: fit }
`,
    'targets.yaml',
  );
  if ('problems' in targets) throw new Error(JSON.stringify(targets.problems));
  const found = await calibrate({
    targets,
    documents: new Map([[null, { text: '', file: '' }]]),
    seed: 1,
    own: null,
    evaluations: 20,
    alternatives: 0,
    run: async (tasks) =>
      tasks.map(({ set }): TaskResult => {
        const [one, two] = shows[set[0]?.replace('a.b=', '') ?? ''] ?? [0, 0];
        return { values: { 'a.one': [one], 'a.two': [two] }, requests: 0 };
      }),
    onProgress: () => {},
  });
  if (found === null) throw new Error('nothing found');
  return found;
}

it('the best point meets all targets, though another misses by a hair only', async () => {
  const found = await calibrated({ near: [9.9999, 15], all: [10, 20] });
  expect(found.acceptable).toBeGreaterThan(0);
  expect([found.settings, found.judgement.met, found.missed]).toEqual([['a.b=all'], true, []]);
});

it('says of a missed target whether any point meets it, and how near they come', async () => {
  const found = await calibrated({ low: [15, 4], high: [40, 5] });
  expect(found.missed).toEqual([{ name: 'two', window: 'calm', metAt: 0, nearest: 5 }]);
  const apart = await calibrated({ low: [15, 5], high: [30, 15] });
  expect(apart.missed).toMatchObject([{ nearest: 15 }]);
  expect(apart.missed[0]?.metAt).toBeGreaterThan(0);
});
