/**
 * One connection of a client: sends a request, reads its response, one at a time.
 *
 *   connecting ──► idle ──send──► busy ──response──► idle (or closed, if it cannot be reused)
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { type ExchangeFailure, PARENT_CLIENT } from '../../model/event.ts';
import { BodyFramer } from '../http/body-framer.ts';
import { HeadParser } from '../http/head-parser.ts';
import type { MessageHead } from '../http/message-head.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline } from '../relay-http/deadlines.ts';
import type { Attempt } from './attempt.ts';

/** Interim (1xx) responses in front of one response; more are a fault. */
const INTERIM_MAX = 16;

/** What a client hears of its connections. `lost` comes once, and last. */
export interface ConnectionOwner {
  connected(connection: LoadConnection): void;
  answered(
    connection: LoadConnection,
    attempt: Attempt,
    head: MessageHead,
    reusable: boolean,
  ): void;
  /** The exchange got no whole answer; the connection is lost too. */
  failed(connection: LoadConnection, attempt: Attempt, failure: ExchangeFailure): void;
  lost(connection: LoadConnection, cause: CloseCause): void;
}

export class LoadConnection extends Deadline implements EndHandlers {
  /** Its number at the pool's policy. */
  readonly number: number;
  wasUp = false;
  /** Requests sent on it so far. */
  used = 0;
  /** A byte of the present response has come. */
  anyByte = false;
  readonly #owner: ConnectionOwner;
  readonly #parser = new HeadParser('response');
  readonly #framer = new BodyFramer();
  #end: ConnectionEnd | null = null;
  #attempt: Attempt | null = null;
  #ordinal = 0;
  #inBody = false;
  #interims = 0;
  #lost = false;

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

  /** Sends a request; `bytes` gets the exchange's ordinal, for a traceparent header. */
  send(attempt: Attempt, bytes: (end: ConnectionEnd, ordinal: number) => Buffer | string): void {
    const { end } = this;
    this.#attempt = attempt;
    this.#parser.reset();
    this.#inBody = false;
    this.#interims = 0;
    this.anyByte = false;
    this.used += 1;
    this.#ordinal = end.exchangeStarted(
      PARENT_CLIENT,
      attempt.request.client.number,
      attempt.request.number,
    );
    end.writeOwned(bytes(end, this.#ordinal));
  }

  /** Gives up on the exchange: the connection cannot carry another. */
  abandon(failure: ExchangeFailure, cause: CloseCause): void {
    this.#fail(failure);
    this.#lose(cause);
    this.end.close(cause);
  }

  close(cause: CloseCause): void {
    this.#lose(cause);
    this.end.close(cause);
  }

  /** The connect took too long. */
  expired(): void {
    this.end.close('connect_timeout');
  }

  onConnect(): void {
    this.clear();
    this.wasUp = true;
    this.#owner.connected(this);
  }

  onData(_end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (this.#attempt === null) {
      this.close('protocol_error');
      return;
    }
    this.anyByte = true;
    let at = 0;
    while (at < length && this.#attempt !== null) {
      at = this.#inBody ? this.#body(buffer, at, length) : this.#head(buffer, at, length);
    }
    // More than was asked for: whatever it is, it must not be taken for the next response.
    if (at < length && !this.#lost) this.close('protocol_error');
  }

  onEnd(end: ConnectionEnd): void {
    if (this.#attempt !== null && this.#inBody && this.#framer.kind === 'until-close') {
      this.#complete();
    }
    this.#fail('reset');
    this.#lose('peer_fin');
    end.close('peer_fin');
  }

  onDrain(): void {}

  onClose(_end: ConnectionEnd, cause: CloseCause): void {
    this.clear();
    this.#fail('reset');
    this.#lose(cause);
  }

  #head(buffer: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const at = parser.feed(buffer, from, to);
    if (parser.failed) return this.#broken(to);
    if (!parser.done) return to;
    const { head } = parser;
    if (head.status < 200) {
      this.#interims += 1;
      if (head.status === 101 || this.#interims > INTERIM_MAX) return this.#broken(to);
      parser.reset();
      return at;
    }
    this.#inBody = true;
    const method = this.#attempt?.request.method ?? 'GET';
    this.#framer.begin(head.bodyKind(method), head.contentLength);
    return this.#body(buffer, at, to);
  }

  #body(buffer: Buffer, from: number, to: number): number {
    const at = this.#framer.feed(buffer, from, to);
    if (this.#framer.failure !== null) return this.#broken(to);
    if (this.#framer.done) this.#complete();
    return at;
  }

  #complete(): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    const { head } = this.#parser;
    this.#attempt = null;
    const { end } = this;
    end.exchangeEnded(this.#ordinal, head.status, 'none');
    const reusable = head.persistent && this.#framer.kind !== 'until-close' && !end.ended;
    this.#owner.answered(this, attempt, head, reusable);
    // The server said that it closes, so the decision is its own.
    if (!reusable) this.close('peer_fin');
  }

  #broken(to: number): number {
    this.#fail('protocol_error');
    this.close('protocol_error');
    return to;
  }

  #fail(failure: ExchangeFailure): void {
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    this.end.exchangeEnded(this.#ordinal, 0, failure);
    this.#owner.failed(this, attempt, failure);
  }

  #lose(cause: CloseCause): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#owner.lost(this, cause);
  }
}
