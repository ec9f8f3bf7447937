/**
 * The golden fingerprints: what a seed gives on every engine. They change only when what is
 * simulated changes; then the new value is the one that the failure prints.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Topology } from '../model/topology.ts';
import { parseTopology } from '../topology/index.ts';

export const GOLDEN_SEED = 7;

export const GOLDEN: readonly (readonly [file: string, set: readonly string[], hash: string])[] = [
  ['incident.yaml', ['duration=150s'], 'f83f2dcfda16deac'],
  ['golden-connections.yaml', [], '5e06d404b35552b4'],
  ['reclaiming-queue.yaml', [], '07cfb574aec6093f'],
  ['alb.yaml', [], '6c44e96e2db3b459'],
  ['aws-2021.yaml', ['duration=3s'], 'f128f5cb1a756abc'],
];

export function goldenTopology(file: string, set: readonly string[]): Topology {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const options = { set: [...set], scale: 1, timeScale: 1 };
  const parsed = parseTopology(readFileSync(path, 'utf8'), file, options);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.topology;
}
