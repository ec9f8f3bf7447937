import { expect, it } from 'vitest';
import { parseTopology } from '../topology/index.ts';
import { ownPoint } from './own-point.ts';
import { settingsAt } from './parameter.ts';
import type { Parameter } from './targets.ts';

const CHAIN = `
name: small
hops:
  - { name: clients, kind: clients, count: 20, workload: { kind: closed, thinkTime: 100ms } }
  - { name: gateway, kind: gateway, nodes: 8, pool: { idleTimeout: 6s, reuse: lifo } }
  - { name: app, kind: app, serviceTime: exponential(20ms) }
`;
const PARAMETERS: readonly Parameter[] = [
  {
    path: 'gateway.nodes',
    range: { kind: 'between', low: 3, high: 12, unit: 'whole', spacing: 'linear' },
  },
  {
    path: 'gateway.pool.idleTimeout',
    range: { kind: 'between', low: 2e6, high: 9e6, unit: 'duration', spacing: 'log' },
  },
  { path: 'gateway.pool.reuse', range: { kind: 'values', values: ['fifo', 'lifo'] } },
  {
    path: 'app.serviceTime',
    range: { kind: 'values', values: ['exponential(10ms)', 'exponential(20ms)'] },
  },
];

function chain() {
  const parsed = parseTopology(CHAIN, 'small.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.topology;
}

it('is the point that gives back what the topology says', () => {
  const point = ownPoint(PARAMETERS, chain());
  expect(point === null ? null : settingsAt(PARAMETERS, point)).toEqual([
    'gateway.nodes=8',
    'gateway.pool.idleTimeout=6s',
    'gateway.pool.reuse=lifo',
    'app.serviceTime=exponential(20ms)',
  ]);
});

it('is none where the topology is outside of a range', () => {
  const fewer: Parameter = {
    path: 'gateway.nodes',
    range: { kind: 'between', low: 1, high: 7, unit: 'whole', spacing: 'linear' },
  };
  expect(ownPoint([fewer], chain())).toBeNull();
  const other: Parameter = {
    path: 'gateway.pool.reuse',
    range: { kind: 'values', values: ['fifo', 'random'] },
  };
  expect(ownPoint([other], chain())).toBeNull();
});
