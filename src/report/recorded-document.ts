/**
 * The document of a recorded run. Engines write the layout of processes that they chose into the
 * topology that they record; it belongs to the document only where the hash says so.
 */
import type { RunInfo } from '../model/run.ts';
import { parseTopology, topologyDocument, topologyHash } from '../topology/index.ts';

export interface RecordedDocument {
  readonly text: string;
  /** Read again it has the hash of the run. */
  readonly isSame: boolean;
}

export function recordedDocument({ topology, topologyHash: hash }: RunInfo): RecordedDocument {
  const without = topologyDocument({ ...topology, processes: [] });
  const texts = [without, topologyDocument(topology)];
  const same = texts.find((text) => {
    const parsed = parseTopology(text, 'topology.yaml', { set: [], scale: 1, timeScale: 1 });
    return !('problems' in parsed) && topologyHash(parsed.topology) === hash;
  });
  return { text: same ?? without, isSame: same !== undefined };
}
