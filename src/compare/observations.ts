/**
 * What is compared of a run: distributions (as sorted samples) and counts, by name. A name says
 * what it is and where: `life of connections, apigw->nlb`. Two runs are compared name by name.
 *
 * Durations are in ms, and where a grain is given in whole multiples of it: a live run is late by
 * what its timers are, which no simulation is. Of a long run every n-th value of a distribution
 * is kept, evenly, so that memory is bounded; what is compared stays the shape. What a run cannot
 * know has no entry.
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
}

/** Gathers the rows of a recording; `links` are those of its plan. */
export class Observer {
  readonly #links: readonly Link[];
  /** ms; 0 = as they are. */
  readonly #grain: number;
  readonly #samples = new Map<string, Sample>();
  readonly #counts = new Map<string, number>();

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

  /** Counts that the summary has. */
  summary({ clients, links, queues }: Summary): void {
    for (const { name, requests } of clients) {
      for (const [what, count] of Object.entries(requests)) {
        this.#counts.set(`requests ${what}, ${name}`, count);
      }
    }
    for (const { name, opened, closedBy, multiplication } of links) {
      if (opened !== null) this.#counts.set(`connections opened, ${name}`, opened);
      for (const [cause, count] of Object.entries(closedBy)) {
        this.#counts.set(`connections closed by ${cause}, ${name}`, count);
      }
      if (multiplication !== null) this.#counts.set(`multiplication, ${name}`, multiplication);
    }
    for (const { name, granted, yielded, starvedConnections, slotUtilisation } of queues) {
      this.#counts.set(`slots granted, ${name}`, granted);
      this.#counts.set(`slots yielded, ${name}`, yielded);
      if (starvedConnections !== null) {
        this.#counts.set(`connections starved, ${name}`, starvedConnections);
      }
      if (slotUtilisation !== null) this.#counts.set(`slot utilisation, ${name}`, slotUtilisation);
    }
  }

  observations(): Observations {
    const entries = [...this.#samples].map(([name, one]) => [name, one.sorted()] as const);
    return { distributions: new Map(entries), counts: this.#counts };
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
