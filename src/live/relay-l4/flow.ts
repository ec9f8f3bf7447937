/**
 * A flow through an L4 relay: a downstream end, later an upstream end, and bytes copied between
 * them with back-pressure and half-close.
 *
 *   client ═══ downstream ──copy──► upstream ═══ server
 *                         ◄──copy──
 *
 * - Bytes from the client wait in a bounded buffer while there is no upstream connection, or
 *   while a gate (a connection queue) keeps them back; when it is full, reading pauses.
 * - A side that cannot take more pauses the other (`write` false → `pause`; `onDrain` → `resume`).
 * - A FIN is passed on after all bytes before it; the other direction stays open (RFC 9293
 *   section 3.6), whichever side ended first: what a server that has sent FIN still wants to
 *   read is for the server to say. An RST is passed on as RST.
 * - A forgotten flow (the owner's choice) ends silently: neither side hears of the other any
 *   more, and each is reset when it next sends something.
 *
 * The relay names no cause for what it merely passes on (`peer_fin`, `peer_rst`): the ledger
 * looks through the pair for who decided.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from '../io/connection-end.ts';

/** Bytes from the client kept while they may not go on. */
export const HELD_BYTES_MAX = 64 * 1_024;

/** What the owner (balancer, queue) of a flow hears. */
export interface FlowOwner {
  readonly ends: EndRegistry;
  readonly outgoing: Link;
  /**
   * Bytes came from the client and are about to be passed on or kept; the owner may reset instead.
   */
  bytesUp(flow: Flow): void;
  /** Bytes are about to move toward the client. */
  bytesDown(flow: Flow): void;
  /** A FIN or RST came from either side and is about to be passed on. */
  ending(flow: Flow): void;
  /** The client sent FIN while its bytes are kept back. */
  leftWhileGated(flow: Flow): void;
  /** The downstream socket is gone; the flow is over. */
  gone(flow: Flow): void;
}

export class Flow {
  readonly id: number;
  readonly downstream: ConnectionEnd;
  upstream: ConnectionEnd | null = null;
  /** When bytes last moved (µs), for owners that need it. */
  lastMoved = 0;
  /** While true, bytes from the client are kept back. */
  gated = true;
  readonly #owner: FlowOwner;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #upstreamReady = false;
  #forgotten: CloseCause | null = null;

  constructor(id: number, downstream: ConnectionEnd, owner: FlowOwner) {
    this.id = id;
    this.downstream = downstream;
    this.#owner = owner;
  }

  get hasKeptBytes(): boolean {
    return this.#keptBytes > 0;
  }

  /** Opens the upstream connection and pairs it; bytes flow once it is up and the gate is open. */
  open(target: Endpoint): void {
    const upstream = this.#owner.ends.connect(this.#owner.outgoing, target, this.#upstreamHandlers);
    this.upstream = upstream;
    this.downstream.pairedWith(upstream);
  }

  /** Lets bytes from the client through, first those that were kept. */
  openGate(): void {
    this.gated = false;
    this.#forwardKept();
  }

  closeGate(): void {
    this.gated = true;
  }

  /**
   * From now on nothing is passed on, and nobody is told; who sends something is reset with this
   * cause. For owners, from `bytesUp`, `bytesDown` and `ending`.
   */
  forget(cause: CloseCause): void {
    this.#forgotten = cause;
    this.#dropKept();
    this.downstream.resume();
    this.upstream?.resume();
  }

  /** Ends both sides for a reason of the relay's own. */
  close(cause: CloseCause): void {
    this.upstream?.close(cause);
    this.downstream.close(cause);
  }

  reset(cause: CloseCause): void {
    this.upstream?.reset(cause);
    this.downstream.reset(cause);
  }

  /** Handlers of the downstream end; give them to the listener's end. */
  readonly downstreamHandlers: EndHandlers = {
    onData: (end, buffer, length) => {
      this.#owner.bytesUp(this);
      if (this.#forgotten !== null) end.reset(this.#forgotten);
      else if (!end.closed) this.#fromClient(buffer, length);
    },
    onEnd: (end) => {
      this.#owner.ending(this);
      if (this.#forgotten !== null) end.reset('peer_fin');
      else this.#clientEnded();
    },
    onDrain: () => this.upstream?.resume(),
    onClose: (_end, cause) => {
      this.#dropKept();
      if (cause === 'peer_rst') this.#owner.ending(this);
      if (this.upstream !== null && !this.upstream.closed) this.#endOther(this.upstream, cause);
      this.#owner.gone(this);
    },
  };

  readonly #upstreamHandlers: EndHandlers = {
    onConnect: () => {
      this.#upstreamReady = true;
      this.#forwardKept();
    },
    onData: (end, buffer, length) => {
      // A flow that is over for its owner is not told: its number may be another flow's by now.
      if (!this.downstream.closed) this.#owner.bytesDown(this);
      if (this.#forgotten !== null) end.reset(this.#forgotten);
      else if (this.downstream.closed) return;
      else if (!this.downstream.write(buffer, 0, length)) end.pause();
    },
    onEnd: (end) => {
      if (!this.downstream.closed) this.#owner.ending(this);
      if (this.#forgotten !== null) end.reset('peer_fin');
      else this.downstream.finish();
    },
    onDrain: () => this.downstream.resume(),
    onClose: (_end, cause) => {
      this.#dropKept();
      if (cause === 'peer_rst' && !this.downstream.closed) this.#owner.ending(this);
      if (!this.downstream.closed) this.#endOther(this.downstream, cause);
    },
  };

  #fromClient(buffer: Buffer, length: number): void {
    const { upstream } = this;
    if (!this.gated && this.#upstreamReady && upstream !== null) {
      if (!upstream.write(buffer, 0, length)) this.downstream.pause();
      return;
    }
    this.#kept.push(Buffer.from(buffer.subarray(0, length)));
    this.#keptBytes += length;
    if (this.#keptBytes >= HELD_BYTES_MAX) this.downstream.pause();
  }

  #forwardKept(): void {
    const upstream = this.upstream;
    if (this.gated || !this.#upstreamReady || upstream === null) return;
    let room = true;
    for (const chunk of this.#kept) room = upstream.writeOwned(chunk) && room;
    this.#kept = [];
    this.#keptBytes = 0;
    if (this.downstream.ended) upstream.finish();
    if (room) this.downstream.resume();
  }

  #clientEnded(): void {
    if (this.gated) {
      this.#owner.leftWhileGated(this);
      return;
    }
    if (this.upstream !== null && this.#upstreamReady) this.upstream.finish();
  }

  #dropKept(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }

  /** One side is gone: pass that on as it came. */
  #endOther(other: ConnectionEnd, cause: CloseCause): void {
    if (this.#forgotten !== null && cause !== 'shutdown') return;
    if (cause === 'peer_fin') {
      // Both FINs were exchanged there; here ours may still be missing.
      other.finish();
      if (other.ended) other.close('peer_fin');
      else other.resume();
      return;
    }
    if (cause === 'shutdown') other.close('shutdown');
    else if (cause === 'peer_rst' || cause === 'connect_timeout') other.reset('peer_rst');
    else other.close(cause);
  }
}

/** Small reusable numbers for flows, so that policies can index typed arrays with them. */
export class FlowNumbers {
  readonly flows: (Flow | null)[] = [];
  readonly #free: number[] = [];

  add(make: (id: number) => Flow): Flow {
    const id = this.#free.pop() ?? this.flows.length;
    const flow = make(id);
    this.flows[id] = flow;
    return flow;
  }

  get(id: number): Flow {
    const flow = this.flows[id];
    if (flow === null || flow === undefined) throw new Error(`no flow ${id}`);
    return flow;
  }

  remove(flow: Flow): void {
    this.flows[flow.id] = null;
    this.#free.push(flow.id);
  }
}
