/**
 * One connection of the app on our own framing: reads a request, waits for its answer, reads
 * the next.
 *
 *   idle ──head, body──► serving ──answer──► idle ... ──last──► lingering ──► closed
 *
 * What comes behind a request that is being served waits in a bounded buffer. After the last
 * response our FIN is sent and the rest is dropped until the client's, as in relay-http.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { PARENT_NONE, PARENT_REMOTE } from '../../model/event.ts';
import { BodyFramer } from '../http/body-framer.ts';
import type { MessageFailure } from '../http/failure.ts';
import { HeadParser } from '../http/head-parser.ts';
import type { MessageHead } from '../http/message-head.ts';
import { originForm } from '../http/request-line.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline, type Deadlines } from '../relay-http/deadlines.ts';
import { answerText, CONTINUE, failureText } from './builtin-answer.ts';
import { BODY_BYTES_MAX, type Body, type Call } from './call.ts';

/** Bytes of further requests kept while one is being served; one read may go beyond. */
const PIPELINED_BYTES_MAX = 64 * 1_024;

export interface ConnectionOwner {
  readonly stopping: boolean;
  readonly tracedDownstream: boolean;
  /** From the last answer to the next request's first byte. */
  readonly idleDeadlines: Deadlines;
  /** From a request's first byte to its last. */
  readonly requestDeadlines: Deadlines;
  readonly lingerDeadlines: Deadlines;
  serve(call: Call): void;
  now(): number;
  answered(end: ConnectionEnd, status: number, startedAt: number): void;
  broken(end: ConnectionEnd): void;
}

type Phase = 'idle' | 'head' | 'body' | 'serving' | 'lingering';

export class BuiltinConnection extends Deadline implements EndHandlers {
  readonly end: ConnectionEnd;
  readonly #owner: ConnectionOwner;
  readonly #parser = new HeadParser('request');
  readonly #framer = new BodyFramer();
  #phase: Phase = 'idle';
  #call: BuiltinCall | null = null;
  #body: Buffer[] = [];
  #bodyBytes = 0;
  #backlog: Buffer | null = null;
  #taking = false;

  constructor(owner: ConnectionOwner, end: ConnectionEnd) {
    super();
    this.#owner = owner;
    this.end = end;
    end.handlers = this;
    owner.requestDeadlines.set(this);
    end.resume();
  }

  expired(): void {
    if (this.#phase === 'idle') {
      const isNew = this.end.exchanges === 0;
      this.end.close(isNew ? 'request_timeout' : 'idle_timeout');
    } else if (this.#phase === 'lingering') this.end.close('unknown');
    else this.#refuse({ status: 408, reason: 'the request took too long' }, 'request_timeout');
  }

  // EndHandlers

  onData(_end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (this.#phase !== 'lingering') this.#take(buffer, 0, length);
  }

  onEnd(end: ConnectionEnd): void {
    if (this.#phase === 'serving') return;
    end.close('peer_fin');
  }

  onDrain(): void {
    if (this.#phase !== 'serving') this.end.resume();
  }

  onClose(): void {
    this.clear();
    this.#backlog = null;
    const call = this.#call;
    this.#call = null;
    if (call === null) return;
    this.end.exchangeEnded(call.ordinal, 0, this.#owner.stopping ? 'shutdown' : 'aborted');
    this.#owner.broken(this.end);
  }

  // For BuiltinCall

  answer(call: BuiltinCall, status: number, json: string, last: boolean): void {
    if (this.#call !== call || this.end.closed) return;
    this.#call = null;
    const cause = this.#reasonToClose(call, last);
    const closes = cause !== null;
    const took = this.end.writeOwned(answerText(status, json, closes, call.method === 'HEAD'));
    this.end.exchangeEnded(call.ordinal, status, 'none');
    this.#owner.answered(this.end, status, call.startedAt);
    if (cause !== null) this.#finish(cause);
    else {
      this.#phase = 'idle';
      this.#owner.idleDeadlines.set(this);
      if (!took) this.end.pause();
      if (!this.#taking) this.#pump();
    }
  }

  takeBody(): Body {
    const [first, ...rest] = this.#body;
    const isOver = this.#bodyBytes > BODY_BYTES_MAX;
    this.#body = [];
    if (isOver) return { kind: 'too-large' };
    if (first === undefined) return { kind: 'body', bytes: Buffer.alloc(0) };
    return { kind: 'body', bytes: rest.length === 0 ? first : Buffer.concat([first, ...rest]) };
  }

  #reasonToClose(call: BuiltinCall, last: boolean): CloseCause | null {
    if (last) return 'protocol_error';
    if (this.#owner.stopping) return 'shutdown';
    if (!call.persistent) return 'max_requests';
    return this.end.ended && this.#backlog === null ? 'peer_fin' : null;
  }

  /** Goes on with what came while a request was served. */
  #pump(): void {
    while (this.#call === null && this.#backlog !== null && !this.end.closed) {
      const bytes = this.#backlog;
      this.#backlog = null;
      this.#take(bytes, 0, bytes.length);
    }
    if (this.#call !== null || this.end.closed) return;
    if (this.end.ended) this.end.close('peer_fin');
    else this.end.resume();
  }

  #take(bytes: Buffer, from: number, to: number): void {
    this.#taking = true;
    let at = from;
    while (at < to && this.#phase !== 'lingering' && !this.end.closed) {
      if (this.#phase === 'serving') {
        this.#keep(bytes.subarray(at, to));
        break;
      }
      at = this.#phase === 'body' ? this.#readBody(bytes, at, to) : this.#readHead(bytes, at, to);
    }
    this.#taking = false;
  }

  #keep(bytes: Buffer): void {
    this.#backlog = Buffer.concat(this.#backlog === null ? [bytes] : [this.#backlog, bytes]);
    if (this.#backlog.length >= PIPELINED_BYTES_MAX) this.end.pause();
  }

  #readHead(bytes: Buffer, from: number, to: number): number {
    const parser = this.#parser;
    const at = parser.feed(bytes, from, to);
    if (parser.failure !== null) this.#refuse(parser.failure, 'protocol_error');
    else if (parser.done) this.#begin(at === to);
    else if (this.#phase === 'idle') {
      this.#phase = 'head';
      this.#owner.requestDeadlines.set(this);
    }
    return at;
  }

  #begin(isLast: boolean): void {
    const { head } = this.#parser;
    this.clear();
    // The head lies in everybody's buffer: what is needed of it later is taken now.
    this.#call = new BuiltinCall(this, head, this.#book(), this.#owner.now());
    this.#framer.begin(head.bodyKind(''), head.contentLength);
    this.#bodyBytes = 0;
    if (this.#framer.done) {
      this.#serve(this.#call);
      return;
    }
    if (head.expectsContinue && isLast) this.end.writeOwned(CONTINUE);
    this.#phase = 'body';
    this.#owner.requestDeadlines.set(this);
  }

  /** Books the exchange; behind a foreign hop the request says whose it is. */
  #book(): number {
    const { head } = this.#parser;
    if (this.#owner.tracedDownstream) {
      const origin = head.traceOrigin();
      if (origin !== null) {
        const { process, end, exchange } = origin;
        return this.end.exchangeStarted(PARENT_REMOTE + process, end, exchange);
      }
    }
    return this.end.exchangeStarted(PARENT_NONE, 0, 0);
  }

  #readBody(bytes: Buffer, from: number, to: number): number {
    const end = this.#framer.feedPayload(bytes, from, to, (start, stop) => {
      this.#bodyBytes += stop - start;
      if (this.#bodyBytes > BODY_BYTES_MAX) this.#body = [];
      else this.#body.push(Buffer.from(bytes.subarray(start, stop)));
    });
    const call = this.#call;
    if (this.#framer.failure !== null) this.#refuse(this.#framer.failure, 'protocol_error');
    else if (call !== null && (this.#framer.done || this.#bodyBytes > BODY_BYTES_MAX)) {
      this.clear();
      this.#serve(call);
    }
    return end;
  }

  #serve(call: BuiltinCall): void {
    this.#phase = 'serving';
    this.#parser.reset();
    this.#owner.serve(call);
  }

  /** Answers what is no request, or came too slowly, and closes. */
  #refuse({ status, reason }: Refusal, cause: CloseCause): void {
    const call = this.#call;
    this.#call = null;
    const ordinal = call?.ordinal ?? this.end.exchangeStarted(PARENT_NONE, 0, 0);
    this.end.writeOwned(failureText(status, reason));
    this.end.exchangeEnded(ordinal, status, 'none');
    this.#owner.answered(this.end, status, call?.startedAt ?? this.#owner.now());
    this.#finish(cause);
  }

  #finish(cause: CloseCause): void {
    this.#backlog = null;
    this.#phase = 'lingering';
    this.end.blame(cause);
    if (this.end.ended) this.end.close(cause);
    else {
      this.end.finish();
      this.end.resume();
      this.#owner.lingerDeadlines.set(this);
    }
  }
}

interface Refusal {
  readonly status: MessageFailure['status'] | 408;
  readonly reason: string;
}

class BuiltinCall implements Call {
  readonly ordinal: number;
  readonly startedAt: number;
  readonly method: string;
  readonly target: string;
  readonly persistent: boolean;
  readonly #connection: BuiltinConnection;

  constructor(
    connection: BuiltinConnection,
    head: MessageHead,
    ordinal: number,
    startedAt: number,
  ) {
    this.#connection = connection;
    this.method = head.method;
    this.target = originForm(head.method, head.target());
    this.persistent = head.persistent;
    this.ordinal = ordinal;
    this.startedAt = startedAt;
  }

  get end(): ConnectionEnd {
    return this.#connection.end;
  }

  get purpose(): Call['purpose'] {
    return this.end.link.purpose;
  }

  readBody(then: (body: Body) => void): void {
    then(this.#connection.takeBody());
  }

  answer(status: number, json: string, last = false): void {
    this.#connection.answer(this, status, json, last);
  }
}
