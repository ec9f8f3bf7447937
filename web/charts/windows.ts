/** Values of a chart in windows of a second or a minute, as uPlot takes them. */
import type { SeriesStore } from '../data/series-store.ts';
import type { ChartData } from './chart.ts';
import type { Line } from './definitions.ts';

/**
 * Whole windows only: a minute that has just begun would look like a collapse.
 * @param until seconds: the end of the load; what comes after it is no part of the run
 */
export function dataOf(
  lines: readonly Line[],
  series: SeriesStore,
  windowSeconds: number,
  until: number,
): ChartData {
  const steps = Math.max(1, Math.round(windowSeconds / series.step));
  // What was before the load began is not shown.
  const skipped = Math.max(0, Math.ceil(-series.first / series.step));
  const told = Math.min(series.secondOf(series.length), until);
  const windows = Math.max(0, Math.floor((told - series.secondOf(skipped)) / windowSeconds));
  const times = Array.from({ length: windows }, (_, at) => series.secondOf(skipped + at * steps));
  const columns = lines.map((line) =>
    times.map((_, index) => valueIn(line, skipped + index * steps, steps)),
  );
  return [times, ...columns];
}

function valueIn({ above, below, kind }: Line, from: number, steps: number): number | null {
  const sum = total(above, from, steps);
  if (below.length > 0) {
    const under = total(below, from, steps).sum;
    return under > 0 ? sum.sum / under : null;
  }
  if (sum.known === 0) return null;
  return kind === 'gauge' ? (sum.sum / sum.known) * above.length : sum.sum;
}

function total(
  columns: readonly Float64Array[],
  from: number,
  steps: number,
): { sum: number; known: number } {
  let sum = 0;
  let known = 0;
  for (const column of columns) {
    const to = Math.min(from + steps, column.length);
    for (let at = from; at < to; at++) {
      const value = column[at] ?? Number.NaN;
      if (Number.isNaN(value)) continue;
      sum += value;
      known += 1;
    }
  }
  return { sum, known };
}
