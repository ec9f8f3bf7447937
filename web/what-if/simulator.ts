/** One simulation at a time, in a worker; a new question puts an end to the one before. */
import type { Topology } from '../../src/model/topology.ts';
import type { Outcome } from './outcome.ts';
import SimulatorWorker from './worker.ts?worker';

export interface Lived {
  readonly outcome: Outcome;
  readonly milliseconds: number;
}

export class Simulator {
  #worker: Worker | null = null;

  live(topology: Topology, seed: number, done: (lived: Lived) => void): void {
    this.stop();
    const worker = new SimulatorWorker();
    this.#worker = worker;
    const began = performance.now();
    worker.onmessage = ({ data }: MessageEvent<Outcome>) => {
      worker.terminate();
      done({ outcome: data, milliseconds: performance.now() - began });
    };
    worker.postMessage({ topology, seed });
  }

  stop(): void {
    this.#worker?.terminate();
  }
}
