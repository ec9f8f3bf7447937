/**
 * The ledger as a recording drives it: events out of column blocks in, rows and at last the
 * summary out. It is the fold with the reading of columns in front and the sum at the end.
 *
 *     const books = ledger(info, { onConnection, onExchange, onSecond });
 *     mergeEvents(processes, books.visit);
 *     const { summary } = books.finish();
 */
import type { RunInfo } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import { byColumns, type EventVisitor } from '../stream/merge.ts';
import { Fold } from './fold.ts';
import type { RowSinks } from './rows.ts';
import { type Measured, summaryOf } from './strike.ts';

export interface Ledger {
  /** Takes one event of the merged order. */
  readonly visit: EventVisitor;
  /** The load ended before it was planned to. */
  endEarly(at: Micros): void;
  /** Call once, after the last event; hands out all that was still open, and the seconds. */
  finish(): { readonly summary: Measured };
}

/** `info` must be final: with loadEnd and censusAt where the run has ended. */
export function ledger(info: RunInfo, sinks: RowSinks = {}): Ledger {
  const fold = new Fold(info, sinks);
  return {
    visit: byColumns(fold.event),
    endEarly: (at) => fold.endEarly(at),
    finish: () => {
      fold.finish();
      return { summary: summaryOf(fold) };
    },
  };
}
