/** Counts of one link: connections by fate, exchanges, and how far client connections spread. */
import { CLOSE_CAUSES, type CloseCause, closeCauseOf } from '../model/close-cause.ts';
import type { Percentiles } from '../model/summary.ts';
import type { Micros } from '../model/units.ts';
import { Histogram } from './histogram.ts';
import { percentilesOf } from './percentiles.ts';
import type { Series, SeriesTable } from './series.ts';
import type { LinkShape } from './shape.ts';

/** How many connections are open on several links together, and were at most. */
export class OpenConnections {
  now = 0;
  max = 0;

  changed(by: number): void {
    this.now += by;
    if (this.now > this.max) this.max = this.now;
  }
}

export class LinkMeter {
  readonly shape: LinkShape;
  opened = 0;
  closed = 0;
  /** At the strike: connections with a live socket at an end of ours. */
  open = 0;
  failedConnects = 0;
  /** Connects that neither succeeded nor failed before the strike. */
  pendingConnects = 0;
  acceptsWithoutTuple = 0;
  connectsWithoutTuple = 0;
  /** Of those, told of a connector that lacks its partner at the strike. */
  tuplesMissed = 0;
  acceptedAfterAbort = 0;
  /** Connectors whose partner waits in the listener's backlog, as the kernel's table shows. */
  notAcceptedYet = 0;
  exchanges = 0;
  /** Live sockets at each side by census rows. */
  censusConnectors = 0;
  censusAcceptors = 0;
  /** Connections whose ends disagree for a known reason, which the kernel's table shows too. */
  unseenCloses = 0;
  /** By events, now. */
  openNow = 0;
  /** All connections of the hop at its upstream side, where somebody wants to know. */
  atUpstream: OpenConnections | null = null;
  readonly #closedBy = new Float64Array(CLOSE_CAUSES.length);
  readonly #lives: (Histogram | undefined)[] = [];
  readonly #closedBySeconds: (Series | undefined)[] = [];
  #spreadSum = 0;
  #spreadCount = 0;
  readonly #table: SeriesTable;
  readonly #opens: Series;
  readonly #closes: Series;
  readonly #failures: Series;
  readonly #openGauge: Series;
  readonly #exchangeSeconds: Series;

  constructor(shape: LinkShape, table: SeriesTable) {
    this.shape = shape;
    this.#table = table;
    const scope = `link:${shape.name}`;
    const column = (name: string, kind: 'gauge' | 'count'): Series =>
      shape.seen ? table.column(scope, name, kind) : table.hidden(scope, name);
    this.#openGauge = column('open', 'gauge');
    this.#opens = column('opened', 'count');
    this.#closes = column('closed', 'count');
    this.#failures = column('failedConnects', 'count');
    const exchanges = table.hidden(scope, 'exchanges');
    this.#exchangeSeconds = exchanges;
    const known = shape.exchangesKnown;
    table.derived(scope, 'exchanges', (index) => (known ? exchanges.get(index) : null));
    table.derived(scope, 'requestsPerNewConnection', (index) => {
      const opened = this.#opens.get(index) ?? 0;
      return known && opened > 0 ? (exchanges.get(index) ?? 0) / opened : null;
    });
    if (known) {
      table.ratioPerMinute(scope, 'requestsPerNewConnection60s', exchanges, this.#opens);
    }
  }

  /** A connection is open at one end at least, or at none any more. */
  openChanged(by: 1 | -1): void {
    this.openNow += by;
    this.atUpstream?.changed(by);
  }

  connectionOpened(at: Micros): void {
    this.opened += 1;
    this.#opens.add(this.#table.indexOf(at), 1);
  }

  connectionClosed(openedAt: Micros, closedAt: Micros, cause: number): void {
    this.closed += 1;
    this.#closedBy[cause] = (this.#closedBy[cause] ?? 0) + 1;
    this.#closes.add(this.#table.indexOf(closedAt), 1);
    this.#life(cause).add(closedAt - openedAt);
    let seconds = this.#closedBySeconds[cause];
    if (seconds === undefined) {
      seconds = this.#table.column(
        `link:${this.shape.name}`,
        `closed:${closeCauseOf(cause)}`,
        'count',
      );
      this.#closedBySeconds[cause] = seconds;
    }
    seconds.add(this.#table.indexOf(closedAt), 1);
  }

  connectFailed(at: Micros): void {
    this.failedConnects += 1;
    this.#failures.add(this.#table.indexOf(at), 1);
  }

  exchange(startedAt: Micros): void {
    this.exchanges += 1;
    this.#exchangeSeconds.add(this.#table.indexOf(startedAt), 1);
  }

  /** So many in the step that has just ended. */
  exchangesIn(index: number, count: number): void {
    this.exchanges += count;
    if (count > 0) this.#exchangeSeconds.add(index, count);
  }

  /** One client connection's requests were carried here by that many connections. */
  spread(connections: number): void {
    this.#spreadSum += connections;
    this.#spreadCount += 1;
  }

  endOfSecond(index: number): void {
    this.#openGauge.set(index, this.openNow);
  }

  get multiplication(): number | null {
    return this.#spreadCount === 0 ? null : this.#spreadSum / this.#spreadCount;
  }

  get closedBy(): Partial<Record<CloseCause, number>> {
    const counts: Partial<Record<CloseCause, number>> = {};
    this.#closedBy.forEach((count, code) => {
      if (count > 0) counts[closeCauseOf(code)] = count;
    });
    return counts;
  }

  /** Connection life by close cause, milliseconds. */
  get lifeMs(): Partial<Record<CloseCause, Percentiles>> {
    const lives: Partial<Record<CloseCause, Percentiles>> = {};
    this.#lives.forEach((histogram, code) => {
      if (histogram !== undefined) lives[closeCauseOf(code)] = percentilesOf(histogram);
    });
    return lives;
  }

  #life(cause: number): Histogram {
    const histogram = this.#lives[cause] ?? new Histogram();
    this.#lives[cause] = histogram;
    return histogram;
  }
}
