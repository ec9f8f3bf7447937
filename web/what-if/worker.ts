/** The simulator, beside the page: lives through a topology, and tells what came of it. */
import type { Topology } from '../../src/model/topology.ts';
import { Simulation } from '../../src/sim/simulation.ts';
import type { Outcome } from './outcome.ts';

interface Question {
  readonly topology: Topology;
  readonly seed: number;
}

self.onmessage = ({ data }: MessageEvent<Question>) => {
  const simulation = new Simulation({
    ...data,
    topologyHash: '',
    version: '',
    recorder: null,
    onSecond: () => {},
  });
  while (!simulation.step(1_000_000));
  simulation.finish();
  const { clients, queues, links } = simulation.measured();
  const outcome: Outcome = { clients, queues, links };
  self.postMessage(outcome);
};
