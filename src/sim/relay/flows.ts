/**
 * Relays of bytes: each accepted connection is joined with one of the relay's own upstream, and
 * what comes on one goes out on the other. A FIN is passed on behind what came before it, an RST as
 * RST; the relay names no cause of its own for what it passes on.
 *
 *   client ══ downstream (accepted) ──► upstream (connected) ══ server
 *
 * While a connection is gated (a queue without a slot for it) or its upstream is not up, what
 * came from the client is kept. A socket that is not even read (`READING` unset) keeps data, FIN
 * and RST in the kernel: nobody here knows of them.
 *
 * A forgotten flow (a balancer's, after its idle timeout) ends silently: neither side hears of the
 * other any more, and each is reset when it next sends something (live/relay-l4/flow.ts).
 */
import { EventKind } from '../../model/event.ts';
import { ANSWER_BYTES, REQUEST_BYTES } from '../message-size.ts';
import type { Connections } from '../net/connections.ts';
import * as of from '../net/connections.ts';
import type { Network } from '../net/network.ts';
import type { Listener } from '../net/place.ts';
import type { SlotBook } from '../slot-book.ts';
import type { World } from '../world.ts';
import { CAUSES } from './server-connections.ts';

/** What balancer and queue add: one for each replica. */
export interface FlowHop {
  /** Follows what it holds; null where nobody does. */
  readonly book: SlotBook | null;
  /** A flow has begun: it has no upstream yet. */
  begun(downstream: number): void;
  /** Bytes came from the client. */
  bytesUp(downstream: number): void;
  /** Bytes are about to move toward the client. */
  bytesDown(downstream: number): void;
  /** The flow is forgotten, for good. */
  forgot(downstream: number): boolean;
  /** The client sent FIN while its bytes are kept back. */
  leftWhileGated(downstream: number): void;
  /** The downstream socket is gone. */
  gone(downstream: number): void;
}

export class Flows {
  readonly #world: World;
  readonly #network: Network;
  readonly #connections: Connections;
  /** Of either kind, by instance. */
  readonly #hops: FlowHop[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#network = world.network;
    this.#connections = world.connections;
  }

  serve(instance: number, hop: FlowHop): void {
    this.#hops[instance] = hop;
  }

  // Acceptor

  accepted(downstream: number): void {
    this.#connections.set(downstream, of.IN_FLOWS);
    this.#hopOf(downstream).begun(downstream);
  }

  asked(instance: number, downstream: number, exchange: number): void {
    const hop = this.#hops[instance] as FlowHop;
    hop.book?.asked(downstream, exchange);
    if (!this.#connections.has(downstream, of.READING)) {
      this.#connections.put(downstream, of.KEPT, exchange);
    } else this.#fromClient(hop, downstream, exchange);
  }

  connectorFinished(downstream: number): void {
    this.#hopOf(downstream).book?.over(downstream, true);
    if (!this.#connections.has(downstream, of.READING)) {
      this.#connections.set(downstream, of.FIN_WAITS);
    } else this.#clientFinished(downstream);
  }

  connectorReset(downstream: number): void {
    this.#hopOf(downstream).book?.over(downstream, true);
    if (!this.#connections.has(downstream, of.READING)) {
      this.#connections.set(downstream, of.RST_WAITS);
    } else this.#clientReset(downstream);
  }

  // Connector

  connected(upstream: number): void {
    this.#forwardKept(this.#connections.get(upstream, of.BELOW));
  }

  connectFailed(upstream: number): void {
    this.#resetClient(this.#connections.get(upstream, of.BELOW), CAUSES.peerRst);
  }

  /** A database behind it speaks first: those are bytes like any others. */
  greeted(upstream: number): void {
    const downstream = this.#connections.get(upstream, of.BELOW);
    const hop = this.#hopOf(downstream);
    if (!this.#mayAnswer(hop, upstream, downstream)) return;
    hop.bytesDown(downstream);
    this.#network.greet(downstream);
  }

  answered(upstream: number, exchange: number, closes: boolean): void {
    const connections = this.#connections;
    const downstream = connections.get(upstream, of.BELOW);
    const hop = this.#hopOf(downstream);
    hop.book?.over(downstream, false);
    if (!this.#mayAnswer(hop, upstream, downstream)) return;
    hop.bytesDown(downstream);
    if (closes) connections.put(downstream, of.KEPT, 0);
    this.#network.answer(downstream, exchange, ANSWER_BYTES, closes);
    if (closes) this.#closeIfOver(upstream, downstream);
  }

  acceptorFinished(upstream: number): void {
    const connections = this.#connections;
    const downstream = connections.get(upstream, of.BELOW);
    if (this.#hopOf(downstream).forgot(downstream)) {
      this.#network.resetConnector(upstream, CAUSES.peerFin);
      return;
    }
    connections.put(downstream, of.KEPT, 0);
    // Whatever the client still says is read now, and its FIN with it.
    this.startReading(downstream);
    if (!connections.has(downstream, of.ACCEPTOR_OPEN)) return;
    this.#network.finishAcceptor(downstream);
    this.#closeIfOver(upstream, downstream);
  }

  acceptorReset(upstream: number): void {
    const downstream = this.#connections.get(upstream, of.BELOW);
    this.#network.closeConnector(upstream, CAUSES.peerRst);
    if (!this.#connections.has(downstream, of.ACCEPTOR_OPEN)) return;
    if (this.#hopOf(downstream).forgot(downstream)) return;
    this.#resetClient(downstream, CAUSES.peerRst);
  }

  // For balancer and queue

  /** Opens the upstream connection of a flow. */
  open(downstream: number, target: Listener): void {
    const { recorder, engine, places } = this.#world;
    const connections = this.#connections;
    const { instance } = this.#network.listenerOf(downstream);
    const place = places[instance];
    if (place === undefined) throw new Error(`no instance ${instance}`);
    const upstream = connections.take();
    this.#network.connect(upstream, of.FLOW, place, target);
    connections.put(upstream, of.BELOW, downstream);
    connections.put(downstream, of.ABOVE, upstream);
    if (recorder !== null) {
      const end = connections.get(downstream, of.ACCEPTOR_END);
      const other = connections.get(upstream, of.CONNECTOR_END);
      recorder.write(engine.now, EventKind.paired, instance, end, 0, other, 0, 0);
    }
    this.#network.begin(upstream);
  }

  /** Lets through what was kept, and what comes from now on. */
  openGate(downstream: number): void {
    this.#connections.unset(downstream, of.GATED);
    this.startReading(downstream);
    this.#forwardKept(downstream);
  }

  /** Reads what has waited in the kernel. */
  startReading(downstream: number): void {
    const connections = this.#connections;
    if (connections.has(downstream, of.READING)) return;
    if (!connections.has(downstream, of.ACCEPTOR_OPEN)) return;
    connections.set(downstream, of.READING);
    const kept = connections.get(downstream, of.KEPT);
    if (kept !== 0) {
      connections.put(downstream, of.KEPT, 0);
      this.#fromClient(this.#hopOf(downstream), downstream, kept);
    }
    const waits = (flag: number): boolean =>
      connections.has(downstream, flag) && connections.has(downstream, of.ACCEPTOR_OPEN);
    if (waits(of.FIN_WAITS)) {
      connections.unset(downstream, of.FIN_WAITS);
      this.#clientFinished(downstream);
    }
    if (waits(of.RST_WAITS)) {
      connections.unset(downstream, of.RST_WAITS);
      this.#clientReset(downstream);
    }
  }

  /** Ends both sides for a reason of the relay's own. */
  close(downstream: number, cause: number): void {
    const above = this.#connections.get(downstream, of.ABOVE);
    if (above !== 0) this.#network.closeConnector(above, cause);
    if (!this.#connections.has(downstream, of.ACCEPTOR_OPEN)) return;
    this.#network.closeAcceptor(downstream, cause);
    this.#over(downstream);
  }

  reset(downstream: number, cause: number): void {
    const above = this.#connections.get(downstream, of.ABOVE);
    if (above !== 0) this.#network.resetConnector(above, cause);
    if (this.#connections.has(downstream, of.ACCEPTOR_OPEN)) this.#resetClient(downstream, cause);
  }

  finishUpstream(downstream: number): void {
    const above = this.#connections.get(downstream, of.ABOVE);
    if (above !== 0) this.#passFin(downstream, above);
  }

  #hopOf(downstream: number): FlowHop {
    return this.#hops[this.#network.listenerOf(downstream).instance] as FlowHop;
  }

  #fromClient(hop: FlowHop, downstream: number, exchange: number): void {
    const connections = this.#connections;
    if (hop.forgot(downstream)) {
      this.#resetClient(downstream, CAUSES.idleTimeout);
      return;
    }
    hop.bytesUp(downstream);
    const above = connections.get(downstream, of.ABOVE);
    const pair = above === 0 ? 0 : connections.get(above, of.FLAGS);
    if (connections.has(downstream, of.GATED) || (pair & of.UP) === 0) {
      connections.put(downstream, of.KEPT, exchange);
      return;
    }
    if ((pair & of.CONNECTOR_OPEN) === 0 || (pair & of.CONNECTOR_FIN) !== 0) return;
    this.#network.ask(above, exchange, REQUEST_BYTES);
  }

  #forwardKept(downstream: number): void {
    const connections = this.#connections;
    const above = connections.get(downstream, of.ABOVE);
    if (connections.has(downstream, of.GATED) || above === 0) return;
    if (!connections.has(above, of.UP) || !connections.has(above, of.CONNECTOR_OPEN)) return;
    const kept = connections.get(downstream, of.KEPT);
    if (kept !== 0) {
      connections.put(downstream, of.KEPT, 0);
      this.#network.ask(above, kept, REQUEST_BYTES);
    }
    if (!connections.has(downstream, of.CONNECTOR_FIN)) return;
    if (!connections.has(downstream, of.FIN_WAITS)) this.#passFin(downstream, above);
  }

  /** Bytes from the server: nobody is there for those of a forgotten flow. */
  #mayAnswer(hop: FlowHop, upstream: number, downstream: number): boolean {
    if (hop.forgot(downstream)) {
      this.#network.resetConnector(upstream, CAUSES.idleTimeout);
      return false;
    }
    return this.#connections.has(downstream, of.ACCEPTOR_OPEN);
  }

  #resetClient(downstream: number, cause: number): void {
    this.#network.resetAcceptor(downstream, cause);
    this.#over(downstream);
  }

  #clientFinished(downstream: number): void {
    const connections = this.#connections;
    const hop = this.#hopOf(downstream);
    if (hop.forgot(downstream)) {
      this.#resetClient(downstream, CAUSES.peerFin);
      return;
    }
    if (connections.has(downstream, of.GATED)) {
      hop.leftWhileGated(downstream);
      return;
    }
    const above = connections.get(downstream, of.ABOVE);
    if (above !== 0 && connections.has(above, of.UP)) this.#passFin(downstream, above);
  }

  /** The client's FIN goes on; a server that has finished before is done with it. */
  #passFin(downstream: number, upstream: number): void {
    this.#network.finishConnector(upstream);
    this.#closeIfOver(upstream, downstream);
  }

  #clientReset(downstream: number): void {
    this.#network.closeAcceptor(downstream, CAUSES.peerRst);
    const above = this.#connections.get(downstream, of.ABOVE);
    if (above !== 0 && !this.#hopOf(downstream).forgot(downstream)) {
      this.#network.resetConnector(above, CAUSES.peerRst);
    }
    this.#over(downstream);
  }

  /** Both sides have finished: the sockets go. */
  #closeIfOver(upstream: number, downstream: number): void {
    const connections = this.#connections;
    if (!connections.has(upstream, of.ACCEPTOR_FIN)) return;
    if (!connections.has(downstream, of.CONNECTOR_FIN)) return;
    if (connections.has(downstream, of.FIN_WAITS)) return;
    this.#network.closeConnector(upstream, CAUSES.peerFin);
    if (!connections.has(downstream, of.ACCEPTOR_OPEN)) return;
    this.#network.closeAcceptor(downstream, CAUSES.peerFin);
    this.#over(downstream);
  }

  #over(downstream: number): void {
    if (!this.#connections.has(downstream, of.IN_FLOWS)) return;
    this.#connections.put(downstream, of.KEPT, 0);
    this.#hopOf(downstream).gone(downstream);
    this.#connections.unset(downstream, of.IN_FLOWS);
  }
}
