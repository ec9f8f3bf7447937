/**
 * The books of exchanges: what the two L7 ends of a chain tell about exchange n is put
 * together, its parent and the client's request at its root are looked up, and when nothing
 * more can happen to it, it goes out as one row per link that it reached.
 *
 * An exchange that was never granted a slot has not reached the connection behind the queue.
 * A request whose client has given up stays alive here as long as its chain does: a queue that
 * never reads held sockets will replay it.
 *
 * Parents: a child begins while its parent is in flight, so the parent is nearly always among
 * the open ones. Only work that goes on after its parent failed can come later; failed
 * exchanges are therefore remembered for a while (the last 65,536).
 */
import {
  exchangeFailureCode,
  PARENT_CLIENT,
  PARENT_NONE,
  PARENT_REMOTE,
  SlotState,
} from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import type { FoldContext } from './context.ts';
import { emitExchange } from './exchange-rows.ts';
import { isUnread, queueBit } from './queue-meter.ts';
import { type Chain, type End, Exchange, NEVER, Root } from './state.ts';

const ABANDONED = exchangeFailureCode('aborted');
const FAILED_MAX = 65_536;
/** Room for ordinals in a key of end and ordinal; both stay below 2^53 together. */
const ORDINALS = 2_097_152;

interface Failed {
  readonly exchange: Exchange;
  readonly end: End;
}

export class ExchangeBook {
  readonly #ctx: FoldContext;
  readonly #failed = new Map<number, Failed>();

  constructor(ctx: FoldContext) {
    this.#ctx = ctx;
  }

  started(end: End, ordinal: number, a: number, b: number, c: number, at: Micros): void {
    const { books } = this.#ctx;
    if (!end.l7) {
      books.ofEnd(
        'exchange-at-relay',
        'wrong',
        end,
        'A relay that frames nothing told an exchange',
      );
      return;
    }
    if (ordinal !== end.ordinal + 1) {
      books.ofEnd(
        'exchange-ordinals',
        'wrong',
        end,
        'Exchanges of an end are not numbered 1, 2, 3',
      );
    }
    end.ordinal = Math.max(end.ordinal, ordinal);
    end.inFlight += 1;
    const exchange = this.#exchangeAt(end, ordinal);
    if (end.acceptor) exchange.readAt = at;
    else exchange.sentAt = at;
    this.#attribute(exchange, end, a, b, c, at);
    const { chain } = end;
    if (chain !== null) {
      if (!end.acceptor) passActiveSlots(chain, exchange, at);
      this.#reassess(chain, at);
    }
    if (!end.acceptor) return;
    if (exchange.sentAt !== NEVER) this.#unread(exchange, at);
    this.#countForHost(end, at);
  }

  ended(end: End, ordinal: number, status: number, failure: number, at: Micros): void {
    const exchange = this.#begun(end, ordinal);
    if (exchange === null) {
      this.#ctx.books.ofEnd(
        'exchange-end-without-start',
        'wrong',
        end,
        'An exchange ended that had not begun, or ended before',
      );
      return;
    }
    end.inFlight -= 1;
    this.#adoptOrphan(exchange);
    if (end.acceptor) {
      exchange.answeredAt = at;
      exchange.answeredStatus = status;
      exchange.answeredFailure = failure;
    } else {
      const unread = isUnread(exchange);
      exchange.doneAt = at;
      exchange.doneStatus = status;
      exchange.doneFailure = failure;
      if (unread) this.#gaveUp(end.chain, exchange, at);
      this.#attemptEnded(exchange, end, status);
    }
    const { chain } = end;
    if (chain === null) return;
    this.#reassess(chain, at);
    if (isComplete(chain, exchange)) this.emit(chain, exchange);
  }

  /** The end's process died: nobody will say how its exchanges ended. */
  abandon(end: End, at: Micros): void {
    const list = (end.chain === null ? end.early : end.chain.exchanges) ?? [];
    for (const exchange of [...list]) {
      const open = end.acceptor ? exchange.inFlightUpstream : exchange.inFlightDownstream;
      const own = end === end.chain?.downstreamEnd || end === end.chain?.upstreamEnd;
      if (open && own) this.ended(end, exchange.ordinal, 0, ABANDONED, at);
    }
  }

  /** The end has its connection now: exchanges begun before that move to it. */
  adopt(end: End): void {
    const { chain, early } = end;
    if (chain === null || early === null) return;
    end.early = null;
    for (const exchange of early) {
      const other = chain.find(exchange.ordinal);
      if (other !== null) mergeInto(exchange, other, chain);
      else chain.exchanges.push(exchange);
      if (exchange.root !== null && !exchange.counted) this.#setRoot(exchange, exchange.root);
    }
  }

  /** The chain grew: what waited for that is looked at again. */
  chainGrew(chain: Chain, at: Micros): void {
    for (const end of chain.queueEnds) this.#queueOf(end)?.joined(end, at);
  }

  /** Waits that last until the strike. */
  strike(chain: Chain, at: Micros): void {
    this.#reassess(chain, at);
    for (const end of chain.queueEnds) this.#queueOf(end)?.strike(end, at);
    for (const exchange of chain.exchanges) {
      if (isUnread(exchange)) this.#gaveUp(chain, exchange, at);
    }
  }

  /** Hands out one exchange and forgets it. */
  emit(chain: Chain, exchange: Exchange): void {
    chain.exchanges.splice(chain.exchanges.indexOf(exchange), 1);
    this.#checkOrphan(exchange, chain);
    emitExchange(this.#ctx, chain, exchange);
    if (isZombie(exchange) && exchange.readAt < this.#ctx.shape.to) {
      for (const end of chain.queueEnds) {
        const queue = this.#queueOf(end);
        if (queue !== undefined) queue.zombieExchanges += 1;
      }
    }
    const failed =
      exchange.doneFailure !== 0 || exchange.doneStatus === 0 || exchange.doneStatus >= 500;
    if (failed || exchange.answeredFailure !== 0) this.#remember(chain, exchange);
  }

  #exchangeAt(end: End, ordinal: number): Exchange {
    const { chain } = end;
    const known = chain?.find(ordinal) ?? null;
    if (known !== null && (end.acceptor ? known.readAt : known.sentAt) === NEVER) return known;
    const exchange = new Exchange(ordinal);
    if (chain !== null) chain.exchanges.push(exchange);
    else if (end.early === null) end.early = [exchange];
    else end.early.push(exchange);
    return exchange;
  }

  #begun(end: End, ordinal: number): Exchange | null {
    const list = end.chain === null ? end.early : end.chain.exchanges;
    for (const exchange of list ?? []) {
      if (exchange.ordinal !== ordinal) continue;
      if (end.acceptor ? exchange.inFlightUpstream : exchange.inFlightDownstream) return exchange;
    }
    return null;
  }

  /** Finds out whose request this is. The downstream end knows best and is asked first. */
  #attribute(exchange: Exchange, end: End, a: number, b: number, c: number, at: Micros): void {
    if (c === PARENT_NONE) {
      const { link } = end;
      const external = link.fromClients && !link.connectorOwn && !link.alive;
      if (external) this.#setRoot(exchange, new Root(link.downstream, NEVER, NEVER, NEVER, end));
      return;
    }
    if (c === PARENT_CLIENT) {
      this.#attributeToClient(exchange, end, a, b, at);
      return;
    }
    if (exchange.root !== null) return;
    const process = c >= PARENT_REMOTE ? c - PARENT_REMOTE : end.process;
    exchange.parentOrdinal = b;
    exchange.orphanOf = { process, end: a };
    this.#adoptOrphan(exchange);
  }

  /** Clocks of processes differ by a microsecond or two: a child may be told before its parent. */
  #adoptOrphan(exchange: Exchange): void {
    const { orphanOf } = exchange;
    if (orphanOf === null) return;
    const parent = this.#find(orphanOf.process, orphanOf.end, exchange.parentOrdinal);
    if (parent === null) return;
    exchange.orphanOf = null;
    exchange.parentEnd = parent.end;
    if (parent.exchange.root !== null) this.#setRoot(exchange, parent.exchange.root);
  }

  #checkOrphan(exchange: Exchange, chain: Chain): void {
    this.#adoptOrphan(exchange);
    const end = chain.downstreamEnd ?? chain.upstreamEnd;
    if (exchange.orphanOf === null || end === null) return;
    const text = 'An exchange names a parent that is not known';
    this.#ctx.books.ofEnd('parent-unknown', this.#ctx.weightOf(chain), end, text);
  }

  #find(process: number, number: number, ordinal: number): Failed | null {
    const end = this.#ctx.ends.find(process, number);
    const exchange = end?.chain?.find(ordinal) ?? null;
    if (end !== null && exchange !== null) return { exchange, end };
    return this.#failed.get(keyOf(process, number, ordinal)) ?? null;
  }

  #attributeToClient(exchange: Exchange, end: End, a: number, b: number, at: Micros): void {
    const group = this.#ctx.groups[this.#ctx.shape.instances[end.instance]?.group ?? -1];
    const attempt = group?.attempt(at, a, b) ?? 0;
    if (group === undefined || attempt === 0) {
      const text = 'An attempt belongs to no request that a client has open';
      this.#ctx.books.ofEnd('attempt-without-request', 'wrong', end, text);
      return;
    }
    this.#setRoot(exchange, new Root(group.shape.hop, a, b, attempt, end));
  }

  #attemptEnded(exchange: Exchange, end: End, status: number): void {
    const { root } = exchange;
    if (root === null || root.end !== end) return;
    const group = this.#ctx.groups[this.#ctx.shape.instances[end.instance]?.group ?? -1];
    group?.attemptEnded(root.client, root.request, status);
  }

  #setRoot(exchange: Exchange, root: Root): void {
    exchange.root = root;
    const { connection } = root.end;
    if (connection === null || connection.finished) return;
    connection.descendants += 1;
    exchange.counted = true;
  }

  /** The request was given up, or the books are struck, before anyone read it. */
  #gaveUp(chain: Chain | null, exchange: Exchange, at: Micros): void {
    let granted = true;
    if (chain !== null) {
      for (const end of chain.queueEnds) {
        if ((exchange.granted & queueBit(chain, end)) !== 0) continue;
        granted = false;
        if (end.slotBook?.told) continue;
        this.#queueOf(end)?.waited(end, exchange.sentAt, at);
      }
      // A foreign reader does not tell when it read: only the wait for a slot is known there.
      if (!chain.expectsUpstream) {
        if (granted && chain.queueEnds.length === 0) return;
        this.#unread(exchange, granted ? exchange.grantedAt : at);
        return;
      }
    }
    this.#unread(exchange, at);
  }

  #unread(exchange: Exchange, until: Micros): void {
    const { shape, groups } = this.#ctx;
    const { root } = exchange;
    if (root === null || root.client === NEVER) return;
    const wait = Math.min(until, shape.to) - exchange.sentAt;
    if (wait <= shape.starvedAfter) return;
    groups.find((group) => group.shape.hop === root.group)?.starve(root.client);
  }

  #reassess(chain: Chain, at: Micros): void {
    for (const end of chain.queueEnds) this.#queueOf(end)?.reassess(end, at);
  }

  #queueOf(end: End) {
    return this.#ctx.queues[this.#ctx.shape.instances[end.instance]?.queue ?? -1];
  }

  #countForHost(end: End, at: Micros): void {
    const instance = this.#ctx.shape.instances[end.instance];
    if (instance?.host == null || !instance.countsForHost || end.link.alive) return;
    this.#ctx.hosts.get(instance.host)?.add(this.#ctx.table.indexOf(at), 1);
  }

  #remember(chain: Chain, exchange: Exchange): void {
    for (const end of [chain.downstreamEnd, chain.upstreamEnd]) {
      if (end === null) continue;
      this.#failed.set(keyOf(end.process, end.number, exchange.ordinal), { exchange, end });
    }
    while (this.#failed.size > FAILED_MAX) {
      const oldest = this.#failed.keys().next();
      if (oldest.done === true) return;
      this.#failed.delete(oldest.value);
    }
  }
}

/** Read by the server only after its client had given it up. */
function isZombie({ readAt, doneAt }: Exchange): boolean {
  return readAt !== NEVER && doneAt !== NEVER && readAt > doneAt;
}

/** A request handed over while the slots on its way are active passes them at once. */
function passActiveSlots(chain: Chain, exchange: Exchange, at: Micros): void {
  for (const end of chain.queueEnds) {
    if (end.slot !== SlotState.active) continue;
    exchange.granted |= queueBit(chain, end);
    exchange.grantedAt = at;
  }
}

/** Both L7 ends are done with it, as far as they will ever tell. */
export function isComplete(chain: Chain, exchange: Exchange): boolean {
  if (exchange.inFlightDownstream || exchange.inFlightUpstream) return false;
  if (chain.expectsDownstream ? exchange.doneAt === NEVER : !chain.first.link.connectorL7)
    return false;
  return !chain.expectsUpstream || exchange.answeredAt !== NEVER;
}

/** Two halves of one exchange that met late: the downstream half takes in the upstream one. */
export function mergeInto(sent: Exchange, read: Exchange, chain: Chain): void {
  sent.readAt = read.readAt;
  sent.answeredAt = read.answeredAt;
  sent.answeredStatus = read.answeredStatus;
  sent.answeredFailure = read.answeredFailure;
  const position = chain.exchanges.indexOf(read);
  if (position >= 0) chain.exchanges[position] = sent;
  else chain.exchanges.push(sent);
}

function keyOf(process: number, end: number, ordinal: number): number {
  return (end * 64 + (process % 64)) * ORDINALS + (ordinal % ORDINALS);
}
