/**
 * Slots of one connection queue, followed by events:
 *
 *   a connection:   held ──► active ─────────────────────► yielded ──► ...
 *   its exchanges:   ├─ waits ─┤├── busy ──┤    idle         ├─ waits (next request)
 *
 * - busy: an exchange in flight through the queue: from when its request reaches the queue until
 *   its answer does. A live queue cannot know; there nothing delays, and the nearest downstream
 *   L7 end saw the same (the upstream one where that is not ours). Where links delay (simulated
 *   only) the queue tells, since else what is still on its way to the client, and holds no
 *   slot any more, would count as busy, hoarded and overcommitted.
 * - zombie: a request that was read behind the queue after its client had given it up: work
 *   that nobody awaits.
 * - A request waits from its hand-over at the nearest downstream L7 end until its connection
 *   has a slot, or until it is given up, or until the load ends.
 */
import { Passing, SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { SlotTally } from './slot-tally.ts';
import { type Chain, type End, type Exchange, NEVER, SlotBook } from './state.ts';

export class QueueMeter extends SlotTally {
  /** A connection at this queue changed its slot state; `to` none = it is gone. */
  slotChanged(end: End, to: number, at: Micros): void {
    const from = end.slot as SlotState;
    const { slotBook } = end;
    if (slotBook?.told && to === SlotState.none) this.#left(end, slotBook, at);
    if (from === SlotState.none && end.slotBook !== null) end.slotBook.settledAt = at;
    this.#settleBook(end, at);
    this.moved(this.account(end.instance), from, to as SlotState, at);
    end.slot = to as SlotState;
    if (to === SlotState.active && end.slotBook !== null) end.slotBook.activeSince = at;
    if (to === SlotState.active) this.#grant(end, at);
    if (to === SlotState.yielded) this.#yield(end);
    this.reassess(end, at);
  }

  /** An exchange of the end's chain began, ended or was read: busy or waiting may have changed. */
  reassess(end: End, at: Micros): void {
    const book = end.slotBook;
    if (book === null) return;
    const account = this.account(end.instance);
    this.#settleBook(end, at);
    const { chain } = end;
    const queued = end.slot === SlotState.held || end.slot === SlotState.yielded;
    const here = book.told ? book.asked !== null : chain !== null && inFlight(chain);
    const busy = end.slot === SlotState.active && here;
    const waiting =
      queued && (book.told ? here && !book.passed : chain !== null && waitsFor(chain, end));
    const busier = Number(busy) - Number(book.busy);
    this.changed(account, busier, Number(waiting) - Number(book.waiting), at);
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
      if (!slotBook.busy && !slotBook.told)
        this.#bookPast(slotBook, Math.max(since, slotBook.activeSince), at);
    }
    this.reassess(end, at);
  }

  /** The queue tells that a request has come, is answered, or has lost its client. */
  passing(end: End, book: SlotBook, what: number, at: Micros): void {
    book.told = true;
    if (what === Passing.asked) {
      book.asked = lastSent(end.chain);
      book.passed = end.slot === SlotState.active;
    } else if (what === Passing.left) this.#left(end, book, at);
    else book.asked = null;
    this.reassess(end, at);
  }

  /** The load is over: what waits still is judged by its wait so far. */
  strike(end: End, at: Micros): void {
    const { asked, passed } = end.slotBook ?? NO_BOOK;
    if (asked !== null && !passed) this.waited(end, asked.sentAt, at);
  }

  #left(end: End, book: SlotBook, at: Micros): void {
    this.strike(end, at);
    book.asked = null;
  }

  /** A request waited for this end's slot that long. */
  waited(end: End, since: Micros, until: Micros): void {
    const book = end.slotBook;
    if (book === null) return;
    const wait = this.clipped(since, until);
    book.waitedMax = Math.max(book.waitedMax, wait);
    if (wait <= this.starvedAfter || book.starved) return;
    book.starved = true;
    this.starvedConnections += 1;
  }

  #grant(end: End, at: Micros): void {
    const { chain } = end;
    const { told, asked, passed } = end.slotBook ?? NO_BOOK;
    if (asked !== null && !passed && end.slotBook !== null) {
      end.slotBook.passed = true;
      this.waited(end, asked.sentAt, at);
    }
    if (chain === null) return;
    const bit = queueBit(chain, end);
    for (const exchange of chain.exchanges) {
      if ((exchange.granted & bit) !== 0) continue;
      if (!told && exchange.inFlightDownstream) this.waited(end, exchange.sentAt, at);
      // A request given up meanwhile is still in the socket and goes on all the same.
      exchange.granted |= bit;
      exchange.grantedAt = Math.max(at, exchange.sentAt);
    }
  }

  #yield(end: End): void {
    const { chain, slotBook } = end;
    if (chain === null) return;
    const told = slotBook?.told === true;
    for (const exchange of chain.exchanges) {
      if (!exchange.inFlightDownstream) continue;
      const unread = chain.expectsUpstream && exchange.readAt === NEVER;
      if (unread) exchange.granted &= ~queueBit(chain, end);
      else if (!told || exchange === slotBook.asked) this.overcommit += 1;
      if (told && unread && exchange === slotBook.asked) slotBook.passed = false;
    }
  }

  #bookPast(book: SlotBook, from: Micros, to: Micros): void {
    book.busyTime += Math.max(to - from, 0);
    this.busyBefore(from, to);
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
}

/** The bit in `Exchange.granted` that stands for this queue. */
export function queueBit(chain: Chain, end: End): number {
  const position = chain.queueEnds.indexOf(end);
  // A chain with more than 30 queues in a row would be a mistake of the topology.
  return position < 0 || position > 30 ? 0 : 1 << position;
}

const NO_BOOK = new SlotBook();

/** What its sending hop handed over last. */
function lastSent(chain: Chain | null): Exchange | null {
  let last: Exchange | null = null;
  for (const exchange of chain?.exchanges ?? []) {
    if (exchange.sentAt !== NEVER && exchange.ordinal > (last?.ordinal ?? 0)) last = exchange;
  }
  return last;
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
