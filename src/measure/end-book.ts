/**
 * The life of ends: opened, paired, given slots, closed; and of the chains they form. Each
 * event is checked against what its end was before, so that a lost or repeated row shows.
 *
 *   connecting ──connected──► open ──closed──► closed      accepted ──► open
 *
 * Slot states at a queue: the first is held or active; held -> active -> yielded -> held or,
 * where a slot is free at once, active again. Everything else is reported.
 */
import { closeCauseCode, closeCauseOf } from '../model/close-cause.ts';
import { SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { emitFailedConnect, finishChain, isOver } from './connection-rows.ts';
import type { FoldContext } from './context.ts';
import { type ExchangeBook, mergeInto } from './exchange-book.ts';
import type { LinkMeter } from './link-meter.ts';
import { type Chain, End, EndState, NEVER, type Side, SlotBook } from './state.ts';

export class EndBook {
  readonly #ctx: FoldContext;
  readonly #exchanges: ExchangeBook;

  constructor(ctx: FoldContext, exchanges: ExchangeBook) {
    this.#ctx = ctx;
    this.#exchanges = exchanges;
  }

  connectStarted(
    process: number,
    number: number,
    instance: number,
    link: number,
    at: Micros,
  ): void {
    const end = this.#newEnd(process, number, instance, link, 'connector');
    if (end !== null) end.startedAt = at;
  }

  connected(end: End, local: number, remote: number, at: Micros): void {
    if (end.acceptor || end.state !== EndState.connecting) {
      this.#ctx.books.ofEnd('opened-twice', 'wrong', end, 'A connection was opened twice');
      return;
    }
    this.#open(end, local, remote, at);
  }

  accepted(
    process: number,
    number: number,
    instance: number,
    link: number,
    local: number,
    remote: number,
    at: Micros,
  ): void {
    const end = this.#newEnd(process, number, instance, link, 'acceptor');
    if (end === null) return;
    if (end.link.acceptorIsQueue) end.slotBook = new SlotBook();
    this.#open(end, local, remote, at);
  }

  closed(end: End, cause: number, bytesIn: number, bytesOut: number, at: Micros): void {
    if (end.state === EndState.closed) {
      this.#ctx.books.ofEnd('closed-twice', 'wrong', end, 'An end was closed twice');
      return;
    }
    const wasOpen = end.state === EndState.open;
    end.cause = cause;
    end.bytesIn = bytesIn;
    end.bytesOut = bytesOut;
    end.closedAt = at;
    if (end.slot !== SlotState.none) {
      this.#queueOf(end)?.slotChanged(end, SlotState.none, at);
      this.#tellSlot(end, SlotState.none, at);
    }
    end.state = EndState.closed;
    const { connection } = end;
    if (connection !== null) {
      connection.openEnds -= 1;
      if (connection.openEnds === 0) this.#meter(end).openChanged(-1);
    } else if (!wasOpen) this.#connectFailed(end);
    this.tryFinish(end);
  }

  paired(end: End, upstream: End | null): void {
    const { books } = this.#ctx;
    if (!end.acceptor || end.l7) {
      books.ofEnd(
        'pair-at-wrong-end',
        'wrong',
        end,
        'A pair was told by an end that relays nothing',
      );
      return;
    }
    if (upstream === null || upstream.acceptor || upstream.l7 || upstream.pair !== null) {
      books.ofEnd(
        'pair-without-upstream',
        'wrong',
        end,
        'The upstream end of a relay is not known',
      );
      return;
    }
    if (end.slotBook !== null && end.slot !== SlotState.active) {
      books.ofEnd(
        'paired-without-slot',
        'wrong',
        end,
        'A queue relayed a connection without a slot',
      );
    }
    // A relay may try again after a failed connect; the last one counts.
    end.pair = upstream;
    upstream.pair = end;
    this.#tie(end, upstream, Math.max(end.openedAt, upstream.openedAt));
  }

  slot(end: End, to: number, at: Micros): void {
    const queue = this.#queueOf(end);
    if (queue === undefined || end.slotBook === null || end.state !== EndState.open) {
      const text = 'A slot state was told of something that is no open connection at a queue';
      this.#ctx.books.ofEnd('slot-at-wrong-end', 'wrong', end, text);
      return;
    }
    if (!isLegal(end.slot, to)) {
      const text = 'Slot states follow one another in an impossible order';
      this.#ctx.books.ofEnd('slot-order', 'wrong', end, text);
    }
    if (to === SlotState.active) end.everActive = true;
    queue.slotChanged(end, to, at);
    this.#tellSlot(end, to, at);
  }

  passing(end: End, what: number, at: Micros): void {
    const queue = this.#queueOf(end);
    if (queue !== undefined && end.slotBook !== null) queue.passing(end, end.slotBook, what, at);
    else {
      const text = 'A request was told to pass something that is no connection at a queue';
      this.#ctx.books.ofEnd('slot-at-wrong-end', 'wrong', end, text);
    }
  }

  #tellSlot({ connection }: End, state: number, at: Micros): void {
    if (connection === null) return;
    this.#ctx.sinks.onSlot?.({ connection: connection.id, at, state });
  }

  /** Everything that a dead process had open is closed, as far as its peers can tell when. */
  processDied(process: number, at: Micros): void {
    for (const end of [...this.#ctx.ends.of(process)]) {
      if (end.state === EndState.closed) continue;
      const text = 'Its process died: closed as its peer saw it';
      this.#ctx.books.ofEnd('process_died', 'explained', end, text);
      this.#exchanges.abandon(end, at);
      end.died = true;
      const { connection } = end;
      const peer = end.acceptor ? connection?.connector : connection?.acceptor;
      const seen = peer?.state === EndState.closed ? Math.min(peer.closedAt, at) : at;
      this.closed(end, closeCauseCode('process_died'), 0, 0, seen);
    }
  }

  /** Checks whether the end's chain is over, and hands it out if so. */
  tryFinish(end: End): void {
    const { chain, pair } = end;
    if (chain !== null) {
      if (isOver(chain)) this.finish(chain);
      return;
    }
    // An end without a connection: its connect failed, or its tuple could not be read.
    if (end.inFlight <= 0) this.#ctx.ends.remove(end);
    if (pair !== null && pair.chain !== null && isOver(pair.chain)) this.finish(pair.chain);
  }

  finish(chain: Chain): void {
    if (chain.finished) return;
    for (const connection of chain.connections) {
      for (const end of [connection.connector, connection.acceptor]) {
        if (end !== null && end.state === EndState.closed) this.checkRelay(end);
      }
    }
    finishChain(this.#ctx, this.#exchanges, chain);
  }

  /** Every L4 end is relayed to somewhere, unless it was held or closed by the relay itself. */
  checkRelay(end: End): void {
    if (end.l7 || end.pair !== null || end.died) return;
    const { books } = this.#ctx;
    const { downstream, upstream } = end.link;
    const weight = this.#ctx.weightOfLink(downstream, upstream);
    if (!end.acceptor) {
      books.ofEnd('relay-unpaired', weight, end, 'A relay opened a connection for nobody');
      return;
    }
    const held = end.slotBook !== null;
    if (end.slotBook?.settledAt === NEVER && !closedByItself(end)) {
      books.ofEnd(
        'queue-without-slot',
        weight,
        end,
        'A queue took a connection without a slot state',
      );
      return;
    }
    if (held ? end.everActive : !closedByItself(end)) {
      books.ofEnd(
        'relay-unpaired',
        weight,
        end,
        'A relay took a connection and relayed it nowhere',
      );
    }
  }

  #newEnd(process: number, number: number, instance: number, link: number, side: Side): End | null {
    const { books, ends, shape } = this.#ctx;
    const known = ends.find(process, number);
    if (known !== null) {
      books.ofEnd('opened-twice', 'wrong', known, 'An end number was opened twice');
      return null;
    }
    const shapeOfLink = shape.links[link];
    if (shapeOfLink === undefined) {
      const text = 'An event names a link that the plan does not have';
      books.report('unknown-link', 'wrong', null, text, `link ${link}, process ${process}`);
      return null;
    }
    const end = new End(process, number, instance, shapeOfLink, side);
    ends.add(end);
    return end;
  }

  #open(end: End, local: number, remote: number, at: Micros): void {
    end.state = EndState.open;
    end.openedAt = at;
    end.local = local;
    end.remote = remote;
    const meter = this.#meter(end);
    if (local === 0 || remote === 0) {
      if (end.acceptor) meter.acceptsWithoutTuple += 1;
      else meter.connectsWithoutTuple += 1;
      return;
    }
    if (this.#ctx.ends.join(end)) meter.connectionOpened(at);
    const { connection } = end;
    if (connection === null) return;
    connection.openEnds += 1;
    if (connection.openEnds === 1) meter.openChanged(1);
    if (end.slotBook !== null) connection.chain.queueEnds.push(end);
    this.#exchanges.adopt(end);
    if (!end.acceptor && end.pair !== null) this.#tie(end.pair, end, at);
    else this.#exchanges.chainGrew(connection.chain, at);
  }

  /** Puts the chains on both sides of a relay together. */
  #tie(downstream: End, upstream: End, at: Micros): void {
    const lower = downstream.chain;
    const upper = upstream.chain;
    if (lower === null || upper === null || lower === upper) return;
    for (const connection of upper.connections) {
      connection.chain = lower;
      lower.connections.push(connection);
    }
    lower.queueEnds.push(...upper.queueEnds);
    for (const exchange of upper.exchanges) {
      const sent = lower.find(exchange.ordinal);
      if (sent === null) lower.exchanges.push(exchange);
      else mergeInto(sent, exchange, lower);
    }
    this.#exchanges.chainGrew(lower, at);
  }

  #connectFailed(end: End): void {
    if (end.bytesIn > 0) {
      const text = 'Bytes came in on a connection that was never up';
      this.#ctx.books.ofEnd('bytes-without-connection', 'wrong', end, text);
    }
    emitFailedConnect(this.#ctx, end);
  }

  #meter(end: End): LinkMeter {
    return this.#ctx.links[end.link.index] as LinkMeter;
  }

  #queueOf(end: End) {
    return this.#ctx.queues[this.#ctx.shape.instances[end.instance]?.queue ?? -1];
  }
}

function isLegal(from: number, to: number): boolean {
  if (to === SlotState.held) return from === SlotState.none || from === SlotState.yielded;
  if (to === SlotState.active) return from !== SlotState.active;
  return to === SlotState.yielded && from === SlotState.active;
}

const PASSED_ON = new Set(['unknown', 'peer_fin', 'peer_rst']);

function closedByItself(end: End): boolean {
  return end.state === EndState.closed && !PASSED_ON.has(closeCauseOf(end.cause));
}
