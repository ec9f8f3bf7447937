/**
 * What `explain` says against the simulator: every answer that calls itself exact lies within the
 * bounds of confidence, and so do those that promise how far they may be off, with that; of the
 * others those that are named.
 */
import { expect } from 'vitest';
import {
  type Answer,
  compare,
  cycleOf,
  explain,
  keyOf,
  measured,
  steadyTopology,
} from '../../src/explain/index.ts';
import type { Topology } from '../../src/model/topology.ts';
import { Simulation } from '../../src/sim/index.ts';
import { parseTopology } from '../../src/topology/index.ts';
import { replicate } from './simulated.ts';

export interface Case {
  readonly name: string;
  readonly hops: string;
  /** Seconds after which, and for which, one looks. */
  readonly warmUp: number;
  readonly window: number;
  /** `place quantity` of approximations that must lie within the bounds too. */
  readonly also: readonly string[];
  readonly exactAtLeast: number;
}

export const users = (count: number, think: string, more = ''): string =>
  `  - { name: users, kind: clients, count: ${count}, workload: { kind: closed, ` +
  `thinkTime: ${think}, startWithin: 1s }${more} }\n`;

export const open = (rate: number, pool = '{ connectionsMax: 0 }'): string =>
  `  - { name: clients, kind: clients, pool: ${pool}, ` +
  `workload: { kind: open, rate: ${rate}/s } }\n`;

export const app = (settings: string): string =>
  `  - { name: app, kind: app, keepAliveTimeout: 0s, ${settings} }\n`;

export function checkAnswers({ name, hops, warmUp, window, also, exactAtLeast }: Case): void {
  const topology = parse(`name: t\nduration: 60s\nhops:\n${hops}`);
  const answers = explain(topology);
  const runs = replicate((seed) => series(topology, seed, warmUp, window));
  const openedAt = ({ at }: Answer): number | null => {
    const found = answers.find(
      (one) => one.at === at && one.quantity === 'newConnectionsPerSecond',
    );
    return typeof found?.value === 'number' ? found.value : null;
  };
  let checked = 0;
  for (const answer of answers) {
    const key = keyOf(answer.at, answer.quantity);
    const { simulated } = compare(answer, {
      ...{ runs, seconds: window, opened: openedAt(answer) },
      cycle: cycleOf(topology, answers),
    });
    if (simulated === null || typeof answer.value !== 'number') continue;
    const promises = answer.standing === 'exact' || answer.within !== undefined;
    if (!promises && !also.includes(key)) continue;
    checked += 1;
    const { mean, bound } = simulated;
    const text = `${name}: ${key}: simulated ${mean} +- ${bound}, closed form ${answer.value}`;
    expect(simulated.inside, text).not.toBe(false);
  }
  expect(checked, JSON.stringify(answers.map(shortly))).toBeGreaterThanOrEqual(exactAtLeast);
}

export function parse(yaml: string): Topology {
  const parsed = parseTopology(yaml, 'explain.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.topology;
}

function series(topology: Topology, seed: number, warmUp: number, window: number) {
  const to = warmUp + window;
  const simulation = new Simulation({
    topology: steadyTopology(topology, to * 1e6),
    ...{ topologyHash: '', version: '', seed, recorder: null },
    onSecond: () => {},
  });
  while (!simulation.step(1_000_000));
  simulation.finish();
  return measured(topology, simulation.rows(), { from: warmUp, to });
}

export function shortly({ at, quantity, value, standing }: Answer): string {
  return `${at} ${quantity} ${value} ${standing}`;
}
