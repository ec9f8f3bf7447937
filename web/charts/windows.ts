/** Values of a chart in windows of a second or a minute, as uPlot takes them. */
import type { SeriesStore } from '../data/series-store.ts';
import type { Chart, Line } from './definitions.ts';

export type ChartData = [number[], ...(number | null)[][]];

/** @param until seconds: the end of the load; what comes after it is no part of the run */
export function dataOf(
  chart: Chart,
  series: SeriesStore,
  windowSeconds: number,
  until: number,
): ChartData {
  const steps = Math.max(1, Math.round(windowSeconds / series.step));
  // What was before the load began is not shown.
  const skipped = Math.max(0, Math.ceil(-series.first / series.step));
  const times: number[] = [];
  for (let at = skipped; at < series.length; at += steps) {
    if (series.secondOf(at) >= until) break;
    times.push(series.secondOf(at));
  }
  const columns = chart.lines.map((line) =>
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

/** As spreadsheets read it; a value that is not known is empty. */
export function csvOf(chart: Chart, data: ChartData): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const head = ['second', ...chart.lines.map((line) => line.label)].map(quote).join(',');
  const rows = data[0].map((time, row) =>
    [time, ...data.slice(1).map((column) => column[row] ?? '')].join(','),
  );
  return `${[head, ...rows].join('\n')}\n`;
}
