/**
 * The golden hash: what a seed gives, to the last byte, of events, series and summary. It must be
 * the same on every engine (Node 24 runs this file too, scripts/node24.mjs) and change only when
 * what is simulated changes; then the new value is the one that the failure prints.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { parseTopology } from '../topology/index.ts';
import { Simulation } from './simulation.ts';

const GOLDEN: readonly (readonly [file: string, set: readonly string[], hash: string])[] = [
  ['incident.yaml', ['duration=150s'], '30d622c7aa0d039c'],
  ['golden-connections.yaml', [], '1a7639a2c0d3e27c'],
  ['reclaiming-queue.yaml', [], '92bc946ecd99ce78'],
  ['alb.yaml', [], '2a37f9cc403cad81'],
  ['aws-2021.yaml', ['duration=3s'], 'd46e4cbf33e63086'],
];

function hashOf(file: string, set: readonly string[]): string {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const options = { set: [...set], scale: 1, timeScale: 1 };
  const parsed = parseTopology(readFileSync(path, 'utf8'), file, options);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const hash = createHash('sha256');
  const simulation = new Simulation({
    topology: parsed.topology,
    topologyHash: '',
    version: '',
    seed: 7,
    recorder: { write: (...event) => hash.update(event.join(' ')) },
    onSecond: () => {},
  });
  while (!simulation.step(100_000));
  simulation.finish();
  hash.update(JSON.stringify(simulation.measured()));
  for (const row of simulation.rows()) hash.update(JSON.stringify(row));
  return hash.digest('hex').slice(0, 16);
}

it.each(GOLDEN)('%s %o gives what it always gave', (file, set, expected) => {
  expect(hashOf(file, set)).toBe(expected);
});
