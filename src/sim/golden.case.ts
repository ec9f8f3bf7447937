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
  ['incident.yaml', ['duration=150s'], 'ab33a7242bd667b8'],
  ['golden-connections.yaml', [], '679ad1affc8f9f9e'],
  ['reclaiming-queue.yaml', [], '91532b8ac50d0f6d'],
  ['alb.yaml', [], '697d061522e623cd'],
  ['aws-2021.yaml', ['duration=3s'], 'c542b9ae194559cb'],
];

export function goldenTopology(file: string, set: readonly string[]): Topology {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const options = { set: [...set], scale: 1, timeScale: 1 };
  const parsed = parseTopology(readFileSync(path, 'utf8'), file, options);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.topology;
}
