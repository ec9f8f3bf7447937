/**
 * Time to answer as a heat map: a column a window, a row a step of time (three to a doubling),
 * darker where more requests lie. It shows what percentiles blend: two crowds, one fast and one
 * waiting.
 */
import type { Story } from '../data/story.ts';

export interface Heat {
  readonly windowSeconds: number;
  readonly columns: number;
  /** Counts by column and row: `counts[column * ROWS + row]`. */
  readonly counts: Uint32Array;
  readonly most: number;
}

export const ROWS = 60;
const STEPS_PER_DOUBLING = 3;
/** Lower edge of row 0. */
const LEAST = 100;

/** Lower edge of a row, µs. */
export function edgeOf(row: number): number {
  return LEAST * 2 ** (row / STEPS_PER_DOUBLING);
}

export function heatOf(
  { exchanges, connections, face, until }: Story,
  windowSeconds: number,
): Heat {
  const columns = Math.max(1, Math.ceil(until / 1e6 / windowSeconds));
  const counts = new Uint32Array(columns * ROWS);
  const kinds = new Map(face.topology.hops.map((hop) => [hop.name, hop.kind]));
  const client = face.plan.links.map((link) => kinds.get(link.downstream) === 'clients');
  let most = 0;
  for (let index = 0; index < exchanges.count; index++) {
    const connection = connections.indexOf(exchanges.connection.get(index));
    if (client[connections.link.get(connection)] !== true) continue;
    const [from, to] = [exchanges.startedAt.get(index), exchanges.endedAt.get(index)];
    if (!(to >= from)) continue;
    const column = Math.floor(to / 1e6 / windowSeconds);
    const row = Math.floor(Math.log2(Math.max(to - from, LEAST) / LEAST) * STEPS_PER_DOUBLING);
    if (column < 0 || column >= columns) continue;
    const at = column * ROWS + Math.min(row, ROWS - 1);
    counts[at] = (counts[at] ?? 0) + 1;
    most = Math.max(most, counts[at] ?? 0);
  }
  return { windowSeconds, columns, counts, most };
}
