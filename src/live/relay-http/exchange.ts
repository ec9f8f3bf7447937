/**
 * Exchange: one request on its way through a relay and the response on its way back.
 *
 *   head read ─route─► waiting ──granted──► sent ──response head──► answering ──► over
 *       │                 │ no connection     │ reset, timeout         │ reset, timeout
 *       └─► local answer ◄┴──── 502 503 504 ◄─┤                        └─► cut: reset downstream
 *                                             │ └─► tunnel ──► over
 *                                             └─► waiting again, where the rules allow
 *
 * The request's first bytes are kept until the response begins, so that it can be sent again;
 * once more of its body has gone by, it cannot (nothing larger than one read is kept).
 */
import { type ExchangeFailure, PARENT_SAME_HOP } from '../../model/event.ts';
import { failures, type MessageFailure } from '../http/failure.ts';
import type { BodyKind, MessageHead } from '../http/message-head.ts';
import { isIdempotent } from '../http/request-line.ts';
import { leavesAsItCame, PLAIN_REWRITE, type Rewrite, rewriteHead } from '../http/rewrite.ts';
import { writeTraceparent } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import type { ClientConnection } from './client-connection.ts';
import { Deadline } from './deadlines.ts';
import type { LocalAnswer, LocalStatus } from './local-answer.ts';
import type { Relay } from './relay.ts';
import type { ServerConnection } from './server-connection.ts';
import { beginsTunnel, Tunnel, type TunnelOffer } from './tunnel.ts';
import type { NotGranted, UpstreamPool, Waiter } from './upstream-pool.ts';

const UPGRADE_REWRITE: Rewrite = {
  ...PLAIN_REWRITE,
  added: 'Connection: upgrade\r\n',
  withUpgrade: true,
};
/** RFC 9110 section 9.3.6: lengths in a 2xx to CONNECT mean nothing and must be ignored. */
const CONNECT_REWRITE: Rewrite = { ...PLAIN_REWRITE, withoutFraming: true };

/** What the downstream side knows of a request when its head was read. */
export interface RequestStart {
  readonly ordinal: number;
  readonly method: string;
  readonly minor: number;
  readonly persistent: boolean;
  /** The connection is to become a tunnel. */
  readonly offer: TunnelOffer;
  /** Rewritten head and the body bytes that came with it. */
  readonly bytes: Buffer;
  /** Where in `bytes` the traceparent value goes; -1 = none is sent. */
  readonly traceAt: number;
  /** The whole request is in `bytes`. */
  readonly whole: boolean;
}

export class Exchange extends Deadline implements Waiter {
  readonly server: ServerConnection;
  readonly ordinal: number;
  readonly method: string;
  readonly minor: number;
  readonly persistent: boolean;
  readonly offer: TunnelOffer;
  readonly startedAt: number;
  /** The whole request was read. */
  requestDone: boolean;
  /** Chunked bodies leave without their framing, for an HTTP/1.0 client. */
  dechunks = false;
  /** Called once when the exchange is over: a balancer counts what is outstanding. */
  whenOver: (() => void) | null = null;
  waiterNumber = -1;
  readonly #relay: Relay;
  readonly #traceAt: number;
  #request: Buffer;
  #replayable: boolean;
  #pool: UpstreamPool | null = null;
  #client: ClientConnection | null = null;
  #connectionAttempts = 0;
  #responseAttempts = 1;
  #staleRetried = false;
  #status = 0;
  #over = false;

  constructor(relay: Relay, server: ServerConnection, start: RequestStart) {
    super();
    this.#relay = relay;
    this.server = server;
    this.ordinal = start.ordinal;
    this.method = start.method;
    this.minor = start.minor;
    this.persistent = start.persistent;
    this.offer = start.offer;
    this.startedAt = relay.ctx.clock.now();
    this.requestDone = start.whole;
    this.#request = start.bytes;
    this.#replayable = start.whole;
    this.#traceAt = start.traceAt;
  }

  // What a hop decides

  /** Sends the request to a connection of `pool`. */
  forward(pool: UpstreamPool): void {
    this.#pool = pool;
    this.#relay.responseDeadlines.set(this);
    this.#acquire();
  }

  /** Answers without asking anybody. */
  answer(answer: LocalAnswer): void {
    if (this.#over) return;
    this.#status = answer.status;
    this.server.sendLocal(this, answer);
    this.#end('none');
  }

  // What the pool says

  granted(client: ClientConnection): void {
    this.#client = client;
    this.#progress();
    this.server.blockBody(false);
    client.start(this);
  }

  notGranted(reason: NotGranted): void {
    if (reason !== 'full' && this.#connectionAttempts < this.#relay.rules.connectionAttempts) {
      this.#acquire();
      return;
    }
    if (reason === 'full') this.#refuse(503, 'no upstream connection is free');
    else if (reason === 'timeout') this.#refuse(504, 'connecting to the upstream timed out');
    else this.#refuse(502, 'the upstream refused the connection');
  }

  // What the upstream connection says

  /** Books the exchange on the upstream end and sends what there is of the request. */
  sendOn(end: ConnectionEnd): number {
    const ordinal = end.exchangeStarted(PARENT_SAME_HOP, this.server.end.number, this.ordinal);
    if (this.#traceAt >= 0) {
      const { process } = this.#relay.ctx;
      writeTraceparent(this.#request, this.#traceAt, {
        process,
        end: end.number,
        exchange: ordinal,
      });
    }
    if (!end.writeOwned(this.#request)) this.server.blockBody(!this.requestDone);
    return ordinal;
  }

  /** Whether a response with this status makes a tunnel of the connections. */
  beginsTunnel(status: number): boolean {
    return this.requestDone && beginsTunnel(this.offer, status);
  }

  /** Passes the head on; then both connections belong to the tunnel. */
  tunnel(client: ClientConnection, head: MessageHead, bytes: Buffer, from: number, to: number) {
    const { server } = this;
    const rewrite = this.offer === 'upgrade' ? UPGRADE_REWRITE : CONNECT_REWRITE;
    this.clear();
    this.#status = head.status;
    this.#client = null;
    server.end.writeOwned(rewriteHead(head, rewrite, bytes, from, to));
    new Tunnel(server, client, this.#relay.tunnelDeadlines).begin(server.takeBacklog());
  }

  /** The tunnel is over. */
  tunnelOver(failure: ExchangeFailure): void {
    this.#over = true;
    this.whenOver?.();
    this.server.tunnelBooked(this, this.#status, failure);
  }

  /** An interim response (1xx); HTTP/1.0 knows none (RFC 9110 section 15.2). */
  interim(head: MessageHead): void {
    this.#progress();
    this.server.continued();
    if (this.minor === 0) return;
    this.server.end.writeOwned(rewriteHead(head, PLAIN_REWRITE, head.bytes, 0, 0));
  }

  /** The response's head, and the first bytes of its body. */
  responded(head: MessageHead, kind: BodyKind, bytes: Buffer, from: number, to: number): void {
    this.#progress();
    this.#status = head.status;
    this.dechunks = kind === 'chunked' && this.minor === 0;
    const delimited = kind !== 'until-close' && !this.dechunks;
    const added = this.server.connectionLine(this, delimited);
    if (added === '' && leavesAsItCame(head, bytes, from)) {
      this.#pass(bytes, head.base + head.lineFrom, to);
      return;
    }
    const rewrite =
      added === '' ? PLAIN_REWRITE : { ...PLAIN_REWRITE, added, withoutFraming: this.dechunks };
    this.#write(rewriteHead(head, rewrite, bytes, from, to));
  }

  /** More bytes of the body. */
  responseBody(bytes: Buffer, from: number, to: number): void {
    this.#progress();
    if (to > from) this.#pass(bytes, from, to);
  }

  responseDone(): void {
    this.#client = null;
    this.#end('none');
  }

  /** The upstream connection failed; it is gone. `stale`: it was reused and sent no byte. */
  upstreamFailed(failure: ExchangeFailure, stale: boolean): void {
    this.#client = null;
    if (this.#over) return;
    if (this.#status > 0) {
      this.#cut(failure);
      return;
    }
    const { retriesStale } = this.#relay.rules;
    if (stale && retriesStale && !this.#staleRetried && this.#mayReplay()) {
      this.#staleRetried = true;
      this.#connectionAttempts = 0;
      this.#acquire();
      return;
    }
    this.#refuse(502, `the upstream connection failed (${failure})`);
  }

  /** The upstream can take more of the request's body. */
  upstreamDrained(): void {
    this.server.blockBody(false);
  }

  // What the downstream connection says

  /** More of the request's body; `done` = its last bytes. */
  requestBody(bytes: Buffer, from: number, to: number, done: boolean): void {
    this.requestDone = done;
    const client = this.#client;
    if (client === null) return;
    this.#replayable = false;
    this.#progress();
    if (to > from && !client.end.write(bytes, from, to)) this.server.blockBody(!done);
  }

  downstreamDrained(): void {
    this.#client?.end.resume();
  }

  /** The client left: nobody waits for this any more. */
  clientGone(failure: ExchangeFailure): void {
    if (this.#over) return;
    const { stopping } = this.#relay;
    this.#abandon(stopping ? 'shutdown' : 'client_abort', stopping ? 'shutdown' : failure);
    this.#end(stopping ? 'shutdown' : failure);
  }

  /** The rest of the request is malformed, or does not come. */
  requestFailed({ status, reason }: MessageFailure): void {
    const late = status === failures.bodyTimeout.status;
    const failure = late ? 'timeout' : 'protocol_error';
    this.#abandon(late ? 'request_timeout' : 'protocol_error', failure);
    if (this.#status > 0) this.#cut(failure);
    else this.#refuse(status, reason);
  }

  /** The response timed out. */
  expired(): void {
    if (this.#over) return;
    if (this.server.awaitsBody && this.#relay.rules.timeoutCovers === 'silence') {
      // The client is who is silent, and that has a limit of its own.
      this.#relay.responseDeadlines.set(this);
      return;
    }
    this.#abandon('request_timeout', 'timeout');
    if (this.#status > 0) {
      this.#cut('timeout');
      return;
    }
    const safe = this.method === 'GET' || this.method === 'HEAD';
    const { responseAttempts } = this.#relay.rules;
    if (safe && this.#responseAttempts < responseAttempts && this.#mayReplay()) {
      this.#responseAttempts += 1;
      this.#relay.responseDeadlines.set(this);
      this.#connectionAttempts = 0;
      this.#acquire();
      return;
    }
    this.#refuse(504, 'the upstream did not answer in time');
  }

  #acquire(): void {
    if (this.#relay.stopping) {
      this.#end('shutdown');
      return;
    }
    this.#connectionAttempts += 1;
    this.server.blockBody(!this.requestDone);
    this.#pool?.acquire(this);
  }

  #mayReplay(): boolean {
    return this.#replayable && isIdempotent(this.method);
  }

  #progress(): void {
    const { rules, responseDeadlines } = this.#relay;
    if (rules.timeoutCovers === 'silence') responseDeadlines.set(this);
  }

  #write(owned: Buffer): void {
    if (!this.server.end.writeOwned(owned)) this.#client?.end.pause();
  }

  #pass(bytes: Buffer, from: number, to: number): void {
    if (!this.server.end.write(bytes, from, to)) this.#client?.end.pause();
  }

  #refuse(status: LocalStatus, reason: string): void {
    this.answer({ status, reason, retryAfter: null });
  }

  /** Lets go of the upstream side, wherever it stands. */
  #abandon(
    cause: 'request_timeout' | 'client_abort' | 'protocol_error' | 'shutdown',
    failure: ExchangeFailure,
  ): void {
    const client = this.#client;
    this.#client = null;
    if (client !== null) client.abandon(cause, failure);
    else this.#pool?.cancel(this);
  }

  /** The response broke off after its head was sent: the client must notice. */
  #cut(failure: ExchangeFailure): void {
    this.server.end.reset(failure === 'timeout' ? 'request_timeout' : 'local_rst');
    this.#end(failure);
  }

  #end(failure: ExchangeFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.clear();
    this.whenOver?.();
    this.server.exchangeOver(this, this.#status, failure);
  }
}
