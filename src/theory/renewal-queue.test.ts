/** GI/M/c against Poisson's formulas, Takacs's formula, and small cases by hand. */
import { describe, expect, it } from 'vitest';
import { erlangC } from './erlang.ts';
import { finiteQueue } from './finite-queue.ts';
import { renewalQueue } from './renewal-queue.ts';

const ALL = Number.POSITIVE_INFINITY;
const EVENLY = Number.POSITIVE_INFINITY;

describe('arrivals whose gaps are alike', () => {
  it.each([
    [1, 0.7],
    [3, 2.4],
    [20, 19],
    [200, 190],
  ])('of one stage are Poisson: %i servers offered %f', (servers, offered) => {
    const { waits, waiting } = renewalQueue(servers, ALL, { offered, stages: 1 });
    expect(waits / erlangC(servers, offered)).toBeCloseTo(1, 9);
    expect(waiting / ((waits * offered) / (servers - offered))).toBeCloseTo(1, 9);
  });

  it.each([
    [1, 3, 1.5],
    [4, 0, 3],
    [3, 40, 2],
  ])(
    'and with room for some M/M/c/K: %i servers, room %i, offered %f',
    (servers, room, offered) => {
      const exact = finiteQueue(servers, room, offered);
      const found = renewalQueue(servers, room, { offered, stages: 1 });
      expect(found.refused / exact.refused).toBeCloseTo(1, 9);
      expect(found.waits).toBeCloseTo(exact.waits, 10);
      expect(found.serving).toBeCloseTo(exact.serving, 10);
      expect(found.waiting).toBeCloseTo(exact.waiting, 10);
    },
  );

  it('D/M/1: sigma = exp(-(1 - sigma) / load), of which 0.5 by hand', () => {
    const { waits, waiting } = renewalQueue(1, ALL, { offered: 0.5, stages: EVENLY });
    expect(waits).toBeCloseTo(0.20318787, 8);
    expect(waiting).toBeCloseTo((0.5 * waits) / (1 - waits), 12);
  });

  it.each([
    [2, 1.2, EVENLY],
    [3, 2.7, EVENLY],
    [6, 4, EVENLY],
    [3, 2.4, 2],
    [5, 4.5, 7],
  ])('Takacs: %i servers offered %f, %f stages', (servers, offered, stages) => {
    const { waits, waiting } = renewalQueue(servers, ALL, { offered, stages });
    const exact = takacs(servers, offered, stages);
    expect(waits).toBeCloseTo(exact.waits, 9);
    expect(waiting).toBeCloseTo((offered * exact.waits) / (servers * exact.slack), 8);
  });

  it('D/M/1/1 without room: who comes finds busy who came before him, with exp(-1 / load)', () => {
    const { refused, serving } = renewalQueue(1, 0, { offered: 0.8, stages: EVENLY });
    expect(refused).toBeCloseTo(Math.exp(-1 / 0.8), 12);
    expect(serving).toBeCloseTo(0.8 * (1 - Math.exp(-1 / 0.8)), 12);
  });

  it('keeps its digits where the servers are nearly full, and is quick where they are idle', () => {
    const full = renewalQueue(1, ALL, { offered: 1 - 1e-9, stages: EVENLY });
    // Heavy traffic: the mean wait is (Ca^2 + Cs^2) / 2 / (1 - load), half of Poisson's.
    expect(full.waiting * 1e-9).toBeCloseTo(0.5, 6);
    expect(renewalQueue(2, ALL, { offered: 0.001, stages: EVENLY }).waits).toBe(0);
    expect(renewalQueue(1_000, ALL, { offered: 900, stages: 2 }).waits).toBeLessThan(1e-4);
  });
});

/** Takacs (1962), whose sum has terms of both signs. */
function takacs(servers: number, offered: number, stages: number) {
  const transform = (s: number): number =>
    stages === EVENLY ? Math.exp(-s / offered) : (1 + s / offered / stages) ** -stages;
  let sigma = 0.5;
  for (let round = 0; round < 5_000; round++) sigma = transform(servers * (1 - sigma));
  let sum = 1 / (1 - sigma);
  let [product, choices] = [1, 1];
  for (let j = 1; j <= servers; j++) {
    const a = transform(j);
    product *= a / (1 - a);
    choices *= (servers - j + 1) / j;
    const fraction = (servers * (1 - a) - j) / (servers * (1 - sigma) - j);
    sum += (choices / (product * (1 - a))) * fraction;
  }
  return { waits: 1 / sum / (1 - sigma), slack: 1 - sigma };
}
