/** Reads a topology document; prints its problems (all of them) or warnings on stderr. */
import { fileURLToPath } from 'node:url';
import type { Topology } from '../model/topology.ts';
import {
  explainSettings,
  formatProblems,
  parseTopology,
  type ShortOption,
} from '../topology/index.ts';
import { readDocument } from './read-document.ts';

/** The incident, as it comes with the package. */
export const INCIDENT = fileURLToPath(new URL('../../examples/incident.yaml', import.meta.url));

export interface LoadOptions {
  readonly set: readonly string[];
  readonly scale: number;
  readonly timeScale: number;
  /** Absent where the command line does not have it, as `start`. */
  readonly duration?: string;
  readonly start?: string;
}

/** Null after the problems have been printed. Throws the system's error when it cannot be read. */
export async function loadTopology(
  file: string,
  options: LoadOptions,
  verbose: boolean,
): Promise<Topology | null> {
  const text = await readDocument(file);
  const { set, scale, timeScale } = options;
  const parsed = parseTopology(text, file, { set, scale, timeScale, options: shortOf(options) });
  if ('problems' in parsed) {
    process.stderr.write(formatProblems(parsed.problems));
    return null;
  }
  for (const warning of parsed.warnings) process.stderr.write(`${warning}\n`);
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

function shortOf({ duration, start }: LoadOptions): ShortOption[] {
  const short: ShortOption[] = [];
  if (duration !== undefined) {
    short.push({ option: '--duration', setting: 'duration', value: duration });
  }
  if (start !== undefined) {
    short.push({ option: '--start', setting: 'startTimeOfDay', value: start });
  }
  return short;
}
