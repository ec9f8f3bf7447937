/** Reads a topology document; prints its problems (all of them) or warnings on stderr. */
import { fileURLToPath } from 'node:url';
import type { Topology } from '../model/topology.ts';
import { explainSettings, formatProblems, parseTopology } from '../topology/index.ts';
import { readDocument } from './read-document.ts';

/** The incident, as it comes with the package. */
export const INCIDENT = fileURLToPath(new URL('../../examples/incident.yaml', import.meta.url));

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
  const text = await readDocument(file);
  const parsed = parseTopology(text, file, options);
  if ('problems' in parsed) {
    process.stderr.write(formatProblems(parsed.problems));
    return null;
  }
  for (const warning of parsed.warnings) process.stderr.write(`${warning}\n`);
  const { scale, timeScale } = options;
  if (timeScale !== 1) {
    process.stderr.write(`all durations x ${timeScale}, all rates / ${timeScale}\n`);
  }
  if (scale !== 1) {
    for (const { path, from, to } of parsed.effective) {
      process.stderr.write(`scale ${scale}: ${path} ${from} -> ${to}\n`);
    }
  }
  if (verbose) {
    for (const { path, value, source } of explainSettings(parsed.topology, parsed.sources)) {
      process.stderr.write(`  ${path} = ${value}  (${source})\n`);
    }
  }
  return parsed.topology;
}
