/**
 * Slots of one connection queue (all replicas of the hop).
 *
 *   a connection:   held ──► active ─────────────────────► yielded ──► ...
 *   its exchanges:   ├─ waits ─┤├── busy ──┤    idle         ├─ waits (next request)
 *
 * - slot time: connections in state active; busy: those with an exchange in flight, as the
 *   nearest downstream L7 end saw it (the upstream one where that is not ours).
 * - hoarded: slots active and not busy while another connection *of the same replica* waits
 *   with a request.
 * - zombie: a request that was read behind the queue after its client had given it up: work
 *   that nobody awaits.
 * - A request waits from its hand-over at the nearest downstream L7 end until its connection
 *   has a slot, or until it is given up, or until the load ends.
 *
 * All times are integrals over the load window, kept up at each change, so that a day costs as
 * little memory as a second. Occupancy divides by the activeMax of the topology: a run that
 * changes it while running must be read with that in mind.
 */
import { SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { Series, SeriesTable } from './series.ts';
import type { QueueShape, RunShape } from './shape.ts';
import { type Chain, type End, type Exchange, NEVER, type SlotBook } from './state.ts';

/** Integrals of one replica. */
class Account {
  active = 0;
  busy = 0;
  waiting = 0;
  settledAt = NEVER;
}

export class QueueMeter {
  readonly shape: QueueShape;
  slotTime = 0;
  busyTime = 0;
  hoardedTime = 0;
  granted = 0;
  yielded = 0;
  overcommit = 0;
  starvedConnections = 0;
  zombieExchanges = 0;
  heldMax = 0;
  readonly #run: RunShape;
  readonly #table: SeriesTable;
  readonly #accounts = new Map<number, Account>();
  readonly #inState: [none: number, held: number, active: number, yielded: number] = [0, 0, 0, 0];
  readonly #gauges: readonly (readonly [Series, () => number])[];
  readonly #grants: Series;
  readonly #yields: Series;
  readonly #slotSeconds: Series;
  readonly #busySeconds: Series;
  readonly #hoardedSeconds: Series;

  constructor(shape: QueueShape, run: RunShape, table: SeriesTable) {
    this.shape = shape;
    this.#run = run;
    this.#table = table;
    const scope = `hop:${shape.hop}`;
    this.#gauges = [
      [table.column(scope, 'active', 'gauge'), () => this.#inState[SlotState.active]],
      [table.column(scope, 'held', 'gauge'), () => this.#inState[SlotState.held]],
      [table.column(scope, 'yielded', 'gauge'), () => this.#inState[SlotState.yielded]],
      [table.column(scope, 'waiting', 'gauge'), () => this.#waitingNow()],
    ];
    this.#grants = table.column(scope, 'granted', 'count');
    this.#yields = table.column(scope, 'yields', 'count');
    this.#slotSeconds = table.hidden(scope, 'slotTime');
    this.#busySeconds = table.hidden(scope, 'busyTime');
    this.#hoardedSeconds = table.hidden(scope, 'hoardedTime');
    const { activeMax, instances } = shape;
    const known = this.exchangesKnown;
    table.derived(scope, 'slotUtilisation', (index) =>
      known ? ratio(this.#busySeconds.get(index), this.#slotSeconds.get(index)) : null,
    );
    table.derived(scope, 'slotOccupancy', (index) =>
      ratio(this.#slotSeconds.get(index), activeMax * instances * MICROS_PER_SECOND),
    );
    table.derived(scope, 'hoardedSlotSeconds', (index) =>
      this.shape.requestsSeenDownstream
        ? (this.#hoardedSeconds.get(index) ?? 0) / MICROS_PER_SECOND
        : null,
    );
  }

  get exchangesKnown(): boolean {
    return this.shape.requestsSeenDownstream || this.shape.requestsSeenUpstream;
  }

  get zombiesKnown(): boolean {
    return this.shape.requestsSeenDownstream && this.shape.requestsSeenUpstream;
  }

  /** A connection at this queue changed its slot state; `to` none = it is gone. */
  slotChanged(end: End, to: number, at: Micros): void {
    const from = end.slot;
    if (from === SlotState.none) this.#seen(end, at);
    this.#inState[from as SlotState] -= 1;
    this.#inState[to as SlotState] += 1;
    this.heldMax = Math.max(this.heldMax, this.#inState[SlotState.held]);
    const account = this.#account(end.instance);
    this.#settle(account, at);
    this.#settleBook(end, at);
    if (from === SlotState.active) account.active -= 1;
    if (to === SlotState.active) account.active += 1;
    end.slot = to as SlotState;
    if (to === SlotState.active && end.slotBook !== null) end.slotBook.activeSince = at;
    if (to === SlotState.active) this.#grant(end, at);
    if (to === SlotState.yielded) this.#yield(end, at);
    this.reassess(end, at);
  }

  /** An exchange of the end's chain began, ended or was read: busy or waiting may have changed. */
  reassess(end: End, at: Micros): void {
    const book = end.slotBook;
    if (book === null) return;
    const account = this.#account(end.instance);
    this.#settle(account, at);
    this.#settleBook(end, at);
    const { chain } = end;
    const busy = end.slot === SlotState.active && chain !== null && inFlight(chain);
    const waiting =
      (end.slot === SlotState.held || end.slot === SlotState.yielded) &&
      chain !== null &&
      waitsFor(chain, end);
    account.busy += Number(busy) - Number(book.busy);
    account.waiting += Number(waiting) - Number(book.waiting);
    book.busy = busy;
    book.waiting = waiting;
  }

  /**
   * The end's chain became known (or longer) only now, while an exchange may have been in flight
   * for some time: lets it through an active slot, and books the part of it that is past.
   */
  joined(end: End, at: Micros): void {
    const { chain, slotBook } = end;
    if (slotBook === null || chain === null) return;
    if (end.slot === SlotState.active) {
      const bit = queueBit(chain, end);
      let since = at;
      for (const exchange of chain.exchanges) {
        exchange.granted |= bit;
        exchange.grantedAt = Math.max(exchange.grantedAt, slotBook.activeSince, exchange.sentAt);
        if (exchange.inFlightDownstream) since = Math.min(since, exchange.sentAt);
      }
      if (!slotBook.busy) this.#bookPast(slotBook, Math.max(since, slotBook.activeSince), at);
    }
    this.reassess(end, at);
  }

  /** A request waited for this end's slot that long. */
  waited(end: End, since: Micros, until: Micros): void {
    const book = end.slotBook;
    if (book === null) return;
    const wait = this.#clipped(since, until);
    book.waitedMax = Math.max(book.waitedMax, wait);
    if (wait <= this.#run.starvedAfter || book.starved) return;
    book.starved = true;
    this.starvedConnections += 1;
  }

  /** Settles everything up to a second's end and reads the gauges. */
  endOfSecond(index: number, at: Micros): void {
    for (const account of this.#accounts.values()) this.#settle(account, at);
    for (const [series, read] of this.#gauges) series.set(index, read());
  }

  #seen(end: End, at: Micros): void {
    if (end.slotBook !== null) end.slotBook.settledAt = at;
    // From here on the end is in some state; state none holds nobody.
    this.#inState[SlotState.none] += 1;
  }

  #grant(end: End, at: Micros): void {
    this.granted += 1;
    this.#grants.add(this.#table.indexOf(at), 1);
    const { chain } = end;
    if (chain === null) return;
    const bit = queueBit(chain, end);
    for (const exchange of chain.exchanges) {
      if ((exchange.granted & bit) !== 0) continue;
      if (exchange.inFlightDownstream) this.waited(end, exchange.sentAt, at);
      // A request given up meanwhile is still in the socket and goes on all the same.
      exchange.granted |= bit;
      exchange.grantedAt = Math.max(at, exchange.sentAt);
    }
  }

  #yield(end: End, at: Micros): void {
    this.yielded += 1;
    this.#yields.add(this.#table.indexOf(at), 1);
    const { chain } = end;
    if (chain === null) return;
    for (const exchange of chain.exchanges) {
      if (!exchange.inFlightDownstream) continue;
      const unread = chain.expectsUpstream && exchange.readAt === NEVER;
      if (unread) exchange.granted &= ~queueBit(chain, end);
      else this.overcommit += 1;
    }
  }

  #bookPast(book: SlotBook, from: Micros, to: Micros): void {
    const missed = this.#clipped(from, to);
    book.busyTime += Math.max(to - from, 0);
    this.busyTime += missed;
    this.#busySeconds.add(this.#table.indexOf(to), missed);
  }

  #waitingNow(): number {
    let sum = 0;
    for (const account of this.#accounts.values()) sum += account.waiting;
    return sum;
  }

  #account(instance: number): Account {
    let account = this.#accounts.get(instance);
    if (account === undefined) {
      account = new Account();
      this.#accounts.set(instance, account);
    }
    return account;
  }

  #settle(account: Account, at: Micros): void {
    const span = this.#clipped(account.settledAt, at);
    if (account.settledAt !== NEVER && span > 0) {
      const index = this.#table.indexOf(account.settledAt);
      this.slotTime += account.active * span;
      this.busyTime += account.busy * span;
      this.#slotSeconds.add(index, account.active * span);
      this.#busySeconds.add(index, account.busy * span);
      if (account.waiting > 0) {
        const hoarded = (account.active - account.busy) * span;
        this.hoardedTime += hoarded;
        this.#hoardedSeconds.add(index, hoarded);
      }
    }
    account.settledAt = Math.max(account.settledAt, at);
  }

  /** A connection's own books are not cut to the load window: they tell its whole life. */
  #settleBook(end: End, at: Micros): void {
    const book = end.slotBook as SlotBook;
    const span = at - book.settledAt;
    if (span <= 0) return;
    if (end.slot === SlotState.active) book.slotTime += span;
    if (book.busy) book.busyTime += span;
    book.settledAt = at;
  }

  #clipped(from: Micros, to: Micros): Micros {
    return Math.max(Math.min(to, this.#run.to) - Math.max(from, this.#run.from), 0);
  }
}

/** The bit in `Exchange.granted` that stands for this queue. */
export function queueBit(chain: Chain, end: End): number {
  const position = chain.queueEnds.indexOf(end);
  // A chain with more than 30 queues in a row would be a mistake of the topology.
  return position < 0 || position > 30 ? 0 : 1 << position;
}

function inFlight(chain: Chain): boolean {
  const downstream = chain.downstreamEnd !== null;
  for (const exchange of chain.exchanges) {
    if (downstream ? exchange.inFlightDownstream : exchange.inFlightUpstream) return true;
  }
  return false;
}

/** A request is on its way that this queue has not let through. */
function waitsFor(chain: Chain, end: End): boolean {
  const bit = queueBit(chain, end);
  for (const exchange of chain.exchanges) {
    if (isUnread(exchange) && (exchange.granted & bit) === 0) return true;
  }
  return false;
}

export function isUnread(exchange: Exchange): boolean {
  return exchange.inFlightDownstream && exchange.readAt === NEVER;
}

function ratio(above: number | null, below: number | null): number | null {
  return above === null || below === null || below === 0 ? null : above / below;
}
