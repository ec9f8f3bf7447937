/**
 * What a report is made from: the description of a run with its summary, and its series as
 * columns. The series of a day are a few hundred columns of 1,440 rows; those of two hours, a
 * row a second, are 7,200 rows.
 */
import type { SecondRow } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Hop } from '../model/topology.ts';
import { RecordingError } from '../recording/error.ts';
import { readSeries } from '../recording/recording.ts';
import { readRun } from '../recording/run-document.ts';
import type { TableName } from '../recording/tables.ts';

export type Values = readonly (number | null)[];

export interface RunData {
  readonly info: RunInfo;
  readonly summary: Summary;
  readonly tables: readonly TableName[];
  readonly series: SeriesColumns;
}

/** Series by scope and measure; index 0 is the start of the load. */
export class SeriesColumns {
  /** Seconds that an index stands for. */
  readonly step: number;
  /** Whole steps of the load. */
  readonly length: number;
  readonly #columns = new Map<string, (number | null)[]>();

  constructor(step: number, length: number) {
    this.step = step;
    this.length = length;
  }

  take({ second, scope, measure, value }: SecondRow): void {
    const index = Math.floor(second / this.step);
    if (index < 0 || index >= this.length) return;
    const name = `${scope} ${measure}`;
    const column = this.#columns.get(name) ?? new Array<number | null>(this.length).fill(null);
    column[index] = value;
    this.#columns.set(name, column);
  }

  /** null where there is no such series. */
  get(scope: string, measure: string): Values | null {
    return this.#columns.get(`${scope} ${measure}`) ?? null;
  }

  /** As rows again, for what reads rows. */
  *rows(): Generator<SecondRow> {
    for (let index = 0; index < this.length; index++) {
      for (const [name, column] of this.#columns) {
        const space = name.lastIndexOf(' ');
        const scope = name.slice(0, space);
        const second = index * this.step;
        yield { second, scope, measure: name.slice(space + 1), value: column[index] ?? null };
      }
    }
  }

  /** Scopes that begin so and have the measure, in order of their names. */
  scopes(prefix: string, measure: string): string[] {
    const end = ` ${measure}`;
    return [...this.#columns.keys()]
      .filter((name) => name.startsWith(prefix) && name.endsWith(end))
      .map((name) => name.slice(0, -end.length))
      .sort();
  }

  /** Element by element; null where none of them is known. */
  sum(prefix: string, measure: string): Values | null {
    const columns = this.scopes(prefix, measure).map((scope) => this.get(scope, measure) ?? []);
    if (columns.length === 0) return null;
    return Array.from({ length: this.length }, (_, i) => {
      const known = columns.map((column) => column[i] ?? null).filter((one) => one !== null);
      return known.length === 0 ? null : known.reduce((sum, one) => sum + one, 0);
    });
  }
}

/** Throws a RecordingError, also (`recording-incomplete`) when there is no summary. */
export async function readRunData(folder: string): Promise<RunData> {
  const document = await readRun(folder);
  const { summary, recording, ...info } = document;
  if (summary === null || info.loadEnd === null) {
    const text = `${folder} has no summary: the run goes on, or was killed (waterhammer recover)`;
    throw new RecordingError('recording-incomplete', text);
  }
  const step = info.secondsPerRow ?? 1;
  const length = Math.max(1, Math.floor((info.loadEnd - info.loadStart) / 1e6 / step));
  const series = new SeriesColumns(step, length);
  for await (const rows of readSeries(folder)) for (const row of rows) series.take(row);
  return { info, summary, tables: recording.tables, series };
}

export function hopNamed({ topology }: RunInfo, name: string): Hop | undefined {
  return topology.hops.find((hop) => hop.name === name);
}

/**
 * The link whose connections tell the story: the one into the first balancer, or into the first
 * queue, or else the one that leaves the clients.
 */
export function watchedLink(info: RunInfo): string | null {
  const traffic = info.plan.links.filter((link) => link.purpose === 'traffic');
  for (const kind of ['l4-balancer', 'l7-balancer', 'connection-queue'] as const) {
    const link = traffic.find((one) => hopNamed(info, one.upstream)?.kind === kind);
    if (link !== undefined) return link.name;
  }
  return traffic[0]?.name ?? null;
}

/** Slots of a queue on all of its hosts together. */
export function slotsOf({ topology }: RunInfo, queue: string, activeMax: number): number {
  const group = topology.hosts.find((one) => one.hops.includes(queue));
  return activeMax * (group?.count ?? 1);
}
