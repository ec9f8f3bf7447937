/**
 * Tunnel: what becomes of two connections when the upstream accepts an upgrade (101, RFC 9110
 * section 7.8) or a CONNECT (2xx, section 9.3.6). From then on the relay frames nothing: bytes
 * are copied both ways until both sides have ended, and neither connection carries anything
 * else after it.
 *
 *   client ═══ downstream ──copy──► upstream ═══ server
 *                         ◄──copy──
 *
 * - The exchange stays in flight on both ends for the tunnel's life, so a tunnel is seen by
 *   every count of what is busy: pools, keep-alive limits, slots of a queue in front.
 * - A side that cannot take more pauses the other. A FIN goes on after the bytes before it, and
 *   the other direction stays open (RFC 9293 section 3.6); an RST goes on as RST.
 * - The side that a FIN is passed on to closes with `max_requests`: its exchange was the last
 *   that it could carry.
 * - Nothing moved for `tunnelIdleTimeout`: both sides close with `idle_timeout`.
 *
 * Why CONNECT at all: no hop of ours opens connections to where a client says. But each is
 * configured to use the next as its proxy, and then RFC 9110 has it forward the CONNECT; the
 * last server decides. Left out: nginx ends an upgraded connection at the first FIN of either
 * side; here the other side may finish what it has to say.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import type { ExchangeFailure } from '../../model/event.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline, type Deadlines } from './deadlines.ts';

/** How a request asks for a tunnel. */
export type TunnelOffer = 'none' | 'upgrade' | 'connect';

/** Whether a response with this status to a whole request begins the tunnel that it offered. */
export function beginsTunnel(offer: TunnelOffer, status: number): boolean {
  if (offer === 'upgrade') return status === 101;
  return offer === 'connect' && status >= 200 && status < 300;
}

/** What a tunnel needs of the connection that it takes over, and tells it. */
export interface TunnelSide {
  readonly end: ConnectionEnd;
  /** The exchange is over; comes once, before `tunnelClosed`. */
  tunnelOver(failure: ExchangeFailure): void;
  /** The socket is gone. */
  tunnelClosed(cause: CloseCause): void;
}

export class Tunnel extends Deadline {
  readonly #downstream: TunnelSide;
  readonly #upstream: TunnelSide;
  readonly #idle: Deadlines;
  #over = false;

  constructor(downstream: TunnelSide, upstream: TunnelSide, idle: Deadlines) {
    super();
    this.#downstream = downstream;
    this.#upstream = upstream;
    this.#idle = idle;
    downstream.end.handlers = this.#handlers(downstream, upstream);
    upstream.end.handlers = this.#handlers(upstream, downstream);
  }

  /** Sends what the client sent before it knew, and lets both sides read. */
  begin(early: Buffer | null): void {
    const [client, server] = [this.#downstream.end, this.#upstream.end];
    this.#idle.set(this);
    if (early === null || server.writeOwned(early)) client.resume();
    else client.pause();
    if (client.ended) passFin(server);
    if (client.unsent === 0) server.resume();
  }

  /** Nothing moved for too long. */
  expired(): void {
    this.#upstream.end.close('idle_timeout');
    this.#downstream.end.close('idle_timeout');
  }

  #handlers(own: TunnelSide, other: TunnelSide): EndHandlers {
    return {
      onData: (end, buffer, length) => {
        this.#idle.set(this);
        if (!other.end.write(buffer, 0, length)) end.pause();
      },
      onEnd: () => passFin(other.end),
      onDrain: () => {
        this.#idle.set(this);
        other.end.resume();
      },
      onClose: (_end, cause) => {
        this.#end(cause);
        endOther(other.end, cause);
        own.tunnelClosed(cause);
      },
    };
  }

  /** One side is gone: the exchange is over. */
  #end(cause: CloseCause): void {
    if (this.#over) return;
    this.#over = true;
    this.clear();
    const failure = failureOf(cause);
    this.#upstream.tunnelOver(failure);
    this.#downstream.tunnelOver(failure);
  }
}

function passFin(end: ConnectionEnd): void {
  if (!end.ended) end.blame('max_requests');
  end.finish();
}

function failureOf(cause: CloseCause): ExchangeFailure {
  if (cause === 'shutdown') return 'shutdown';
  return cause === 'peer_rst' || cause === 'local_rst' ? 'reset' : 'none';
}

function endOther(end: ConnectionEnd, cause: CloseCause): void {
  if (end.closed) return;
  if (cause === 'peer_rst' || cause === 'local_rst') end.reset('local_rst');
  else end.close(cause);
}
