/**
 * How busy the stations of one hop are, all replicas together: an app's service, a database's
 * CPUs. As CloudWatch and RDS have these measures, but each with its one definition:
 *
 *   cpuUtilisation        (CPUUtilization / 100) time that servers had a piece of work, by
 *                         `concurrencyMax` x replicas x time; null without such a limit
 *   dbLoad, load          (DBLoad, average active sessions) the mean number of pieces that are
 *                         served or wait for a server; `load` at an app
 *   databaseConnections   (DatabaseConnections) open connections on the links that end at the
 *                         database, at the end of the second
 *
 * A server is a CPU: it is busy from the moment at which a piece of work begins until it is over,
 * whatever made that long. So `contention` counts as busy (processors that wait for one another's
 * locks and caches are), and so do `slow` and `stall`. What a query does beside the CPU (disk,
 * network) is not modelled apart. An app that waits for its database is not busy.
 *
 * Utilisation divides by the topology's `concurrencyMax`: a run that changes it while running
 * must be read with that in mind, as for slots. What happens outside the load does not count.
 */
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { type LinkMeter, OpenConnections } from './link-meter.ts';
import type { Series, SeriesTable } from './series.ts';
import type { RunShape, StationShape } from './shape.ts';
import { StationAccount } from './station-account.ts';

export class StationTally {
  readonly shape: StationShape;
  busyTime = 0;
  waitTime = 0;
  readonly #run: RunShape;
  /** null where nobody tells of them. */
  readonly #open: OpenConnections | null;
  readonly #accounts: StationAccount[] = [];
  readonly #busySeconds: Series;
  readonly #waitSeconds: Series;
  readonly #connections: Series | null;

  constructor(shape: StationShape, run: RunShape, table: SeriesTable, links: readonly LinkMeter[]) {
    this.shape = shape;
    this.#run = run;
    const incoming = links.filter((link) => link.shape.upstream === shape.hop);
    const known = shape.isDatabase && incoming.every((link) => link.shape.seen);
    this.#open = known ? new OpenConnections() : null;
    for (const link of incoming) link.atUpstream = this.#open;
    const scope = `hop:${shape.hop}`;
    this.#busySeconds = table.hidden(scope, 'busyTime');
    this.#waitSeconds = table.hidden(scope, 'waitTime');
    const width = table.step * MICROS_PER_SECOND;
    const { own, isDatabase } = shape;
    table.derived(scope, 'cpuUtilisation', (index) =>
      this.utilisation(this.#busySeconds.get(index) ?? 0, width),
    );
    table.derived(scope, isDatabase ? 'dbLoad' : 'load', (index) => {
      const sum = (this.#busySeconds.get(index) ?? 0) + (this.#waitSeconds.get(index) ?? 0);
      return own ? sum / width : null;
    });
    this.#connections = isDatabase ? table.column(scope, 'databaseConnections', 'gauge') : null;
  }

  /** The most connections that were open at once. */
  get connectionsMax(): number | null {
    return this.#open?.max ?? null;
  }

  /** Counts a replica; `account` is given where the simulator keeps it by itself. */
  add(account: StationAccount): StationAccount {
    this.#accounts.push(account);
    return account;
  }

  newAccount(): StationAccount {
    return this.add(new StationAccount(this.#run.from));
  }

  utilisation(busyTime: Micros, span: Micros): number | null {
    const { own, concurrencyMax, instances } = this.shape;
    if (!own || concurrencyMax === 0 || span === 0) return null;
    return busyTime / (concurrencyMax * instances * span);
  }

  /** What of time lies within the load. */
  clipped(at: Micros): Micros {
    return Math.min(Math.max(at, this.#run.from), this.#run.to);
  }

  endOfSecond(index: number, at: Micros): void {
    const until = this.clipped(at);
    let busyTime = 0;
    let waitTime = 0;
    for (const account of this.#accounts) {
      account.settle(until);
      busyTime += account.busyTime;
      waitTime += account.waitTime;
    }
    this.#busySeconds.add(index, busyTime - this.busyTime);
    this.#waitSeconds.add(index, waitTime - this.waitTime);
    this.busyTime = busyTime;
    this.waitTime = waitTime;
    this.#connections?.set(index, this.#open?.now ?? Number.NaN);
  }
}
