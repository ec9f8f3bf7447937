/**
 * Strikes a run: feeds all of its events through the fold and sums up. The measures are those
 * of the design document, each with one definition:
 *
 * - multiplication: over client connections with at least two requests of which at least one
 *   reached the link, the mean number of distinct connections that carried them there.
 * - connectionRatio: connections opened on the link / opened on the links of the clients whose
 *   requests can reach it.
 * - slotUtilisation, slotOccupancy, hoardedSlotSeconds: over the load window (`queue-meter.ts`).
 * - starvedConnections: those at the queue with a request that waited for a slot longer than
 *   `starvedAfter`; starved clients: those with a request that waited unread that long at any
 *   hop. A request that waits still is judged by its wait up to the end of the load.
 * - requests: struck at the end of the load (`client-meter.ts`).
 *
 * `balanced` is false if anything unexplained is listed, else null where the books were not
 * struck at all (no census: the run goes on, or a capture), else true.
 */
import type { CloseCause } from '../model/close-cause.ts';
import type { RunInfo } from '../model/run.ts';
import type {
  ClientsSummary,
  LinkSummary,
  Percentiles,
  QueueSummary,
  StationSummary,
  Summary,
} from '../model/summary.ts';
import { MICROS_PER_SECOND, type Micros } from '../model/units.ts';
import type { Books } from './books.ts';
import { Fold } from './fold.ts';
import { labSummary, processSummaries } from './lab.ts';
import type { LinkMeter } from './link-meter.ts';
import { meanMs, percentilesOf } from './percentiles.ts';
import type { RequestTally } from './request-tally.ts';
import type { RowSinks, SecondRow } from './rows.ts';
import { groupsBefore } from './shape.ts';
import type { SlotTally } from './slot-tally.ts';
import type { StationTally } from './station-tally.ts';

/** Takes one event; see `model/event.ts` for the columns. */
export type EventSink = (
  process: number,
  sequence: number,
  at: number,
  kind: number,
  instance: number,
  end: number,
  exchange: number,
  a: number,
  b: number,
  c: number,
) => void;

/** Gives every event of the run once, in merged order (time, then process, then sequence). */
export type EventSource = (sink: EventSink) => void;

/** What one link's summary has beside the fields that every engine shows. */
export interface LinkMeasures extends LinkSummary {
  /** Connects that never succeeded; they are not among `opened`. */
  readonly failedConnects: number;
  /** Accepts that were reset before their address could be read; not among `opened`. */
  readonly acceptsWithoutTuple: number;
  readonly lifeMs: Readonly<Partial<Record<CloseCause, Percentiles>>>;
}

export interface Measured extends Omit<Summary, 'recording' | 'findings'> {
  readonly links: readonly LinkMeasures[];
}

export interface StrikeResult {
  readonly summary: Measured;
  /** In the order of seconds; left empty where `sinks.onSecond` takes the rows instead. */
  readonly series: readonly SecondRow[];
}

/** Measures a whole run from its events at once. `info` must be final (loadEnd, censusAt). */
export function strike(info: RunInfo, source: EventSource, sinks: RowSinks = {}): StrikeResult {
  const series: SecondRow[] = [];
  const keep = (row: SecondRow): void => {
    series.push(row);
  };
  const fold = new Fold(info, {
    onConnection: (row) => sinks.onConnection?.(row),
    onExchange: (row) => sinks.onExchange?.(row),
    onSecond: (row) => (sinks.onSecond === undefined ? keep(row) : sinks.onSecond(row)),
  });
  source(fold.event);
  fold.finish();
  return { summary: summaryOf(fold), series };
}

/** What a run was measured by, whoever followed it. */
export interface MeasuredRun {
  readonly info: RunInfo;
  readonly books: Books;
  readonly links: readonly LinkMeter[];
  readonly queues: readonly SlotTally[];
  readonly groups: readonly RequestTally[];
  readonly stations: readonly StationTally[];
}

/** The summary of a finished fold. */
export function summaryOf(fold: Fold): Measured {
  return summaryOfRun(fold.context, fold.windowEnd);
}

/** The summary of a run whose load ended at `end`. */
export function summaryOfRun(context: MeasuredRun, end: Micros): Measured {
  const { info, books } = context;
  const window = end - info.loadStart;
  const clients = context.groups.map((meter) => clientsSummary(meter, window));
  return {
    engine: info.engine,
    version: info.version,
    seed: info.seed,
    topology: { name: info.topology.name, hash: info.topologyHash },
    durationSeconds: window / MICROS_PER_SECOND,
    balanced: books.wrong ? false : info.censusAt === null ? null : true,
    clients,
    links: context.links.map((meter) => linkSummary(context, meter)),
    queues: context.queues.map((meter) => queueSummary(meter, window)),
    stations: context.stations.map((tally) => stationSummary(tally, window)),
    processes: processSummaries(info, answeredRequests(context)),
    lab: labSummary(info, clients, window),
    imbalances: books.imbalances,
  };
}

/** Those of external clients are known by the exchanges on their link. */
function answeredRequests({ groups, links }: MeasuredRun): number {
  const answered = groups.reduce((sum, { total }) => sum + total.answered, 0);
  if (answered > 0) return answered;
  return links
    .filter(({ shape }) => shape.fromClients && shape.exchangesKnown)
    .reduce((sum, { exchanges }) => sum + exchanges, 0);
}

function clientsSummary(meter: RequestTally, window: number): ClientsSummary {
  const { shape, total, latency } = meter;
  const mean = meanMs(latency);
  return {
    name: shape.hop,
    count: shape.count,
    served: meter.served,
    starved: shape.own ? meter.starved : null,
    latencyMs: mean === null ? null : { mean, ...percentilesOf(latency) },
    requests: {
      sent: total.sent,
      answered: total.answered,
      failed: total.failed,
      pending: meter.pending,
      ok: total.ok,
      throttled429: total.throttled429,
      serverErrors5xx: total.serverErrors5xx,
      timeouts: total.timeouts,
      resets: total.resets,
      retries: total.retries,
    },
    goodputPerSecond: meter.goodputPerSecond(window),
    attemptsPerSuccess: total.ok === 0 ? null : total.attempts / total.ok,
  };
}

function linkSummary(context: MeasuredRun, meter: LinkMeter): LinkMeasures {
  const { shape, opened, exchanges } = meter;
  const known = shape.exchangesKnown;
  return {
    name: shape.name,
    opened: shape.seen ? opened : null,
    closed: shape.seen ? meter.closed : null,
    open: shape.seen ? meter.open : null,
    closedBy: meter.closedBy,
    exchanges: known ? exchanges : null,
    requestsPerNewConnection: known && opened > 0 ? exchanges / opened : null,
    multiplication: shape.alive || !shape.seen ? null : meter.multiplication,
    connectionRatio: shape.alive || !shape.seen ? null : connectionRatio(context, meter),
    failedConnects: meter.failedConnects,
    acceptsWithoutTuple: meter.acceptsWithoutTuple,
    lifeMs: meter.lifeMs,
  };
}

function connectionRatio(context: MeasuredRun, meter: LinkMeter): number | null {
  const groups = groupsBefore(context.info, meter.shape.downstream);
  let clientConnections = 0;
  for (const { shape, opened } of context.links) {
    if (shape.fromClients && groups.includes(shape.downstream)) clientConnections += opened;
  }
  return clientConnections === 0 ? null : meter.opened / clientConnections;
}

function queueSummary(meter: SlotTally, window: number): QueueSummary {
  const { shape } = meter;
  const seen = shape.requestsSeenDownstream;
  const capacity = shape.activeMax * shape.instances * window;
  return {
    name: shape.hop,
    activeMax: shape.activeMax,
    heldMax: meter.heldMax,
    slotUtilisation:
      meter.exchangesKnown && meter.slotTime > 0 ? meter.busyTime / meter.slotTime : null,
    slotOccupancy: capacity > 0 ? meter.slotTime / capacity : null,
    hoardedSlotSeconds: seen ? meter.hoardedTime / MICROS_PER_SECOND : null,
    starvedConnections: seen ? meter.starvedConnections : null,
    granted: meter.granted,
    yielded: meter.yielded,
    overcommit: seen ? meter.overcommit : null,
    zombieExchanges: meter.zombiesKnown ? meter.zombieExchanges : null,
  };
}

function stationSummary(tally: StationTally, window: Micros): StationSummary {
  const { shape, busyTime, waitTime } = tally;
  return {
    name: shape.hop,
    concurrencyMax: shape.concurrencyMax,
    cpuUtilisation: tally.utilisation(busyTime, window),
    load: shape.own && window > 0 ? (busyTime + waitTime) / window : null,
    waiting: shape.own && window > 0 ? waitTime / window : null,
    connectionsMax: tally.connectionsMax,
  };
}
