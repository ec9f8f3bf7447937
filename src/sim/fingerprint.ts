/**
 * What a topology and a seed give, to the last byte, in 16 digits: every event, the summary and
 * the series. Made of nothing but JavaScript itself, so that node and a browser's worker can say
 * whether they simulate the same.
 */
import type { Topology } from '../model/topology.ts';
import { Simulation } from './simulation.ts';

/** 64 bits of everything that it is fed: two lanes of multiply and xor over 32-bit words. */
class Mixer {
  #low = 0x243f6a88;
  #high = 0x85a308d3;
  readonly #double = new Float64Array(1);
  readonly #words = new Uint32Array(this.#double.buffer);

  number(value: number): void {
    this.#double[0] = value;
    this.#word(this.#words[0] ?? 0);
    this.#word(this.#words[1] ?? 0);
  }

  text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#word(text.charCodeAt(i));
  }

  get digits(): string {
    const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #word(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ word ^ (this.#low >>> 7), 0x85ebca77);
    this.#high ^= this.#high >>> 13;
  }
}

export function fingerprint(topology: Topology, seed: number): string {
  const mixer = new Mixer();
  const simulation = new Simulation({
    topology,
    topologyHash: '',
    version: '',
    seed,
    recorder: {
      write: (...event) => {
        for (const value of event) mixer.number(value);
      },
    },
    onSecond: () => {},
  });
  while (!simulation.step(100_000));
  simulation.finish();
  mixer.text(JSON.stringify(simulation.measured()));
  for (const row of simulation.rows()) mixer.text(JSON.stringify(row));
  return mixer.digits;
}
