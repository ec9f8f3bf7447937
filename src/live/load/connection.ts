/**
 * One connection of a client: sends a request, reads its response, one at a time.
 *
 *   connecting ──► idle ──send──► busy ──response──► idle, or closing if it cannot be reused
 *                                                                      └──► closed: `lost`
 *
 * The response head is parsed where it lies; of the body only its end is looked for. Bytes that
 * nobody asked for (behind a response, or on an idle connection) close the connection, because
 * they could be taken for the next response.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { type ExchangeFailure, PARENT_CLIENT } from '../../model/event.ts';
import { BodyFramer } from '../http/body-framer.ts';
import { HeadParser } from '../http/head-parser.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline } from '../relay-http/deadlines.ts';
import type { Attempt, Carrier } from './attempt.ts';
import type { RequestBytes } from './request-bytes.ts';
import { retryAfter } from './retry-after.ts';

/** Interim (1xx) responses in front of one response; more are a fault. */
const INTERIM_MAX = 16;
const SWITCHING_PROTOCOLS = 101;

/** What a client hears of its connections. */
export interface ConnectionOwner {
  connected(connection: LoadConnection): void;
  /** `attempt` has its status. A connection that is not reusable is closing by itself. */
  answered(connection: LoadConnection, attempt: Attempt, reusable: boolean): void;
  /** The exchange got no whole answer; the connection is closing by itself. */
  failed(
    connection: LoadConnection,
    attempt: Attempt,
    failure: ExchangeFailure,
    /** It was closed by the server before it said a word, perhaps before it heard one. */
    stale: boolean,
  ): void;
  /** The socket is gone. Comes once, and last. */
  lost(connection: LoadConnection, cause: CloseCause): void;
}

export class LoadConnection extends Deadline implements EndHandlers, Carrier {
  /** Its number at the pool's policy. */
  readonly number: number;
  /** It was established, whatever became of it. */
  wasUp = false;
  /** No request may be sent on it any more, though its socket is not gone yet. */
  closing = false;
  readonly #owner: ConnectionOwner;
  readonly #parser = new HeadParser('response');
  readonly #framer = new BodyFramer();
  #end: ConnectionEnd | null = null;
  #attempt: Attempt | null = null;
  #ordinal = 0;
  #anyByte = false;
  #inBody = false;
  #interims = 0;

  constructor(owner: ConnectionOwner, number: number) {
    super();
    this.#owner = owner;
    this.number = number;
  }

  get end(): ConnectionEnd {
    if (this.#end === null) throw new Error('client connection without a socket');
    return this.#end;
  }

  attach(end: ConnectionEnd): void {
    this.#end = end;
  }

  send(attempt: Attempt, bytes: RequestBytes): void {
    const { end } = this;
    const { request } = attempt;
    this.#attempt = attempt;
    this.#parser.reset();
    this.#inBody = false;
    this.#interims = 0;
    this.#anyByte = false;
    this.#ordinal = end.exchangeStarted(PARENT_CLIENT, request.client.number, request.number);
    end.writeOwned(bytes.of(request, end, this.#ordinal));
  }

  /** Gives up on the exchange; its answer could still come, so the connection must go. */
  abandon(failure: ExchangeFailure, cause: CloseCause): void {
    this.#fail(failure, false);
    this.closing = true;
    // What the peer does not take must not hold up the close.
    if (this.end.unsent > 0) this.end.reset(cause);
    else this.end.close(cause);
  }

  close(cause: CloseCause): void {
    this.closing = true;
    this.end.close(cause);
  }

  /** The connect took too long. */
  expired(): void {
    this.end.close('connect_timeout');
  }

  // The socket

  onConnect(): void {
    this.clear();
    this.wasUp = true;
    this.#owner.connected(this);
  }

  onData(_end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (this.closing) return;
    if (this.#attempt === null) {
      this.close('protocol_error');
      return;
    }
    this.#anyByte = true;
    let at = 0;
    while (at < length && !this.#inBody) {
      at = this.#readHead(this.#attempt, buffer, at, length);
      if (this.closing) return;
    }
    if (!this.#inBody) return;
    at = this.#framer.feed(buffer, at, length);
    if (this.#framer.failure !== null) this.#broken();
    else if (this.#framer.done) this.#complete(at < length);
  }

  onEnd(): void {
    if (this.#inBody && this.#framer.kind === 'until-close') this.#complete(false);
    this.#fail('reset', true);
    this.close('peer_fin');
  }

  onDrain(): void {}

  onClose(_end: ConnectionEnd, cause: CloseCause): void {
    this.clear();
    this.closing = true;
    const peers = cause === 'peer_fin' || cause === 'peer_rst';
    this.#fail(cause === 'shutdown' ? 'shutdown' : 'reset', peers);
    this.#owner.lost(this, cause);
  }

  #readHead(attempt: Attempt, buffer: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const at = parser.feed(buffer, from, to);
    if (parser.failed) {
      this.#broken();
      return to;
    }
    if (!parser.done) return to;
    const { head } = parser;
    if (head.status < 200) {
      this.#interims += 1;
      if (head.status === SWITCHING_PROTOCOLS || this.#interims > INTERIM_MAX) this.#broken();
      else parser.reset();
      return at;
    }
    // Values of a head can be read only now: the buffer is everybody's.
    attempt.status = head.status;
    if (head.status === 429 || head.status >= 500) attempt.retryAfter = retryAfter(head, Date.now);
    this.#inBody = true;
    this.#framer.begin(head.bodyKind(attempt.request.method), head.contentLength);
    return at;
  }

  /** The response is whole. `surplus`: more bytes came with it than belong to it. */
  #complete(surplus: boolean): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { end } = this;
    this.#attempt = null;
    this.#inBody = false;
    end.exchangeEnded(this.#ordinal, attempt.status, 'none');
    const untilClose = this.#framer.kind === 'until-close';
    const reusable = !surplus && !untilClose && !end.ended && this.#parser.head.persistent;
    // The server said that it closes, so the decision is its own.
    if (!reusable) this.close(surplus ? 'protocol_error' : 'peer_fin');
    this.#owner.answered(this, attempt, reusable);
  }

  #broken(): void {
    this.close('protocol_error');
    this.#fail('protocol_error', false);
  }

  #fail(failure: ExchangeFailure, byPeer: boolean): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    this.#inBody = false;
    this.closing = true;
    this.end.exchangeEnded(this.#ordinal, 0, failure);
    const stale = byPeer && failure === 'reset' && this.#ordinal > 1 && !this.#anyByte;
    this.#owner.failed(this, attempt, failure, stale);
  }
}
