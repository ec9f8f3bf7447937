/**
 * Which events of a stream a reader wants: a window of time, kinds, instances, one process.
 * A filter stands in front of a visitor, so it composes with the merge and costs one call per
 * event. Without a criterion everything passes.
 */
import type { EventKind } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import type { EventBlock } from './columns.ts';
import type { EventVisitor } from './merge.ts';

export interface EventCriteria {
  /** Earliest time that passes (µs, inclusive). */
  readonly from?: Micros;
  /** Earliest time that does not pass any more (µs, exclusive). */
  readonly until?: Micros;
  readonly kinds?: readonly EventKind[];
  readonly instances?: readonly number[];
  readonly processes?: readonly number[];
}

/** True for a row that meets all criteria. */
export type EventTest = (block: EventBlock, row: number) => boolean;

export function eventTest(criteria: EventCriteria): EventTest {
  const from = criteria.from ?? Number.NEGATIVE_INFINITY;
  const until = criteria.until ?? Number.POSITIVE_INFINITY;
  const kinds = membership(criteria.kinds);
  const instances = membership(criteria.instances);
  const processes = membership(criteria.processes);
  return (block, row) => {
    const at = block.at[row] ?? 0;
    return (
      at >= from &&
      at < until &&
      (kinds === null || kinds[block.kind[row] ?? 0] === 1) &&
      (instances === null || instances[block.instance[row] ?? 0] === 1) &&
      (processes === null || processes[block.process] === 1)
    );
  };
}

/** A visitor that passes on only what meets the criteria. */
export function filterEvents(criteria: EventCriteria, visit: EventVisitor): EventVisitor {
  const passes = eventTest(criteria);
  return (process, sequence, block, row) => {
    if (passes(block, row)) visit(process, sequence, block, row);
  };
}

/** A table of ones for the members; null = no criterion. Indices are below 65,536. */
function membership(members: readonly number[] | undefined): Uint8Array | null {
  if (members === undefined) return null;
  const table = new Uint8Array(65_536);
  for (const member of members) table[member] = 1;
  return table;
}
