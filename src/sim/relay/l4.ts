/**
 * A relay of bytes: each accepted connection is joined with one of its own upstream, and what
 * comes on one goes out on the other. A FIN is passed on behind what came before it, an RST as
 * RST; the relay names no cause of its own for what it passes on.
 *
 *   client ══ downstream (accepted) ──► upstream (connected) ══ server
 *
 * While a connection is gated (a queue without a slot for it) or its upstream is not up, what
 * came from the client is kept. A socket that is not even read (`reading` false) keeps data, FIN
 * and RST in the kernel: nobody here knows of them.
 *
 * A forgotten flow (a balancer's, after its idle timeout) ends silently: neither side hears of the
 * other any more, and each is reset when it next sends something (live/relay-l4/flow.ts).
 */
import { EventKind } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import { Numbered } from '../engine/numbered.ts';
import type { Exchange } from '../exchange.ts';
import { ANSWER_BYTES, REQUEST_BYTES } from '../message-size.ts';
import type { Acceptor, Connection, Connector } from '../net/connection.ts';
import type { Listener, Place } from '../net/place.ts';
import type { World } from '../world.ts';
import { CAUSES } from './keep-alive.ts';

export abstract class L4Relay implements Acceptor, Connector {
  protected readonly world: World;
  protected readonly place: Place;
  protected readonly flows = new Numbered<Connection>();

  constructor(world: World, instance: Instance) {
    this.world = world;
    this.place = world.place(instance);
    for (const link of world.incoming(world.hopOf(instance))) world.listen(instance, link, this);
  }

  // What balancer and queue add

  /** A flow has begun: it has a number, and no upstream yet. */
  protected abstract begun(downstream: Connection): void;
  /** Bytes came from the client. */
  protected abstract bytesUp(downstream: Connection): void;
  /** Bytes are about to move toward the client. */
  protected abstract bytesDown(downstream: Connection): void;
  /** The flow is forgotten, for good. */
  protected abstract forgot(downstream: Connection): boolean;
  /** The client sent FIN while its bytes are kept back. */
  protected abstract leftWhileGated(downstream: Connection): void;
  /** The downstream socket is gone; its number is about to be free. */
  protected abstract gone(downstream: Connection): void;

  // Acceptor

  accepted(downstream: Connection): void {
    downstream.serverNumber = this.flows.add(downstream);
    this.begun(downstream);
  }

  asked(downstream: Connection, exchange: Exchange): void {
    if (!downstream.reading) {
      downstream.kept = exchange;
      return;
    }
    this.#fromClient(downstream, exchange);
  }

  connectorFinished(downstream: Connection): void {
    if (!downstream.reading) {
      downstream.finWaits = true;
      return;
    }
    this.#clientFinished(downstream);
  }

  connectorReset(downstream: Connection): void {
    if (!downstream.reading) {
      downstream.rstWaits = true;
      return;
    }
    this.#clientReset(downstream);
  }

  // Connector

  connected(upstream: Connection): void {
    const downstream = upstream.below;
    if (downstream === null) return;
    this.#forwardKept(downstream);
  }

  connectFailed(upstream: Connection): void {
    const downstream = upstream.below;
    if (downstream === null) return;
    this.world.network.resetAcceptor(downstream, CAUSES.peerRst);
    this.#over(downstream);
  }

  /** A database behind it speaks first: those are bytes like any others. */
  greeted(upstream: Connection): void {
    const downstream = upstream.below;
    if (downstream === null || !this.#mayAnswer(upstream, downstream)) return;
    this.bytesDown(downstream);
    this.world.network.greet(downstream);
  }

  answered(upstream: Connection, exchange: Exchange, closes: boolean): void {
    const downstream = upstream.below;
    const { network } = this.world;
    if (downstream === null || !this.#mayAnswer(upstream, downstream)) return;
    this.bytesDown(downstream);
    if (closes) downstream.kept = null;
    network.answer(downstream, exchange, ANSWER_BYTES, closes);
    if (closes) this.#closeIfOver(upstream, downstream);
  }

  acceptorFinished(upstream: Connection): void {
    const downstream = upstream.below;
    if (downstream === null) return;
    if (this.forgot(downstream)) {
      this.world.network.resetConnector(upstream, CAUSES.peerFin);
      return;
    }
    downstream.kept = null;
    // Whatever the client still says is read now, and its FIN with it.
    this.startReading(downstream);
    if (!downstream.acceptorOpen) return;
    this.world.network.finishAcceptor(downstream);
    this.#closeIfOver(upstream, downstream);
  }

  acceptorReset(upstream: Connection): void {
    const { network } = this.world;
    const downstream = upstream.below;
    network.closeConnector(upstream, CAUSES.peerRst);
    if (downstream === null || !downstream.acceptorOpen || this.forgot(downstream)) return;
    this.#resetClient(downstream, CAUSES.peerRst);
  }

  // For balancer and queue

  /** Opens the upstream connection of a flow. */
  protected open(downstream: Connection, target: Listener): void {
    const { network, recorder, engine } = this.world;
    const upstream = network.connect(this, this.place, target, downstream.serverNumber);
    upstream.below = downstream;
    downstream.above = upstream;
    const { acceptorEnd } = downstream;
    recorder?.write(
      engine.now,
      EventKind.paired,
      this.place.instance,
      acceptorEnd,
      0,
      upstream.connectorEnd,
      0,
      0,
    );
    network.begin(upstream);
  }

  /** Lets through what was kept, and what comes from now on. */
  protected openGate(downstream: Connection): void {
    downstream.gated = false;
    this.startReading(downstream);
    this.#forwardKept(downstream);
  }

  /** Reads what has waited in the kernel. */
  protected startReading(downstream: Connection): void {
    if (downstream.reading || !downstream.acceptorOpen) return;
    downstream.reading = true;
    const { kept } = downstream;
    if (kept !== null) {
      downstream.kept = null;
      this.#fromClient(downstream, kept);
    }
    if (downstream.finWaits && downstream.acceptorOpen) {
      downstream.finWaits = false;
      this.#clientFinished(downstream);
    }
    if (downstream.rstWaits && downstream.acceptorOpen) {
      downstream.rstWaits = false;
      this.#clientReset(downstream);
    }
  }

  /** Ends both sides for a reason of the relay's own. */
  protected close(downstream: Connection, cause: number): void {
    const { network } = this.world;
    if (downstream.above !== null) network.closeConnector(downstream.above, cause);
    if (!downstream.acceptorOpen) return;
    network.closeAcceptor(downstream, cause);
    this.#over(downstream);
  }

  protected reset(downstream: Connection, cause: number): void {
    const { network } = this.world;
    if (downstream.above !== null) network.resetConnector(downstream.above, cause);
    if (!downstream.acceptorOpen) return;
    network.resetAcceptor(downstream, cause);
    this.#over(downstream);
  }

  #fromClient(downstream: Connection, exchange: Exchange): void {
    if (this.forgot(downstream)) {
      this.#resetClient(downstream, CAUSES.idleTimeout);
      return;
    }
    this.bytesUp(downstream);
    const { above: pair } = downstream;
    if (downstream.gated || pair === null || !pair.up) {
      downstream.kept = exchange;
      return;
    }
    if (!pair.connectorOpen || pair.connectorFin) return;
    if (this.world.network.ask(pair, exchange, REQUEST_BYTES)) pair.acceptor.asked(pair, exchange);
  }

  #forwardKept(downstream: Connection): void {
    const { above: pair, kept } = downstream;
    if (downstream.gated || pair === null || !pair.up || !pair.connectorOpen) return;
    if (kept !== null) {
      downstream.kept = null;
      if (this.world.network.ask(pair, kept, REQUEST_BYTES)) pair.acceptor.asked(pair, kept);
    }
    if (downstream.connectorFin && !downstream.finWaits) this.#passFin(downstream, pair);
  }

  /** Bytes from the server: nobody is there for those of a forgotten flow. */
  #mayAnswer(upstream: Connection, downstream: Connection): boolean {
    if (this.forgot(downstream)) {
      this.world.network.resetConnector(upstream, CAUSES.idleTimeout);
      return false;
    }
    return downstream.acceptorOpen;
  }

  #resetClient(downstream: Connection, cause: number): void {
    this.world.network.resetAcceptor(downstream, cause);
    this.#over(downstream);
  }

  #clientFinished(downstream: Connection): void {
    if (this.forgot(downstream)) {
      this.#resetClient(downstream, CAUSES.peerFin);
      return;
    }
    if (downstream.gated) {
      this.leftWhileGated(downstream);
      return;
    }
    const { above: pair } = downstream;
    if (pair?.up) this.#passFin(downstream, pair);
  }

  /** The client's FIN goes on; a server that has finished before is done with it. */
  #passFin(downstream: Connection, upstream: Connection): void {
    this.world.network.finishConnector(upstream);
    this.#closeIfOver(upstream, downstream);
  }

  protected finishUpstream(downstream: Connection): void {
    if (downstream.above !== null) this.#passFin(downstream, downstream.above);
  }

  #clientReset(downstream: Connection): void {
    const { network } = this.world;
    network.closeAcceptor(downstream, CAUSES.peerRst);
    const { above } = downstream;
    if (above !== null && !this.forgot(downstream)) network.resetConnector(above, CAUSES.peerRst);
    this.#over(downstream);
  }

  /** Both sides have finished: the sockets go. */
  #closeIfOver(upstream: Connection, downstream: Connection): void {
    const { network } = this.world;
    if (!upstream.acceptorFin || !downstream.connectorFin || downstream.finWaits) return;
    network.closeConnector(upstream, CAUSES.peerFin);
    if (!downstream.acceptorOpen) return;
    network.closeAcceptor(downstream, CAUSES.peerFin);
    this.#over(downstream);
  }

  #over(downstream: Connection): void {
    if (downstream.serverNumber < 0) return;
    downstream.kept = null;
    this.gone(downstream);
    this.flows.remove(downstream.serverNumber);
    downstream.serverNumber = -1;
  }
}
