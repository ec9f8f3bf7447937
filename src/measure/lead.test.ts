import { describe, expect, it } from 'vitest';
import { makePlan } from '../model/plan.ts';
import { calmBand, chartLeads, leaves } from './lead.ts';
import type { SecondRow } from './rows.ts';
import { testTopology } from './test-topology.ts';

const LEAST = { share: 0.1, amount: 1 };

describe('a calm band', () => {
  it('is as wide as the scatter asks, the share of the median, or the least amount', () => {
    expect(calmBand([100, 100, 100, 100], LEAST)).toEqual({ middle: 100, width: 10 });
    expect(calmBand([0, 0, 0, 0], LEAST)).toEqual({ middle: 0, width: 1 });
    const scattered = calmBand([80, 90, 100, 110, 120], LEAST);
    expect(scattered?.middle).toBe(100);
    expect(scattered?.width).toBeCloseTo((6 * 10) / 0.6745, 9);
  });

  it('does not know what nobody measured', () => {
    expect(calmBand([null, null], LEAST)).toBeNull();
    expect(calmBand([null, 7], LEAST)?.middle).toBe(7);
  });

  it('is left at the first of so many points in a row, and not by an odd one', () => {
    const band = { middle: 100, width: 10 };
    const values = [100, 200, 100, null, 80, 80, 100];
    expect(leaves(values, band, { since: 0, inARow: 2 })).toBe(4);
    expect(leaves(values, band, { since: 0, inARow: 1 })).toBe(1);
    expect(leaves(values, band, { since: 5, inARow: 2 })).toBeNull();
  });
});

describe('leads of charts', () => {
  const topology = testTopology({ hosts: 4 });
  const info = { topology, plan: makePlan(topology, { externalClients: false }) };
  const link = info.plan.links.find(
    ({ upstream }) => topology.hops.find(({ name }) => name === upstream)?.kind === 'l4-balancer',
  );
  const scope = `link:${link?.name}`;

  /** Four minutes; the calm is over after two. */
  function rows(opened: (second: number) => number, open: (second: number) => number) {
    return Array.from({ length: 240 }, (_value, second): SecondRow[] => [
      { second, scope, measure: 'opened', value: opened(second) },
      { second, scope, measure: 'open', value: open(second) },
      { second, scope, measure: 'exchanges', value: 3_000 },
    ]).flat();
  }

  it('are in the order of seconds, and fall into one minute', () => {
    const opened = (second: number): number => (second < 125 ? 40 : 400);
    const open = (second: number): number => (second < 131 ? 500 : 5_000);
    const found = chartLeads(info, rows(opened, open), 120);
    const balancer = link?.upstream;
    expect(found?.map(({ name, second, minute }) => [name, second, minute])).toEqual([
      [`${balancer} NewFlowCount`, 125, 3],
      [`${balancer} RequestsPerNewFlow`, 125, 3],
      [`${balancer} ActiveFlowCount`, 131, 3],
    ]);
    expect(found?.[0]).toMatchObject({ from: 40, peak: 400 });
  });

  it('a move of two seconds is in no minute', () => {
    const open = (second: number): number => (second === 130 || second === 131 ? 700 : 500);
    const found = chartLeads(
      info,
      rows(() => 40, open),
      120,
    );
    expect(found?.map(({ second, minute }) => [second, minute])).toEqual([[130, null]]);
  });

  it('are not known without a whole minute of calm, nor of rows of a minute', () => {
    const some = rows(
      () => 40,
      () => 500,
    );
    expect(chartLeads(info, some, 59)).toBeNull();
    expect(chartLeads({ ...info, secondsPerRow: 60 }, some, 120)).toBeNull();
    expect(chartLeads(info, some, 120)).toEqual([]);
  });
});
