/** What the parts of the fold share: the run's shape, the books, the meters and the sinks. */
import type { RunInfo } from '../model/run.ts';
import { Books, type Weight } from './books.ts';
import { ClientMeter } from './client-meter.ts';
import { Ends } from './ends.ts';
import { HealthMeter } from './health-meter.ts';
import { LinkMeter } from './link-meter.ts';
import { QueueMeter } from './queue-meter.ts';
import type { RowSinks } from './rows.ts';
import { type Series, SeriesTable } from './series.ts';
import { type RunShape, shapeOf } from './shape.ts';
import type { Chain } from './state.ts';
import type { StationAccount } from './station-account.ts';
import { StationTally } from './station-tally.ts';

export class FoldContext {
  readonly info: RunInfo;
  readonly shape: RunShape;
  readonly books: Books;
  readonly ends = new Ends();
  readonly table: SeriesTable;
  readonly links: readonly LinkMeter[];
  readonly queues: readonly QueueMeter[];
  readonly groups: readonly ClientMeter[];
  readonly stations: readonly StationTally[];
  /** By instance; null where none is. */
  readonly accounts: readonly (StationAccount | null)[];
  readonly health: HealthMeter;
  readonly hosts: ReadonlyMap<string, Series>;
  readonly sinks: RowSinks;
  /** Hops that lost a process: what is missing there is explained by that. */
  readonly deadHops: ReadonlySet<string>;

  constructor(info: RunInfo, sinks: RowSinks) {
    this.info = info;
    this.sinks = sinks;
    this.shape = shapeOf(info);
    this.books = new Books(this.shape);
    this.table = new SeriesTable(info.loadStart);
    this.links = this.shape.links.map((link) => new LinkMeter(link, this.table));
    this.queues = this.shape.queues.map((queue) => new QueueMeter(queue, this.shape, this.table));
    this.groups = this.shape.groups.map((group) => new ClientMeter(group, this.shape, this.table));
    const { stations, instances } = this.shape;
    this.stations = stations.map(
      (station) => new StationTally(station, this.shape, this.table, this.links),
    );
    this.accounts = instances.map(({ station }) => this.stations[station]?.newAccount() ?? null);
    this.health = new HealthMeter(info, this.table);
    this.hosts = new Map(
      this.shape.hosts.map((host) => [
        host,
        this.table.column(`host:${host}`, 'requests', 'count'),
      ]),
    );
    const dead = new Set(info.deaths.map((death) => death.process));
    this.deadHops = new Set(
      info.plan.instances.filter((one) => dead.has(one.process)).map((one) => one.hop),
    );
  }

  /** Whether a missing event on this link may be the fault of a process that died. */
  weightOfLink(downstream: string, upstream: string): Weight {
    return this.deadHops.has(downstream) || this.deadHops.has(upstream) ? 'explained' : 'wrong';
  }

  weightOf(chain: Chain): Weight {
    for (const { link } of chain.connections) {
      if (this.weightOfLink(link.downstream, link.upstream) === 'explained') return 'explained';
    }
    return 'wrong';
  }
}
