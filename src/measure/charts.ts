/**
 * The charts that the team of the incident looked at, by the names that CloudWatch gives them,
 * made from the series of a run of either engine: one point a minute, as CloudWatch has it.
 *
 *   Requests               edge        answers given to viewers: those that were final, and those
 *                                      that the client did not take for one and asked again
 *   5xxErrorRate           edge        of the final answers, percent
 *   Count                  gateway     requests that came to it
 *   NewFlowCount           balancer    flows begun
 *   ActiveFlowCount        balancer    flows open, mean of the minute
 *   RequestsPerNewFlow     balancer    requests / flows begun: no metric of AWS, but made of two
 *   RequestCountPerTarget  host        requests that one host read
 *   CPUUtilization         database    percent
 *   DatabaseConnections    database    open, mean of the minute
 *   DBLoad                 database    sessions at work or waiting, mean
 *
 * At an l7-balancer the first two are NewConnectionCount and ActiveConnectionCount. What a run
 * does not tell is null; a last minute that is not over has no point.
 */
import type { RunInfo } from '../model/run.ts';
import type { Hop } from '../model/topology.ts';
import type { SecondRow } from './rows.ts';

export interface Chart {
  /** CloudWatch's name of the metric. */
  readonly metric: string;
  /** Whose: the name of a hop, or of a host (`ec2#3`). */
  readonly of: string;
  readonly statistic: 'Sum' | 'Average';
  readonly unit: 'Count' | 'Percent';
  /** By point, from the start of the load. */
  readonly values: readonly (number | null)[];
}

export interface ChartOptions {
  /** A minute unless said otherwise; a multiple of what a row stands for. */
  readonly secondsPerPoint?: number;
}

/** What must be known of a run to chart it. */
export type ChartedRun = Pick<RunInfo, 'topology' | 'plan' | 'secondsPerRow'>;

/** One series of the run, by point. */
class Column {
  readonly #sums: number[] = [];
  readonly #counts: number[] = [];

  add(point: number, value: number | null): void {
    if (value === null) return;
    this.#sums[point] = (this.#sums[point] ?? 0) + value;
    this.#counts[point] = (this.#counts[point] ?? 0) + 1;
  }

  sum(point: number): number | null {
    return this.#sums[point] ?? null;
  }

  mean(point: number): number | null {
    const count = this.#counts[point] ?? 0;
    return count === 0 ? null : (this.#sums[point] ?? 0) / count;
  }
}

type Value = (point: number) => number | null;

class Builder {
  readonly charts: (Omit<Chart, 'values'> & { readonly at: Value })[] = [];
  readonly #columns = new Map<string, Column>();
  /** Rows often come series by series. */
  #last: { scope: string; measure: string; column: Column | undefined } | null = null;

  /** The series that these names stand for, added up. */
  sum(names: readonly string[]): Value {
    return this.#together(names, (column, point) => column.sum(point));
  }

  mean(names: readonly string[]): Value {
    return this.#together(names, (column, point) => column.mean(point));
  }

  add(metric: string, of: string, statistic: Chart['statistic'], at: Value): void {
    const unit = /Rate$|Utilization$/.test(metric) ? 'Percent' : 'Count';
    this.charts.push({ metric, of, statistic, unit, at });
  }

  names(): Iterable<string> {
    return this.#columns.keys();
  }

  take({ scope, measure, value }: SecondRow, point: number): void {
    let last = this.#last;
    if (last === null || last.scope !== scope || last.measure !== measure) {
      last = { scope, measure, column: this.#columns.get(`${scope} ${measure}`) };
      this.#last = last;
    }
    last.column?.add(point, value);
  }

  #together(names: readonly string[], read: (column: Column, point: number) => number | null) {
    const columns = names.map((name) => {
      const column = this.#columns.get(name) ?? new Column();
      this.#columns.set(name, column);
      return column;
    });
    return (point: number): number | null => {
      let total: number | null = null;
      for (const column of columns) {
        const value = read(column, point);
        if (value !== null) total = (total ?? 0) + value;
      }
      return total;
    };
  }
}

/** All charts of a run, hop by hop from the clients on, then host by host. */
export function chartsOf(
  info: ChartedRun,
  rows: Iterable<SecondRow>,
  { secondsPerPoint = 60 }: ChartOptions = {},
): Chart[] {
  const builder = builderOf(info);
  let last = -1;
  for (const row of rows) {
    if (row.second < 0) continue;
    if (row.second > last) last = row.second;
    builder.take(row, Math.floor(row.second / secondsPerPoint));
  }
  const points = Math.floor((last + (info.secondsPerRow ?? 1)) / secondsPerPoint);
  return builder.charts.map(({ at, ...chart }) => ({
    ...chart,
    values: Array.from({ length: points }, (_, point) => at(point)),
  }));
}

/** Names (`scope measure`) of the series that these charts are made of: others need not be told. */
export function chartSeries(info: ChartedRun): ReadonlySet<string> {
  return new Set(builderOf(info).names());
}

function builderOf(info: ChartedRun): Builder {
  const builder = new Builder();
  for (const hop of info.topology.hops) describe(builder, info, hop);
  for (const { name, count } of info.topology.hosts) {
    for (let replica = 0; replica < count; replica++) {
      const host = `${name}#${replica}`;
      builder.add('RequestCountPerTarget', host, 'Sum', builder.sum([`host:${host} requests`]));
    }
  }
  return builder;
}

function describe(builder: Builder, { topology, plan }: ChartedRun, hop: Hop): void {
  const incoming = plan.links.filter((link) => link.upstream === hop.name);
  const links = (measure: string): string[] =>
    incoming
      .filter((link) => link.purpose !== 'alive')
      .map((link) => `link:${link.name} ${measure}`);
  const own = (measure: string): string[] => [`hop:${hop.name} ${measure}`];
  const { add, sum, mean } = bound(builder, hop.name);
  switch (hop.kind) {
    case 'edge': {
      const groups = topology.hops.filter((one) => one.upstream === hop.name);
      const clients = (measure: string): string[] =>
        groups.map((group) => `clients:${group.name} ${measure}`);
      const errors = sum(clients('serverErrors5xx'));
      const answered = sum(clients('answered'));
      add('Requests', 'Sum', sum([...clients('answered'), ...clients('retries')]));
      add('5xxErrorRate', 'Average', (point) => times(ratio(errors(point), answered(point)), 100));
      break;
    }
    case 'gateway':
      add('Count', 'Sum', sum(links('exchanges')));
      break;
    case 'l4-balancer':
    case 'l7-balancer': {
      const what = hop.kind === 'l4-balancer' ? 'Flow' : 'Connection';
      const begun = sum(links('opened'));
      const requests = sum(links('exchanges'));
      add(`New${what}Count`, 'Sum', begun);
      add(`Active${what}Count`, 'Average', mean(links('open')));
      add(`RequestsPerNew${what}`, 'Average', (point) => ratio(requests(point), begun(point)));
      break;
    }
    case 'database': {
      const busy = mean(own('cpuUtilisation'));
      add('CPUUtilization', 'Average', (point) => times(busy(point), 100));
      add('DatabaseConnections', 'Average', mean(links('open')));
      add('DBLoad', 'Average', mean(own('dbLoad')));
      break;
    }
  }
}

function bound(builder: Builder, of: string) {
  return {
    add: (metric: string, statistic: Chart['statistic'], at: Value) =>
      builder.add(metric, of, statistic, at),
    sum: (names: readonly string[]) => builder.sum(names),
    mean: (names: readonly string[]) => builder.mean(names),
  };
}

function ratio(above: number | null, below: number | null): number | null {
  return above === null || below === null || below === 0 ? null : above / below;
}

function times(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}
