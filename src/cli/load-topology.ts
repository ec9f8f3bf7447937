/** Reads a topology document; prints its problems (all of them) or warnings on stderr. */
import { readFile } from 'node:fs/promises';
import type { Topology } from '../model/topology.ts';
import { formatProblems } from '../topology/problem.ts';
import { explainSettings, parseTopology } from '../topology/topology.ts';

export interface LoadOptions {
  readonly set: readonly string[];
  readonly scale: number;
  readonly timeScale: number;
}

/** Null after the problems have been printed. Throws the system's error when it cannot be read. */
export async function loadTopology(
  file: string,
  options: LoadOptions,
  verbose: boolean,
): Promise<Topology | null> {
  const text = await readFile(file, 'utf8');
  const parsed = await parseTopology(text, file, options);
  if ('problems' in parsed) {
    process.stderr.write(formatProblems(parsed.problems));
    return null;
  }
  for (const warning of parsed.warnings) process.stderr.write(`warning: ${warning}\n`);
  const { scale, timeScale } = options;
  if (scale !== 1 || timeScale !== 1) {
    process.stderr.write(`scale ${scale}, time scale ${timeScale}: effective values\n`);
  }
  if (verbose) {
    for (const { path, value, source } of explainSettings(parsed.topology)) {
      process.stderr.write(`  ${path} = ${value}  (${source})\n`);
    }
  }
  return parsed.topology;
}
