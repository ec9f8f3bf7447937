/**
 * The downstream side of an L7 relay: reads requests from an accepted connection, one exchange
 * at a time, and sends what answers them.
 *
 *   idle ──head──► exchange ──over──► idle ... ──last──► lingering ──► closed
 *
 * - Bytes behind a request that is being answered (pipelining, RFC 9112 section 9.3.2) wait in
 *   a bounded buffer; when it is full, reading pauses.
 * - The last response says `Connection: close`; then our FIN is sent, and what still comes is
 *   read and dropped until the client's FIN or a second has passed, because closing with
 *   unread bytes would send an RST that can overtake the response (RFC 9112 section 9.6).
 * - A head that takes too long from its first byte, or a body of which nothing comes, is a 408
 *   (RFC 9110 section 15.5.9), so that a client that trickles cannot stay (slow-loris).
 * - A connection that closes because client or framing asked for it closes with cause
 *   `max_requests`: that request was the last it could carry.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { type ExchangeFailure, PARENT_NONE, PARENT_REMOTE } from '../../model/event.ts';
import { BodyFramer } from '../http/body-framer.ts';
import { failures, type MessageFailure } from '../http/failure.ts';
import { HeadParser } from '../http/head-parser.ts';
import type { MessageHead } from '../http/message-head.ts';
import { rewriteHead } from '../http/rewrite.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import { type LocalAnswer, localAnswer } from './local-answer.ts';
import type { Relay } from './relay.ts';
import type { TunnelOffer, TunnelSide } from './tunnel.ts';

/** Bytes of further requests kept while one is being answered; one read may go beyond. */
const PIPELINED_BYTES_MAX = 64 * 1_024;

const CLOSE_LINE = 'Connection: close\r\n';
const KEEP_ALIVE_LINE = 'Connection: keep-alive\r\n';

/** It is a deadline itself: of the head or body being read, or of the lingering, in turn. */
export class ServerConnection extends Deadline implements EndHandlers, TunnelSide {
  readonly end: ConnectionEnd;
  /** Number at the keep-alive policy. */
  readonly number: number;
  /** Where a hop keeps what it chose for this connection (a gateway's node); -1 = nothing yet. */
  choice = -1;
  readonly #relay: Relay;
  readonly #parser = new HeadParser('request');
  readonly #framer = new BodyFramer();
  #exchange: Exchange | null = null;
  #backlog: Buffer | null = null;
  #taking = false;
  #bodyBlocked = false;
  #paused = false;
  /** The client waits for 100 Continue before it sends its body. */
  #awaitsContinue = false;
  #last: CloseCause | null = null;
  #lingering = false;

  constructor(relay: Relay, end: ConnectionEnd, number: number) {
    super();
    this.#relay = relay;
    this.end = end;
    this.number = number;
    end.handlers = this;
  }

  get busy(): boolean {
    return this.#exchange !== null;
  }

  /** It is the client's turn: more of a request's body must come. */
  get awaitsBody(): boolean {
    return !this.#framer.done && !this.#bodyBlocked && !this.#awaitsContinue;
  }

  // The socket

  onData(_end: ConnectionEnd, buffer: Buffer, length: number): void {
    this.#take(buffer, 0, length);
  }

  onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.end.close('peer_fin');
      return;
    }
    const truncated = !this.#framer.done;
    const { onClientFin } = this.#relay.rules;
    if (!truncated && (onClientFin === 'answer' || this.#backlog !== null)) return;
    this.end.close('peer_fin');
    exchange.clientGone('aborted');
  }

  onDrain(): void {
    this.#exchange?.downstreamDrained();
  }

  onClose(): void {
    this.clear();
    this.#backlog = null;
    this.#exchange?.clientGone('aborted');
    this.#relay.connectionClosed(this);
  }

  // The exchange

  /**
   * Called as the head of a response is written: decides whether the connection persists and
   * returns the header line that says so.
   */
  connectionLine(exchange: Exchange, delimited: boolean): string {
    this.#last = this.#reasonToClose(exchange, delimited);
    if (this.#last !== null) return CLOSE_LINE;
    return exchange.minor === 0 ? KEEP_ALIVE_LINE : '';
  }

  sendLocal(exchange: Exchange, answer: LocalAnswer): void {
    const line = this.connectionLine(exchange, exchange.requestDone && answer.status !== 400);
    this.end.writeOwned(localAnswer(answer, this.#relay.ctx.hop.name, exchange.method, line));
  }

  /** Stops or goes on reading a request's body. */
  blockBody(blocked: boolean): void {
    this.#bodyBlocked = blocked;
    this.#watchBody();
    this.#updateReading();
  }

  /** An interim response was passed on. */
  continued(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.#watchBody();
  }

  exchangeOver(exchange: Exchange, status: number, failure: ExchangeFailure): void {
    const { ctx } = this.#relay;
    this.end.exchangeEnded(exchange.ordinal, status, failure);
    if (failure === 'none') ctx.counters.answer(status, ctx.clock.now() - exchange.startedAt);
    else ctx.counters.failed += 1;
    this.#exchange = null;
    this.#bodyBlocked = false;
    if (this.end.closed || failure !== 'none') return;
    if (this.#last === null && !this.#framer.done) this.#last = 'max_requests';
    if (this.#last !== null) {
      this.#finish(this.#last);
      return;
    }
    this.#relay.exchangeOver(this);
    if (!this.#taking) this.#pump();
  }

  /** Closes an idle connection; what is being read or answered is the last it carries. */
  close(cause: CloseCause): void {
    if (this.#exchange === null && !this.#parser.begun) this.end.close(cause);
    else this.makeLast(cause);
  }

  /** What was awaited did not come. */
  expired(): void {
    if (this.#lingering) this.end.close('unknown');
    else if (this.#exchange === null) this.#refuse(failures.headTimeout, 'request_timeout');
    else this.#bodyFailed(this.#exchange, failures.bodyTimeout, 'request_timeout');
  }

  // TunnelSide

  /** What the client sent behind the request that became a tunnel. */
  takeBacklog(): Buffer | null {
    const bytes = this.#backlog;
    this.#backlog = null;
    return bytes;
  }

  tunnelOver(failure: ExchangeFailure): void {
    this.#exchange?.tunnelOver(failure);
  }

  /** For the exchange, which knows its status. */
  tunnelBooked(exchange: Exchange, status: number, failure: ExchangeFailure): void {
    const { ctx } = this.#relay;
    this.#exchange = null;
    this.end.exchangeEnded(exchange.ordinal, status, failure);
    if (failure === 'none') ctx.counters.answer(status, ctx.clock.now() - exchange.startedAt);
    else ctx.counters.failed += 1;
  }

  tunnelClosed(): void {
    this.#relay.connectionClosed(this);
  }

  /** The present exchange is the last this connection may carry. */
  makeLast(cause: CloseCause): void {
    this.#last ??= cause;
  }

  /** Goes on with what was pipelined. */
  #pump(): void {
    while (this.#exchange === null && this.#backlog !== null && !this.end.closed) {
      const bytes = this.#backlog;
      this.#backlog = null;
      this.#take(bytes, 0, bytes.length);
    }
    this.#updateReading();
    if (this.#exchange === null && this.end.ended) this.end.close('peer_fin');
  }

  #take(bytes: Buffer, from: number, to: number): void {
    this.#taking = true;
    let at = from;
    while (at < to && !this.#lingering && !this.end.closed) {
      if (this.#exchange === null) at = this.#readHead(bytes, at, to);
      else if (!this.#framer.done) at = this.#readBody(bytes, at, to);
      else {
        this.#keep(bytes.subarray(at, to));
        break;
      }
    }
    this.#taking = false;
  }

  #keep(bytes: Buffer): void {
    this.#backlog = Buffer.concat(this.#backlog === null ? [bytes] : [this.#backlog, bytes]);
    this.#updateReading();
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const at = parser.feed(bytes, from, to);
    const { failure } = parser;
    if (failure !== null) this.#refuse(failure);
    else if (parser.done) return this.#begin(bytes, at, to);
    else if (this.list === null && parser.begun) this.#relay.headDeadlines.set(this);
    return to;
  }

  #begin(bytes: Buffer, from: number, to: number): number {
    const { head } = this.#parser;
    const relay = this.#relay;
    const offer = offerOf(head);
    if (this.list !== null) this.clear();
    this.#framer.begin(head.bodyKind(''), head.contentLength);
    const end = this.#framer.feed(bytes, from, to);
    if (this.#framer.failure !== null) {
      this.#refuse(this.#framer.failure);
      return to;
    }
    const request = rewriteHead(head, relay.requestRewrite(head.hasHost, offer), bytes, from, end);
    const exchange = new Exchange(relay, this, {
      ordinal: this.#book(),
      method: head.method,
      minor: head.minor,
      // What stands behind a refused CONNECT may be meant for its tunnel (RFC 9931).
      persistent: head.persistent && offer !== 'connect',
      offer,
      bytes: request,
      traceAt: relay.traceAt(request.length - (end - from)),
      whole: this.#framer.done,
    });
    this.#exchange = exchange;
    this.#awaitsContinue = head.expectsContinue && end === from;
    this.#parser.reset();
    relay.route(exchange);
    return end;
  }

  /** Books the exchange; behind a foreign hop the request says whose it is. */
  #book(): number {
    const { ctx } = this.#relay;
    const { head } = this.#parser;
    ctx.counters.requests += 1;
    this.#relay.exchangeBegun(this);
    if (ctx.tracedDownstream) {
      const origin = head.traceOrigin();
      if (origin !== null) {
        const { process, end, exchange } = origin;
        return this.end.exchangeStarted(PARENT_REMOTE + process, end, exchange);
      }
    }
    return this.end.exchangeStarted(PARENT_NONE, 0, 0);
  }

  #readBody(bytes: Buffer, from: number, to: number): number {
    const end = this.#framer.feed(bytes, from, to);
    const { failure, done } = this.#framer;
    const exchange = this.#exchange;
    this.#awaitsContinue = false;
    if (exchange === null) return end;
    if (failure !== null) {
      this.#bodyFailed(exchange, failure, 'protocol_error');
      return to;
    }
    this.#watchBody();
    exchange.requestBody(bytes, from, end, done);
    return end;
  }

  /** Gives the client so long for the next bytes of its body. */
  #watchBody(): void {
    if (this.#exchange === null) return;
    if (this.awaitsBody) this.#relay.bodyDeadlines.set(this);
    else if (this.list !== null) this.clear();
  }

  #bodyFailed(exchange: Exchange, failure: MessageFailure, cause: CloseCause): void {
    this.makeLast(cause);
    exchange.requestFailed(failure);
  }

  /** Answers what is no request, and closes. */
  #refuse(failure: MessageFailure, cause: CloseCause = 'protocol_error'): void {
    const ordinal = this.#book();
    const answer = { status: failure.status, reason: failure.reason, retryAfter: null };
    this.end.writeOwned(localAnswer(answer, this.#relay.ctx.hop.name, 'GET', CLOSE_LINE));
    this.end.exchangeEnded(ordinal, failure.status, 'none');
    this.#relay.ctx.counters.answer(failure.status, 0);
    this.#finish(cause);
  }

  #reasonToClose(exchange: Exchange, delimited: boolean): CloseCause | null {
    if (this.#relay.stopping) return 'shutdown';
    if (this.#last !== null) return this.#last;
    if (!exchange.persistent || !delimited) return 'max_requests';
    return this.end.ended && this.#backlog === null ? 'peer_fin' : null;
  }

  #finish(cause: CloseCause): void {
    this.#backlog = null;
    this.end.blame(cause);
    if (this.end.ended) {
      this.end.close(cause);
      return;
    }
    this.end.finish();
    this.#lingering = true;
    this.#relay.lingerDeadlines.set(this);
    this.#updateReading();
  }

  #updateReading(): void {
    const full = (this.#backlog?.length ?? 0) >= PIPELINED_BYTES_MAX;
    const pause = !this.#lingering && (full || this.#bodyBlocked);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.end.pause();
    else this.end.resume();
  }
}

function offerOf(head: MessageHead): TunnelOffer {
  if (head.method === 'CONNECT') return 'connect';
  return head.offersUpgrade ? 'upgrade' : 'none';
}
