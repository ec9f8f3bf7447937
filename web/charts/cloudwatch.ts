/**
 * The charts that the team of the incident had, by CloudWatch's names, as `measure/charts.ts`
 * makes them. While a run goes on only points that have become whole are made: a point needs no
 * row but its own.
 */
import { chartSeries, chartsOf, type Chart as Metric } from '../../src/measure/charts.ts';
import type { SecondRow } from '../../src/measure/rows.ts';
import type { HopKind } from '../../src/model/topology.ts';
import type { Story } from '../data/story.ts';
import type { Chart } from './chart.ts';

/** More hosts are shown as the most, the middle and the least. */
const HOSTS_MAX = 4;

const SERVICES: Readonly<Partial<Record<HopKind, string>>> = {
  edge: 'CloudFront ',
  gateway: 'API Gateway ',
  database: 'RDS ',
};

interface Line {
  readonly metric: Metric;
  readonly values: (number | null)[];
}

export class CloudWatchCharts {
  readonly #story: Story;
  readonly #seconds: number;
  /** Names of the series that are needed: a day has hundreds of others. */
  readonly #needed: ReadonlySet<string>;
  #lines: Line[] = [];
  /** By metric that has more lines than are shown. */
  readonly #spreads = new Map<string, Spread>();
  #points = 0;

  constructor(story: Story, secondsPerPoint: number) {
    this.#story = story;
    this.#seconds = secondsPerPoint;
    this.#needed = chartSeries(story.face);
  }

  charts(): Chart[] {
    this.#take();
    const times = Array.from({ length: this.#points }, (_, point) => point * this.#seconds);
    const names = new Set(this.#lines.map(({ metric }) => metric.metric));
    return [...names].flatMap((name): Chart[] => {
      const lines = this.#lines.filter(({ metric }) => metric.metric === name);
      const known = lines.filter(({ values }) => values.some((value) => value !== null));
      if (known.length === 0) return [];
      const shown = known.length > HOSTS_MAX ? this.#spreadOf(name, lines) : known.map(named);
      const [first] = known;
      const { statistic, unit } = (first as Line).metric;
      return [
        {
          id: name,
          title: `${this.#service(first as Line)}${name}`,
          unit: unit === 'Percent' ? '%' : statistic.toLowerCase(),
          lines: shown.map(({ label }) => label),
          data: [times, ...shown.map(({ values }) => values)],
        },
      ];
    });
  }

  #service({ metric }: Line): string {
    const hop = this.#story.face.topology.hops.find((one) => one.name === metric.of);
    return hop === undefined ? '' : (SERVICES[hop.kind] ?? '');
  }

  #spreadOf(name: string, lines: readonly Line[]): NamedLine[] {
    const spread = this.#spreads.get(name) ?? new Spread(lines);
    this.#spreads.set(name, spread);
    return spread.lines(this.#points);
  }

  /** Makes the points that have become whole since the last call. */
  #take(): void {
    const { face, series, until } = this.#story;
    const told = series.first + series.length * series.step;
    const points = Math.floor(Math.min(told, until / 1e6) / this.#seconds);
    if (points <= this.#points) return;
    const from = this.#points * this.#seconds;
    const info = { topology: face.topology, plan: face.plan, secondsPerRow: series.step };
    const made = chartsOf(info, this.#rows(from, points * this.#seconds), {
      secondsPerPoint: this.#seconds,
    });
    if (this.#lines.length === 0) this.#lines = made.map((metric) => ({ metric, values: [] }));
    made.forEach(({ values }, at) => {
      this.#lines[at]?.values.push(...values);
    });
    this.#points = points;
  }

  /** As if the load had begun at `from`. */
  *#rows(from: number, to: number): Generator<SecondRow> {
    const { series } = this.#story;
    const needed = series.names.filter((one) => this.#needed.has(`${one.scope} ${one.measure}`));
    for (const { scope, measure } of needed) {
      const values = series.values(scope, measure);
      for (let second = from; second < to; second += series.step) {
        const value = values?.[series.indexOf(second)] ?? Number.NaN;
        yield { second: second - from, scope, measure, value: Number.isNaN(value) ? null : value };
      }
    }
    // Points whose rows are all unknown count, too.
    yield { second: to - from - series.step, scope: '', measure: '', value: null };
  }
}

interface NamedLine {
  readonly label: string;
  readonly values: (number | null)[];
}

function named({ metric, values }: Line): NamedLine {
  return { label: metric.of.replace('#', ' '), values };
}

/** The most, the middle and the least at each point; what was worked out once stays. */
class Spread {
  readonly #of: readonly Line[];
  readonly #most: (number | null)[] = [];
  readonly #middle: (number | null)[] = [];
  readonly #least: (number | null)[] = [];

  constructor(of: readonly Line[]) {
    this.#of = of;
  }

  lines(points: number): NamedLine[] {
    for (let point = this.#most.length; point < points; point++) {
      const known = this.#of.flatMap(({ values }) => values[point] ?? []).sort((x, y) => x - y);
      this.#most.push(known.at(-1) ?? null);
      this.#middle.push(known[known.length >> 1] ?? null);
      this.#least.push(known[0] ?? null);
    }
    return [
      { label: `most of ${this.#of.length}`, values: [...this.#most] },
      { label: 'median', values: [...this.#middle] },
      { label: 'least', values: [...this.#least] },
    ];
  }
}
