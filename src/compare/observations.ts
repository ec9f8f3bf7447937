/**
 * What is compared of a run: distributions (as sorted samples) and counts, by name. A name says
 * what it is and where: `life of connections, apigw->nlb`. Two runs are compared name by name.
 *
 * Durations are in ms, and where a grain is given in whole multiples of it: a live run is late by
 * what its timers are, which no simulation is. Of a long run every n-th value of a distribution
 * is kept, evenly, so that memory is bounded; what is compared stays the shape. What a run cannot
 * know (null in its summary, or rows that were not recorded) is named as unknown: it is not 0.
 */
import type { ConnectionRow, ExchangeRow } from '../measure/rows.ts';
import type { Link } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Micros } from '../model/units.ts';

/** Values of a distribution that are kept; half of them go when there are more. */
const SAMPLES_MAX = 65_536;

/** A sample that thins itself out. */
class Sample {
  #values: number[] = [];
  #stride = 1;
  #seen = 0;

  add(value: number): void {
    if (this.#seen % this.#stride === 0) this.#values.push(value);
    this.#seen += 1;
    if (this.#values.length <= SAMPLES_MAX) return;
    this.#values = this.#values.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  sorted(): Float64Array {
    return Float64Array.from(this.#values).sort();
  }
}

export interface Observations {
  readonly distributions: ReadonlyMap<string, Float64Array>;
  readonly counts: ReadonlyMap<string, number>;
  /** Counts that the run cannot know. */
  readonly unknown: ReadonlySet<string>;
  /** Whether there are rows to have distributions of. */
  readonly hasRows: boolean;
}

/** Gathers the rows of a recording; `links` are those of its plan. */
export class Observer {
  readonly #links: readonly Link[];
  /** ms; 0 = as they are. */
  readonly #grain: number;
  readonly #samples = new Map<string, Sample>();
  readonly #counts = new Map<string, number>();
  readonly #unknown = new Set<string>();
  #hasRows = true;

  constructor(links: readonly Link[], grainMs = 0) {
    this.#links = links;
    this.#grain = grainMs;
  }

  connection(row: ConnectionRow): void {
    const link = this.#trafficLink(row.link);
    if (link === null || row.outcome !== 'closed') return;
    const { openedAt, closedAt, exchanges, waitedMax } = row;
    if (openedAt !== null && closedAt !== null) {
      this.#addTime(`life of connections, ${link}`, closedAt - openedAt);
    }
    if (exchanges !== null) this.#add(`requests per connection, ${link}`, exchanges);
    if (waitedMax !== null) this.#addTime(`wait for a slot, ${link}`, waitedMax);
  }

  exchange(row: ExchangeRow): void {
    const link = this.#trafficLink(row.link);
    const { startedAt, endedAt, status } = row;
    if (link === null || endedAt === null || status === null || status === 0) return;
    this.#addTime(`time to answer, ${link}`, endedAt - startedAt);
  }

  /** Only series were recorded, no connection and no request. */
  noRows(): void {
    this.#hasRows = false;
  }

  /** Counts that the summary has. */
  summary({ clients, links, queues }: Summary): void {
    for (const { name, requests } of clients) {
      for (const [what, count] of Object.entries(requests)) {
        this.#count(`requests ${what}, ${name}`, count);
      }
    }
    for (const { name, opened, closedBy, multiplication } of links) {
      if (this.#links.some((link) => link.name === name && link.purpose !== 'traffic')) continue;
      this.#count(`connections opened, ${name}`, opened);
      for (const [cause, count] of Object.entries(closedBy)) {
        this.#count(`connections closed by ${cause}, ${name}`, count);
      }
      this.#count(`multiplication, ${name}`, multiplication);
    }
    for (const { name, granted, yielded, starvedConnections, slotUtilisation } of queues) {
      this.#count(`slots granted, ${name}`, granted);
      this.#count(`slots yielded, ${name}`, yielded);
      this.#count(`connections starved, ${name}`, starvedConnections);
      this.#count(`slot utilisation, ${name}`, slotUtilisation);
    }
  }

  /** What a summary knows of times to answer: in place of their distribution. */
  latencies({ clients }: Summary): void {
    for (const { name, latencyMs } of clients) {
      for (const [percentile, value] of Object.entries(latencyMs ?? {})) {
        this.#count(`time to answer ${percentile.replace('_', '.')}, ${name}`, value);
      }
    }
  }

  observations(): Observations {
    const entries = [...this.#samples].map(([name, one]) => [name, one.sorted()] as const);
    return {
      distributions: new Map(entries),
      counts: this.#counts,
      unknown: this.#unknown,
      hasRows: this.#hasRows,
    };
  }

  #count(name: string, value: number | null): void {
    if (value === null) this.#unknown.add(name);
    else this.#counts.set(name, value);
  }

  /** Checks of health are not traffic. */
  #trafficLink(index: number): string | null {
    const link = this.#links[index];
    return link?.purpose === 'traffic' ? link.name : null;
  }

  #addTime(name: string, time: Micros): void {
    const milliseconds = time / 1_000;
    const grain = this.#grain;
    this.#add(name, grain > 0 ? Math.floor(milliseconds / grain) * grain : milliseconds);
  }

  #add(name: string, value: number): void {
    let sample = this.#samples.get(name);
    if (sample === undefined) {
      sample = new Sample();
      this.#samples.set(name, sample);
    }
    sample.add(value);
  }
}
