/**
 * What a window showed: each measure that a target names, a value per minute.
 *
 *   <hop>.<Metric>      a chart by CloudWatch's name (measure/charts.ts): nlb.NewFlowCount
 *   <name>.<series>     a series of a link, hop or group of clients (measure/series.ts): counts
 *                       are added up over the minute, gauges averaged
 *   <hosts>.unevenness  requests of the busiest host / of the idlest, in steps of 5 s, averaged
 */
import { type Chart, chartsOf } from '../measure/charts.ts';
import type { SecondRow } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';

export type Values = readonly (number | null)[];

/** By measure; a measure that the run does not have is absent. */
export type WindowValues = Readonly<Record<string, Values>>;

const GAUGES: ReadonlySet<string> = new Set([
  'open',
  'active',
  'held',
  'yielded',
  'waiting',
  'pending',
  'unhealthyTargets',
  'cpuUtilisation',
  'dbLoad',
  'load',
  'databaseConnections',
  'latencyP50Ms',
  'latencyP99Ms',
]);

/** What does not grow with the system; everything else does, and is given for the whole of it. */
const INTENSIVE = /PerNew|PerTarget$|Rate$|Utili[sz]ation$|^latency|^unevenness$|^slot/;

type Info = Pick<RunInfo, 'topology' | 'plan' | 'secondsPerRow'>;

/**
 * `rows` begin with the window's first second. `size` is how large the simulated system was, 1 =
 * as written: what grows with it is divided by it.
 */
export function windowValues(
  info: Info,
  rows: Iterable<SecondRow>,
  measures: readonly string[],
  size: number,
): WindowValues {
  const kept = [...rows];
  const charts = chartsOf(info, kept);
  const points = charts[0]?.values.length ?? 0;
  const found: Record<string, Values> = {};
  for (const measure of measures) {
    const dot = measure.lastIndexOf('.');
    const of = measure.slice(0, dot);
    const what = measure.slice(dot + 1);
    const chart = charts.find((one) => one.of === of && one.metric === what);
    const values =
      chart?.values ??
      (what === 'unevenness' ? unevenness(info, kept, of) : seriesOf(kept, of, what, points));
    if (values === null) continue;
    found[measure] = INTENSIVE.test(what)
      ? values
      : values.map((value) => (value === null ? null : value / size));
  }
  return found;
}

/** Every measure that such a run has, to tell a slip of the pen from it. */
export function measuresOf(info: Info, rows: readonly SecondRow[]): ReadonlySet<string> {
  return new Set([
    ...chartsOf(info, rows).map(({ of, metric }) => `${of}.${metric}`),
    ...rows.map(({ scope, measure }) => `${scope.slice(scope.indexOf(':') + 1)}.${measure}`),
    ...info.topology.hosts.map(({ name }) => `${name}.unevenness`),
  ]);
}

function seriesOf(
  rows: readonly SecondRow[],
  of: string,
  measure: string,
  points: number,
): Values | null {
  const sums = new Float64Array(points);
  const counts = new Float64Array(points);
  let known = false;
  for (const row of rows) {
    if (row.measure !== measure || row.scope.slice(row.scope.indexOf(':') + 1) !== of) continue;
    known = true;
    const point = Math.floor(row.second / 60);
    if (row.value === null || point < 0 || point >= points) continue;
    sums[point] = (sums[point] ?? 0) + row.value;
    counts[point] = (counts[point] ?? 0) + 1;
  }
  if (!known) return null;
  const gauge = GAUGES.has(measure);
  return Array.from(sums, (sum, point) => {
    const count = counts[point] ?? 0;
    return count === 0 ? null : gauge ? sum / count : sum;
  });
}

/** In steps of 5 s as the team plotted it (or a row, where rows are longer), averaged. */
function unevenness(info: Info, rows: readonly SecondRow[], hosts: string): Values | null {
  const step = Math.max(5, info.secondsPerRow ?? 1);
  const charts = chartsOf(info, rows, { secondsPerPoint: step }).filter((chart) =>
    chart.of.startsWith(`${hosts}#`),
  );
  if (charts.length < 2) return null;
  const perMinute = Math.max(1, Math.floor(60 / step));
  const points = Math.floor((charts[0]?.values.length ?? 0) / perMinute);
  return Array.from({ length: points }, (_, point) => {
    const ratios = Array.from({ length: perMinute }, (_step, index) =>
      busiestByIdlest(charts, point * perMinute + index),
    ).filter((one) => one !== null);
    return ratios.length === 0 ? null : ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
  });
}

function busiestByIdlest(charts: readonly Chart[], step: number): number | null {
  const values = charts.map(({ values: one }) => one[step] ?? 0);
  const least = Math.min(...values);
  return least === 0 ? null : Math.max(...values) / least;
}
