/** For tests only: an input of rules that has nothing but series and the time of one fault. */
import type { SecondRow } from '../measure/rows.ts';
import { testTopology } from '../measure/test-topology.ts';
import { makePlan } from '../model/plan.ts';
import type { FindingInput } from './input.ts';

/** The run lasts 40 s; the only fault comes after `calmSeconds`. Four hosts named ec2. */
export function scriptedInput(seconds: readonly SecondRow[], calmSeconds: number): FindingInput {
  const topology = testTopology({ hosts: 4 });
  const info: FindingInput['info'] = {
    engine: 'live',
    version: 'test',
    seed: 1,
    topology,
    topologyHash: '0',
    plan: makePlan(topology, { externalClients: false }),
    endpoints: [],
    epoch: 0,
    loadStart: 1_000_000,
    loadEnd: 41_000_000,
    censusAt: 41_000_000,
    marks: [{ at: 1_000_000 + calmSeconds * 1_000_000, text: 'fault', kind: 'fault' }],
    eventCounts: [],
    kernel: null,
    deaths: [],
    lab: null,
  };
  const summary: FindingInput['summary'] = {
    engine: 'live',
    version: 'test',
    seed: 1,
    topology: { name: 'test', hash: '0' },
    durationSeconds: 40,
    balanced: true,
    clients: [],
    links: [],
    queues: [],
    stations: [],
    processes: [],
    lab: null,
    imbalances: [],
  };
  return { topology, info, summary, seconds };
}
