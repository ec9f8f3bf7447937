/** Random faults: the same seed gives the same events, at the rate that was asked for. */
import { expect, test } from 'vitest';
import type { FaultProcess, Topology } from '../model/topology.ts';
import { parseTopology } from '../topology/index.ts';
import { EVENTS_MAX, timelineOf } from './fault-timeline.ts';

const HOPS = `
duration: 30d
hops:
  - { name: clients, kind: clients, count: 1 }
  - { name: apigw, kind: gateway, nodes: 4 }
  - { name: nlb, kind: l4-balancer }
  - { name: app, kind: app }
  - { name: db, kind: database }
hosts:
  - { name: ec2, count: 3, hops: [app] }
timeline:
  - { at: 1h, action: stall, hop: db, lasts: 2s }
`;
const FAULTS = `
faults:
  - name: slow
    every: exponential(1h)
    action: slow
    hop: db
    factor: uniform(4, 12)
    lasts: uniform(10s, 20s)
  - { every: 6h, action: replace-nodes, hop: apigw, count: "uniform(0, 9)" }
  - { every: exponential(1d), action: host-down, hosts: ec2, lasts: 30s }
  - { every: 1d, action: slow-requests, hop: app, share: 0.2, extra: exponential(2s), lasts: 1m }
`;

function topologyOf(text: string): Topology {
  const parsed = parseTopology(text, 'faults.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.topology;
}

test('a seed gives one timeline, in order, with the document’s own entries in it', () => {
  const topology = topologyOf(HOPS + FAULTS);
  const entries = timelineOf(topology, 7);
  expect(timelineOf(topology, 7)).toEqual(entries);
  expect(timelineOf(topology, 8)).not.toEqual(entries);
  const times = entries.map(({ at }) => at);
  expect(times).toEqual([...times].sort((one, other) => one - other));
  expect(entries).toContainEqual(topology.timeline[0]);
  const replaced = entries.filter((one) => one.action === 'replace-nodes');
  expect(replaced).toHaveLength(119);
  const counts = new Set(replaced.map(({ count }) => count));
  expect([...counts].sort()).toEqual([1, 2, 3, 4]);
  const down = entries.filter((one) => one.action === 'host-down');
  expect(new Set(down.map(({ replica }) => replica)).size).toBe(3);
});

test('events come at the rate, with the sizes, that were asked for', () => {
  const slow = timelineOf(topologyOf(HOPS + FAULTS), 3).filter((one) => one.action === 'slow');
  // 720 expected; four standard deviations of a Poisson count are 107.
  expect(Math.abs(slow.length - 720)).toBeLessThan(107);
  for (const { factor, lasts } of slow) {
    expect(factor).toBeGreaterThanOrEqual(4);
    expect(factor).toBeLessThanOrEqual(12);
    expect(lasts).toBeGreaterThanOrEqual(10e6);
    expect(lasts).toBeLessThanOrEqual(20e6);
  }
  const mean = slow.reduce((sum, { factor }) => sum + factor, 0) / slow.length;
  expect(Math.abs(mean - 8)).toBeLessThan((4 * (8 / 12 ** 0.5)) / slow.length ** 0.5);
});

test('a process does not shift the times of another, and has a limit', () => {
  const topology = topologyOf(HOPS + FAULTS);
  const [first, ...rest] = topology.faults;
  const all = timelineOf(topology, 5);
  const without = timelineOf({ ...topology, faults: rest }, 5);
  expect(without).toEqual(all.filter((one) => one.action !== 'slow'));
  const endless = { ...(first as FaultProcess), every: { kind: 'constant', value: 0 } } as const;
  const entries = timelineOf({ ...topology, timeline: [], faults: [endless] }, 5);
  expect(entries).toHaveLength(EVENTS_MAX);
});

test('the word stochastic stands for a list made for the chain, at the incident’s rates', () => {
  const topology = topologyOf(`${HOPS}faults: stochastic\n`);
  expect(topology.faults.map(({ name }) => name)).toEqual([
    'slow-db',
    'replace-nodes-apigw',
    'slow-requests-app',
    'host-down-ec2',
  ]);
  const days = { ...topology, timeline: [], duration: 29 * 86_400e6 };
  const months = Array.from({ length: 40 }, (_month, seed) => timelineOf(days, seed));
  const perMonth = (database: boolean): number =>
    months.flat().filter((one) => (one.action === 'slow') === database).length / 40;
  expect(Math.abs(perMonth(true) - 33)).toBeLessThan(4 * (33 / 40) ** 0.5);
  expect(Math.abs(perMonth(false) - 8)).toBeLessThan(4 * (8 / 40) ** 0.5);
});
