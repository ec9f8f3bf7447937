/**
 * The fold: takes every event of a run once, in the merged order of time, keeps only what is
 * still open, hands out rows as they become complete, and strikes the books at the end.
 *
 *   events ──► sequence check ──► EndBook / ExchangeBook / ClientMeter ──► rows, meters
 *          └─► seconds and deaths pass
 *
 * An instance's books are closed by its first census row: what it tells after that (teardown,
 * cause shutdown) does not count, but is still counted by number, so that no row can be lost.
 *
 * Budget: below 1 µs per event; nothing is allocated per event except for what it opens.
 */
import { EventKind } from '../model/event.ts';
import type { RunInfo } from '../model/run.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { FoldContext } from './context.ts';
import { EndBook } from './end-book.ts';
import { ExchangeBook } from './exchange-book.ts';
import type { RowSinks } from './rows.ts';
import { Sequences } from './sequences.ts';
import { SECONDS_MAX } from './series.ts';
import { EndState, NEVER } from './state.ts';
import { strikeBooks } from './strike-checks.ts';

export class Fold {
  readonly context: FoldContext;
  readonly #exchanges: ExchangeBook;
  readonly #ends: EndBook;
  readonly #sequences: Sequences;
  /** 1 = the instance's census has begun; 2 = it is done. */
  readonly #struck: Uint8Array;
  /** Census rows of each instance. */
  readonly #censusRows: Float64Array;
  readonly #deaths: { readonly process: number; readonly at: Micros }[];
  #nextSecond = Number.NEGATIVE_INFINITY;
  #lastAt: Micros;
  #anyStruck = false;
  #finished = false;

  constructor(info: RunInfo, sinks: RowSinks = {}) {
    this.context = new FoldContext(info, sinks);
    this.#exchanges = new ExchangeBook(this.context);
    this.#ends = new EndBook(this.context, this.#exchanges);
    this.#sequences = new Sequences(this.context.books, info);
    this.#struck = new Uint8Array(info.plan.instances.length);
    this.#censusRows = new Float64Array(info.plan.instances.length);
    this.#deaths = [...info.deaths].sort((x, y) => x.at - y.at);
    this.#lastAt = info.loadStart;
  }

  /** One event, in merged order; the columns are those of `model/event.ts`. */
  readonly event = (
    process: number,
    sequence: number,
    at: Micros,
    kind: number,
    instance: number,
    end: number,
    exchange: number,
    a: number,
    b: number,
    c: number,
  ): void => {
    this.#sequences.next(process, sequence);
    if (at >= this.#nextSecond) this.#pass(at);
    const dead = this.#deaths[0];
    if (dead !== undefined && at > dead.at) this.#die(dead.at);
    const struck = this.#struck[instance];
    if (struck === undefined) {
      const text = 'An event names an instance that the plan does not have';
      this.context.books.report('unknown-instance', 'wrong', null, text, `instance ${instance}`);
      return;
    }
    if (kind === EventKind.census) this.#census(process, instance, end, a, b);
    else if (kind === EventKind.censusDone) this.#censusDone(instance, a);
    else if (kind === EventKind.lost) this.#lost(process, a);
    else if (struck === 0) {
      if (at > this.#lastAt) this.#lastAt = at;
      if (end > 0) this.#aboutEnd(process, at, kind, instance, end, exchange, a, b, c);
      else this.#aboutRequest(at, kind, instance, a, b, c);
    }
  };

  /** The load ended before it was planned to: call it then, before any later event. */
  endEarly(at: Micros): void {
    this.context.shape.to = at;
  }

  /** Strikes the books: everything open goes out, and what does not balance is listed. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    const { context } = this;
    const last = this.#deaths[this.#deaths.length - 1];
    if (last !== undefined) this.#die(last.at);
    const endAt = this.windowEnd > this.#lastAt ? this.windowEnd : this.#lastAt;
    this.#anyStruck = false;
    this.#pass(endAt);
    this.#closeSecond(endAt, endAt);
    this.#sequences.finish();
    strikeBooks({
      context,
      exchanges: this.#exchanges,
      ends: this.#ends,
      struck: this.#struck,
      strikeAt: endAt,
    });
    const { onSecond } = context.sinks;
    if (onSecond !== undefined) {
      for (const row of context.table.rows()) onSecond.call(context.sinks, row);
    }
  }

  /** End of what was measured: of the load, or of the events where the run goes on. */
  get windowEnd(): Micros {
    const { from, to } = this.context.shape;
    return to === Number.POSITIVE_INFINITY ? Math.max(this.#lastAt, from) : to;
  }

  #aboutEnd(
    process: number,
    at: Micros,
    kind: number,
    instance: number,
    number: number,
    exchange: number,
    a: number,
    b: number,
    c: number,
  ): void {
    if (kind === EventKind.connectStarted) {
      this.#ends.connectStarted(process, number, instance, c, at);
      return;
    }
    if (kind === EventKind.accepted) {
      this.#ends.accepted(process, number, instance, c, a, b, at);
      return;
    }
    const end = this.context.ends.find(process, number);
    if (end === null) {
      this.#unknownEnd(process, kind, instance, number);
      return;
    }
    switch (kind) {
      case EventKind.connected:
        this.#ends.connected(end, a, b, at);
        return;
      case EventKind.exchangeStarted:
        this.#exchanges.started(end, exchange, a, b, c, at);
        return;
      case EventKind.exchangeEnded:
        this.#exchanges.ended(end, exchange, a, b, at);
        if (end.state === EndState.closed) this.#ends.tryFinish(end);
        return;
      case EventKind.closed:
        this.#ends.closed(end, a, b, c, at);
        return;
      case EventKind.slot:
        this.#ends.slot(end, a, at);
        return;
      case EventKind.passing:
        this.#ends.passing(end, a, at);
        return;
      case EventKind.paired:
        this.#ends.paired(end, this.context.ends.find(process, a));
        return;
      default:
        this.#unknownKind(kind);
    }
  }

  #aboutRequest(at: Micros, kind: number, instance: number, a: number, b: number, c: number): void {
    if (kind === EventKind.mark) return;
    if (kind === EventKind.health) {
      this.context.health.changed(instance, a, b);
      return;
    }
    if (kind === EventKind.station) {
      this.#station(at, instance, a, b, c);
      return;
    }
    const group = this.context.groups[this.context.shape.instances[instance]?.group ?? -1];
    if (group === undefined) {
      this.#unknownKind(kind);
      return;
    }
    let error = null;
    if (kind === EventKind.requestSent) error = group.sent(at, a, b, c);
    else if (kind === EventKind.requestDone) error = group.done(at, a, b, c);
    else this.#unknownKind(kind);
    if (error === null) return;
    const text = 'The events of a client’s request contradict one another';
    const example = `${group.shape.hop} client ${a} request ${b}`;
    this.context.books.report(`request-${error}`, 'wrong', null, text, example);
  }

  #station(at: Micros, instance: number, serving: number, waiting: number, late: Micros): void {
    const account = this.context.accounts[instance];
    const tally = this.context.stations[this.context.shape.instances[instance]?.station ?? -1];
    if (tally === undefined || account === undefined || account === null) {
      this.#unknownKind(EventKind.station);
      return;
    }
    const idle = serving < account.serving;
    account.changed(serving, waiting, tally.clipped(at));
    // Both ends of the delay lie in the load, or what of it does is too little to tell.
    if (late > 0 && tally.clipped(at) === at) account.toldLate(idle, late);
  }

  #census(process: number, instance: number, number: number, inFlight: number, slot: number): void {
    this.#struck[instance] = Math.max(this.#struck[instance] ?? 0, 1);
    this.#anyStruck = true;
    this.#censusRows[instance] = (this.#censusRows[instance] ?? 0) + 1;
    const end = this.context.ends.find(process, number);
    if (end === null || end.state !== EndState.open || end.census !== NEVER) {
      const text = 'A live socket was counted that is not open by its events';
      const name = this.context.shape.instances[instance]?.name;
      const example = `${name} (process ${process}, end ${number})`;
      this.context.books.report('census-of-closed', 'wrong', end?.link.name ?? null, text, example);
      return;
    }
    end.census = inFlight;
    end.censusSlot = slot;
    const meter = this.context.links[end.link.index];
    if (meter === undefined) return;
    if (end.acceptor) meter.censusAcceptors += 1;
    else meter.censusConnectors += 1;
  }

  #censusDone(instance: number, count: number): void {
    this.#anyStruck = true;
    const rows = this.#censusRows[instance] ?? 0;
    const twice = this.#struck[instance] === 2;
    this.#struck[instance] = 2;
    if (count === rows && !twice) return;
    const name = this.context.shape.instances[instance]?.name;
    const example = `${name} counted ${count}, told ${rows}`;
    const text = 'A census told another number of sockets than it counted';
    this.context.books.report('census-count', 'wrong', null, text, example);
  }

  #lost(process: number, count: number): void {
    const text = 'Events were lost because the recorder was slower than they came';
    this.context.books.report('events-lost', 'wrong', null, text, `process ${process}: ${count}`);
  }

  #unknownEnd(process: number, kind: number, instance: number, number: number): void {
    const text = 'An event is about an end that was not opened, or is over';
    const name = this.context.shape.instances[instance]?.name;
    const example = `${name} (process ${process}, end ${number}), event kind ${kind}`;
    this.context.books.report('event-without-open', 'wrong', null, text, example);
  }

  #unknownKind(kind: number): void {
    const text = 'An event makes no sense where it stands';
    this.context.books.report('unknown-event', 'wrong', null, text, `kind ${kind}`);
  }

  #die(until: Micros): void {
    for (;;) {
      const death = this.#deaths[0];
      if (death === undefined || death.at > until) return;
      this.#deaths.shift();
      this.#ends.processDied(death.process, death.at);
      this.context.shape.instances.forEach(({ process, station }, index) => {
        if (process === death.process && station >= 0) this.#station(death.at, index, 0, 0, 0);
      });
    }
  }

  /** Whole seconds have passed: gauges are read at the end of each. */
  #pass(at: Micros): void {
    const { context } = this;
    const second = context.table.stepOf(at);
    if (!(Math.abs(second) <= SECONDS_MAX)) {
      const text = 'An event’s time is days away from the start of the load';
      context.books.report('time-out-of-range', 'wrong', null, text, `${at} µs`);
      return;
    }
    const origin = context.info.loadStart;
    const boundary = origin + (second + 1) * MICROS_PER_SECOND;
    if (this.#nextSecond === Number.NEGATIVE_INFINITY) {
      context.table.indexOf(at);
      this.#nextSecond = boundary;
      return;
    }
    if (this.#anyStruck) return;
    for (; this.#nextSecond < boundary; this.#nextSecond += MICROS_PER_SECOND) {
      this.#closeSecond(this.#nextSecond - 1, this.#nextSecond);
    }
  }

  #closeSecond(inside: Micros, until: Micros): void {
    const { context } = this;
    const index = context.table.indexOf(inside);
    for (const link of context.links) link.endOfSecond(index);
    for (const queue of context.queues) queue.endOfSecond(index, until);
    for (const group of context.groups) group.endOfSecond(index);
    for (const station of context.stations) station.endOfSecond(index, until);
    context.health.read(index);
  }
}
