/**
 * The upstream side of an L7 relay: one connection of a pool, carrying one exchange at a time.
 *
 *   connecting ──► idle ──start──► busy ──response complete──► idle (back to the pool)
 *                                    ├── not reusable, failed, abandoned ──► closed
 *                                    └── switched: a tunnel (tunnel.ts) ──► closed
 *
 * Reusable is a connection whose response was framed and whole, whose request was sent to its
 * end, and which both sides want to keep (RFC 9112 section 9.3). Anything that arrives on an
 * idle connection but a FIN breaks it: it could be taken for the next response.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import { BodyFramer } from '../http/body-framer.ts';
import { HeadParser } from '../http/head-parser.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline } from './deadlines.ts';
import type { Exchange } from './exchange.ts';
import type { TunnelSide } from './tunnel.ts';

/** What the pool of a connection hears. */
export interface ClientConnectionOwner {
  readonly closesUpstream: boolean;
  connected(connection: ClientConnection): void;
  /** The response is whole and the connection can carry another. */
  released(connection: ClientConnection): void;
  /** The connection carries nothing more; it is closed or about to be. Called once. */
  lost(connection: ClientConnection, cause: CloseCause): void;
}

/** Interim responses in front of one response; more are a fault. */
const INTERIM_MAX = 16;
const SWITCHING_PROTOCOLS = 101;

export class ClientConnection extends Deadline implements EndHandlers, TunnelSide {
  readonly number: number;
  /** It was established, whatever became of it. */
  wasUp = false;
  readonly #owner: ClientConnectionOwner;
  readonly #parser = new HeadParser('response');
  readonly #framer = new BodyFramer();
  #end: ConnectionEnd | null = null;
  #exchange: Exchange | null = null;
  #ordinal = 0;
  #responding = false;
  #anyByte = false;
  #interims = 0;
  #lost = false;

  /** `number` is the connection's number at the pool's policy. */
  constructor(owner: ClientConnectionOwner, number: number) {
    super();
    this.#owner = owner;
    this.number = number;
  }

  get end(): ConnectionEnd {
    if (this.#end === null) throw new Error('upstream connection without a socket');
    return this.#end;
  }

  attach(end: ConnectionEnd): void {
    this.#end = end;
  }

  get busy(): boolean {
    return this.#exchange !== null;
  }

  /** Sends the exchange's request. The connection is idle. */
  start(exchange: Exchange): void {
    this.#exchange = exchange;
    this.#parser.reset();
    this.#responding = false;
    this.#anyByte = false;
    this.#interims = 0;
    this.#ordinal = exchange.sendOn(this.end);
  }

  /** The relay gives up on the exchange: the connection cannot be used any more. */
  abandon(cause: CloseCause, failure: ExchangeFailure): void {
    this.#exchange = null;
    this.end.exchangeEnded(this.#ordinal, this.#statusSoFar(), failure);
    this.#lose(cause);
    this.end.close(cause);
  }

  /** Closes for a reason of the pool's: idle, used up, lost with its node. `lost` follows. */
  close(cause: CloseCause): void {
    this.end.close(cause);
  }

  /** The connect timed out. */
  expired(): void {
    this.end.close('connect_timeout');
  }

  // The socket

  onConnect(): void {
    this.clear();
    this.wasUp = true;
    this.#owner.connected(this);
  }

  onData(end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (this.#exchange === null) {
      this.#lose('protocol_error');
      end.close('protocol_error');
      return;
    }
    this.#anyByte = true;
    let at = 0;
    while (at < length && this.#exchange !== null) {
      at = this.#responding
        ? this.#readBody(this.#exchange, buffer, at, length)
        : this.#readHead(this.#exchange, buffer, at, length);
    }
    if (at < length && !this.#lost) {
      // More than one response was sent: whatever it is, nobody asked for it.
      this.#lose('protocol_error');
      end.close('protocol_error');
    }
  }

  onEnd(end: ConnectionEnd): void {
    if (this.#exchange !== null && this.#responding && this.#framer.kind === 'until-close') {
      this.#complete(this.#exchange);
    }
    this.#fail('reset', 'peer_fin');
    end.close('peer_fin');
  }

  onDrain(): void {
    this.#exchange?.upstreamDrained();
  }

  onClose(_end: ConnectionEnd, cause: CloseCause): void {
    this.clear();
    this.#fail('reset', cause);
  }

  // TunnelSide

  tunnelOver(failure: ExchangeFailure): void {
    this.#exchange = null;
    this.end.exchangeEnded(this.#ordinal, this.#statusSoFar(), failure);
  }

  tunnelClosed(cause: CloseCause): void {
    this.#lose(cause);
  }

  #readHead(exchange: Exchange, buffer: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const at = parser.feed(buffer, from, to);
    if (parser.failed) return this.#broken(to);
    if (!parser.done) return to;
    const { head } = parser;
    if (exchange.offer !== 'none' && exchange.beginsTunnel(head.status)) {
      this.#responding = true;
      exchange.tunnel(this, head, buffer, at, to);
      return to;
    }
    if (head.status < 200) {
      this.#interims += 1;
      if (head.status === SWITCHING_PROTOCOLS || this.#interims > INTERIM_MAX) {
        return this.#broken(to);
      }
      exchange.interim(head);
      parser.reset();
      return at;
    }
    this.#responding = true;
    const kind = head.bodyKind(exchange.method);
    this.#framer.begin(kind, head.contentLength);
    if (kind === 'chunked' && exchange.minor === 0) {
      exchange.responded(head, kind, buffer, at, at);
      return this.#readBody(exchange, buffer, at, to);
    }
    const end = this.#framer.feed(buffer, at, to);
    // Answered before all of it was sent: the rest is not awaited, and the client is told so.
    if (this.#framer.done && !exchange.requestDone) exchange.server.makeLast('max_requests');
    exchange.responded(head, kind, buffer, at, end);
    return this.#after(exchange, end, to);
  }

  #readBody(exchange: Exchange, buffer: Buffer, from: number, to: number): number {
    if (exchange.dechunks) {
      const end = this.#framer.feedPayload(buffer, from, to, (start, stop) =>
        exchange.responseBody(buffer, start, stop),
      );
      return this.#after(exchange, end, to);
    }
    const end = this.#framer.feed(buffer, from, to);
    exchange.responseBody(buffer, from, end);
    return this.#after(exchange, end, to);
  }

  #after(exchange: Exchange, at: number, to: number): number {
    if (this.#framer.failure !== null) return this.#broken(to);
    if (this.#framer.done) this.#complete(exchange, at < to);
    return at;
  }

  /** The response is whole. */
  #complete(exchange: Exchange, surplus = false): void {
    const { end } = this;
    const { head } = this.#parser;
    this.#exchange = null;
    end.exchangeEnded(this.#ordinal, head.status, 'none');
    // A client slow to take the response may have paused us; the next one is another matter.
    end.resume();
    const whole = exchange.requestDone && this.#framer.kind !== 'until-close' && !surplus;
    if (whole && head.persistent && !end.ended && !this.#owner.closesUpstream) {
      this.#owner.released(this);
    } else if (!this.#lost) {
      const cause = whole && this.#owner.closesUpstream ? 'max_requests' : 'peer_fin';
      this.#lose(exchange.requestDone ? cause : 'local_rst');
      if (exchange.requestDone) end.close(surplus ? 'protocol_error' : cause);
      else end.reset('local_rst');
    }
    exchange.responseDone();
  }

  #broken(to: number): number {
    this.#fail('protocol_error', 'protocol_error');
    this.end.close('protocol_error');
    return to;
  }

  #fail(failure: ExchangeFailure, cause: CloseCause): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#lose(cause);
    if (exchange === null) return;
    this.end.exchangeEnded(this.#ordinal, this.#statusSoFar(), failure);
    const stale = failure === 'reset' && this.#ordinal > 1 && !this.#anyByte;
    exchange.upstreamFailed(failure, stale);
  }

  #statusSoFar(): number {
    return this.#responding ? this.#parser.head.status : 0;
  }

  #lose(cause: CloseCause): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#owner.lost(this, cause);
  }
}
