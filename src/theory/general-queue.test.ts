/** Waits by two moments: against what is exact, and the ends of what they may be. */
import { describe, expect, it } from 'vitest';
import { erlangC, meanWait } from './erlang.ts';
import { feedbackWait } from './feedback.ts';
import { generalWait } from './general-queue.ts';
import { renewalQueue } from './renewal-queue.ts';

const EVENLY = Number.POSITIVE_INFINITY;

describe('a wait', () => {
  it.each([
    [1, 0, 1],
    [1, 2.5, 1],
    [5, 1, 1],
  ])('is exact for %i servers, variation %f, %i stages', (servers, variation, stages) => {
    const { value, off } = generalWait({ servers, service: 0.1, variation, stages }, 7 * servers);
    expect(off).toBe(0);
    expect(value).toBeCloseTo(meanWait(servers, 7 * servers, 0.1, variation), 12);
  });

  it('is exact for GI/M/c, and nothing for D/D/c', () => {
    const queue = { servers: 3, service: 1, variation: 1, stages: EVENLY };
    const { waiting } = renewalQueue(3, EVENLY, { offered: 2.5, stages: EVENLY });
    expect(generalWait(queue, 2.5)).toEqual({ value: waiting / 2.5, off: 0 });
    expect(generalWait({ ...queue, variation: 0 }, 2.9)).toEqual({ value: 0, off: 0 });
  });

  it.each([
    [2, 1, 1],
    [2, 1.6, 1],
    [8, 5.6, 1],
    [1, 0.7, 4],
    [2, 1.8, 2],
  ])(
    'M/D/c by Crommelin: %i servers offered %f, dealt to %i in turn',
    (servers, offered, hosts) => {
      const queue = { servers, service: 1, variation: 0, stages: hosts };
      const { value, off } = generalWait(queue, offered);
      const exact = crommelin(servers * hosts, offered * hosts);
      expect(Math.abs(value - exact), `${value} of ${exact}`).toBeLessThanOrEqual(off);
      expect(off).toBeLessThan(0.05 * value);
    },
  );

  it('grows from constant to exponential services, and on', () => {
    const at = (variation: number): number =>
      generalWait({ servers: 4, service: 1, variation, stages: 1 }, 3).value;
    const waits = [0, 0.3, 0.999_999, 1, 1.000_001, 3].map(at);
    expect([...waits].sort((one, other) => one - other)).toEqual(waits);
    expect(waits[2]).toBeCloseTo(erlangC(4, 3), 4);
  });

  it('without end where the servers cannot keep up, none where nobody comes', () => {
    const queue = { servers: 2, service: 1, variation: 0.5, stages: 3 };
    expect(generalWait(queue, 2)).toEqual({ value: EVENLY, off: 0 });
    expect(generalWait(queue, 0).value).toBe(0);
  });
});

describe('several visits running', () => {
  it.each([2, 3, 7])('%i, exponential: Jackson', (visits) => {
    const one = { visits, service: 1, variation: 1, stages: 1 };
    const { value, off } = feedbackWait(one, 0.8 / visits);
    expect(value).toBeCloseTo(0.8 / 0.2, 9);
    expect(off).toBe(0);
  });

  it('two constant ones: both equations hold', () => {
    const [rate, load] = [0.4, 0.8];
    const { value } = feedbackWait({ visits: 2, service: 1, variation: 0, stages: 1 }, rate);
    // first = rate (first + second) + load / 2 and 2 first + second = work / rate - 2, with the
    // work of M/D/1 of services of 2.
    const work = load * meanWait(1, rate, 2, 0) + (rate * 4) / 2;
    const both = work / rate - 1 - 1;
    const first = (rate * both + load / 2) / (1 + rate);
    const second = both - 2 * first;
    expect(first).toBeCloseTo(rate * (first + second) + load / 2, 9);
    expect(value).toBeCloseTo((first + second) / 2, 9);
  });

  it('even requests of constant services: nobody waits', () => {
    const one = { visits: 4, service: 1, variation: 0, stages: EVENLY };
    expect(feedbackWait(one, 0.24).value).toBeCloseTo(0, 12);
  });
});

/** The number in system after one service time depends on that before it alone (1932). */
function crommelin(servers: number, offered: number): number {
  const states = 40 + 6 * servers;
  const arrivals = [Math.exp(-offered)];
  for (let n = 1; n < states; n++) arrivals.push(((arrivals[n - 1] ?? 0) * offered) / n);
  let now = Array.from({ length: states }, (_, n) => Number(n === 0));
  for (let round = 0; round < 300; round++) {
    const next = new Array<number>(states).fill(0);
    now.forEach((p, n) => {
      if (p < 1e-16) return;
      for (let more = 0; more < states; more++) {
        const to = Math.min(states - 1, Math.max(0, n - servers) + more);
        next[to] = (next[to] ?? 0) + p * (arrivals[more] ?? 0);
      }
    });
    now = next;
  }
  return now.reduce((sum, p, n) => sum + p * n, 0) / offered - 1;
}
