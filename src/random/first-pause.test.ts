import { expect, it } from 'vitest';
import type { Workload } from '../model/topology.ts';
import { sampler } from './distribution.ts';
import { firstPause } from './first-pause.ts';
import { randomStream } from './stream.ts';

const SECOND = 1_000_000;
const USERS = 4_000;
const SECONDS = 8;
type Closed = Extract<Workload, { kind: 'closed' }>;

/** Requests in each second, of users who are answered at once. */
function load(startWithin: Closed['startWithin']): number[] {
  const thinkTime = { kind: 'exponential', mean: 4 * SECOND } as const;
  const awake = { shape: 'constant', value: 1 } as const;
  const settings: Closed = { kind: 'closed', thinkTime, awake, startWithin };
  const stream = randomStream(3, 'first');
  const first = firstPause(settings, stream);
  const think = sampler(thinkTime, stream);
  const seconds = new Array<number>(SECONDS).fill(0);
  for (let user = 0; user < USERS; user++) {
    for (let at = first(); at < SECONDS * SECOND; at += think()) {
      const second = Math.floor(at / SECOND);
      seconds[second] = (seconds[second] ?? 0) + 1;
    }
  }
  return seconds;
}

it('makes users begin in the middle of thinking: the load is steady from the first second', () => {
  for (const count of load('thinkTime')) {
    // A Poisson count of mean 1,000, 4.7 standard deviations.
    expect(Math.abs(count - 1_000)).toBeLessThan(149);
  }
});

it('or spreads first requests over a span, with up to twice the load at its end', () => {
  const seconds = load(4 * SECOND);
  expect(seconds[3]).toBeGreaterThan(1_700);
  expect(Math.abs((seconds[7] ?? 0) - 1_000)).toBeLessThan(149);
});
