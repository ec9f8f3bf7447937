/**
 * The network: connects, carries requests, answers, FINs and RSTs from one end of a connection
 * to the other, and books what becomes of the sockets.
 *
 * A link has a delay one way. Without one everything arrives within the same instant, by a call;
 * with one it arrives by an event, in the order in which it was sent. The handshake takes a round
 * trip: the connector may send after SYN and SYN-ACK, the acceptor has the connection when the
 * ACK has come (RFC 9293 section 3.5).
 *
 * Data for a socket that is gone is answered with RST (RFC 9293 section 3.10.7.1). A listener
 * that is away refuses; one that does not accept fills its backlog, and then drops SYNs, which
 * Linux sends again after 1, 3, 7, ... seconds (tcp(7), tcp_syn_retries).
 */
import { closeCauseCode } from '../../model/close-cause.ts';
import type { Engine } from '../engine/engine.ts';
import { EventOf, Next } from '../engine/event.ts';
import { CARRIERS, type Exchanges } from '../exchanges.ts';
import type { Recorder } from '../recorder.ts';
import { Bytes } from './bytes.ts';
import type { Connections } from './connections.ts';
import * as of from './connections.ts';
import type { Acceptors, Connectors, NetworkBase } from './ends.ts';
import type { Listener, Place } from './place.ts';
import { Sockets } from './sockets.ts';
import { SynRetries, type SynSender } from './syn-retry.ts';
import { Cargo, Transits } from './transits.ts';

const PEER_RST = closeCauseCode('peer_rst');
const CONNECT_TIMEOUT = closeCauseCode('connect_timeout');

export class Network implements SynSender {
  readonly engine: Engine;
  readonly recorder: Recorder | null;
  readonly connections: Connections;
  readonly listeners: Listener[] = [];
  /** Kept only where somebody is told of them. */
  readonly bytes: Bytes | null;
  readonly #exchanges: Exchanges;
  readonly #places: readonly Place[];
  readonly #connectors: Connectors;
  readonly #acceptors: Acceptors;
  readonly #sockets: Sockets;
  readonly #transits = new Transits();
  readonly #synRetries: SynRetries;
  /** What came for connections that nobody has accepted yet. */
  readonly #unaccepted = new Map<number, { cargo: Cargo; exchange: number }[]>();

  constructor(base: NetworkBase, hops: Connectors & Acceptors) {
    const { engine, recorder, connections } = base;
    this.engine = engine;
    this.recorder = recorder;
    this.#exchanges = base.exchanges;
    this.#places = base.places;
    this.connections = connections;
    this.#connectors = hops;
    this.#acceptors = hops;
    this.bytes = recorder === null ? null : new Bytes();
    this.#sockets = new Sockets(this, base);
    this.#synRetries = new SynRetries(engine, connections, this);
  }

  /** The connection's number is about to be another's. */
  forget(connection: number): void {
    if (this.#synRetries.size > 0) this.#synRetries.forget(connection);
    this.bytes?.forget(connection);
  }

  listenerOf(connection: number): Listener {
    return this.listeners[this.connections.get(connection, of.LISTENER)] as Listener;
  }

  /** Begins to connect; `begin` sends the SYN when the connector has taken note of it. */
  connect(connection: number, connector: number, from: Place, listener: Listener): void {
    const { ints } = this.connections;
    const row = connection << of.ROW;
    const pooled = connector >= 0 ? of.POOLED : 0;
    ints[row] = of.CONNECTOR_OPEN | of.READING | pooled;
    ints[row | of.CONNECTOR] = connector;
    ints[row | of.LISTENER] = listener.number;
    ints[row | of.PLACE] = from.instance;
    this.#sockets.connects(connection, from, listener);
  }

  /** Off goes the SYN; the connector hears `connected` or `connectFailed`, perhaps at once. */
  begin(connection: number): void {
    const listener = this.listenerOf(connection);
    const address = this.#placeOf(connection).takeAddress(listener, this.engine.now);
    if (address === null) {
      this.#failConnect(connection, 'refused');
      return;
    }
    this.connections.putTime(connection, of.ADDRESS, address);
    this.#send(connection, Cargo.syn, 0);
  }

  // SynSender: a full backlog dropped its SYN
  again(connection: number): void {
    this.#send(connection, Cargo.syn, 0);
  }

  givesUp(connection: number): void {
    this.#failConnect(connection, 'timeout');
  }

  wasClosed(connection: number): void {
    this.connections.over(connection);
  }

  /** The listener's program accepts again: first those that wait, with what came for them. */
  resume(listener: Listener): void {
    listener.accepting = true;
    for (const connection of listener.waiting.splice(0)) {
      const came = this.#unaccepted.get(connection) ?? [];
      this.#unaccepted.delete(connection);
      this.#accept(connection);
      for (const { cargo, exchange } of came) this.#deliver(connection, cargo, exchange);
    }
  }

  /** Sends a request from the connector. */
  ask(connection: number, exchange: number, bytes: number): void {
    this.bytes?.up(connection, bytes);
    const listener = this.listenerOf(connection);
    const { link } = listener;
    link.exchanges += 1;
    if (this.#exchanges.get(exchange, CARRIERS) !== 0)
      this.#sockets.meters?.carried(connection, exchange);
    if (link.delay === 0 && this.connections.has(connection, of.ACCEPTOR_OPEN)) {
      this.#acceptors.asked(listener, connection, exchange);
    } else this.#send(connection, Cargo.request, exchange);
  }

  /** Passes an answer from the acceptor; `closes`: with the acceptor's FIN behind it. */
  answer(connection: number, exchange: number, bytes: number, closes: boolean): void {
    this.bytes?.down(connection, bytes);
    const { connections } = this;
    if (closes) connections.set(connection, of.ACCEPTOR_FIN);
    if (
      connections.has(connection, of.CONNECTOR_OPEN) &&
      this.listenerOf(connection).link.delay === 0
    ) {
      this.#connectors.answered(connection, exchange, closes);
    } else this.#send(connection, closes ? Cargo.lastAnswer : Cargo.answer, exchange);
  }

  /** The acceptor's last answer: its socket goes with it. */
  lastAnswer(connection: number, exchange: number, bytes: number, cause: number): void {
    this.bytes?.down(connection, bytes);
    this.connections.set(connection, of.ACCEPTOR_FIN);
    // What is on its way keeps the connection's number.
    this.connections.departs(connection);
    this.#sockets.acceptorGone(connection, cause);
    this.#send(connection, Cargo.lastAnswer, exchange);
    this.connections.arrives(connection);
  }

  greet(connection: number): void {
    this.#send(connection, Cargo.greeting, 0);
  }

  /** The connector's FIN; its socket stays. */
  finishConnector(connection: number): void {
    const { connections } = this;
    if (connections.has(connection, of.CONNECTOR_FIN)) return;
    if (!connections.has(connection, of.CONNECTOR_OPEN)) return;
    connections.set(connection, of.CONNECTOR_FIN);
    if (connections.has(connection, of.UP)) this.#send(connection, Cargo.finUp, 0);
  }

  finishAcceptor(connection: number): void {
    const { connections } = this;
    if (connections.has(connection, of.ACCEPTOR_FIN)) return;
    if (!connections.has(connection, of.ACCEPTOR_OPEN)) return;
    connections.set(connection, of.ACCEPTOR_FIN);
    this.#send(connection, Cargo.finDown, 0);
  }

  // The socket goes before the other side can react, which without a delay is within the call.
  /** The connector's socket goes, with a FIN if none was sent. */
  closeConnector(connection: number, cause: number): void {
    const { connections } = this;
    const flags = connections.get(connection, of.FLAGS);
    if ((flags & of.CONNECTOR_OPEN) === 0) return;
    const says = (flags & of.UP) !== 0 && (flags & of.CONNECTOR_FIN) === 0;
    connections.set(connection, of.CONNECTOR_FIN);
    if (says) connections.departs(connection);
    this.#sockets.connectorGone(connection, cause);
    if (!says) return;
    this.#send(connection, Cargo.finUp, 0);
    connections.arrives(connection);
  }

  closeAcceptor(connection: number, cause: number): void {
    const { connections } = this;
    const flags = connections.get(connection, of.FLAGS);
    if ((flags & of.ACCEPTOR_OPEN) === 0) return;
    const says = (flags & of.ACCEPTOR_FIN) === 0;
    connections.set(connection, of.ACCEPTOR_FIN);
    if (says) connections.departs(connection);
    this.#sockets.acceptorGone(connection, cause);
    if (!says) return;
    this.#send(connection, Cargo.finDown, 0);
    connections.arrives(connection);
  }

  /** The connector's socket goes with an RST. */
  resetConnector(connection: number, cause: number): void {
    const { connections } = this;
    if (!connections.has(connection, of.CONNECTOR_OPEN)) return;
    connections.set(connection, of.CONNECTOR_FIN | of.CONNECTOR_RESET);
    connections.departs(connection);
    this.#sockets.connectorGone(connection, cause);
    if (connections.has(connection, of.UP)) this.#send(connection, Cargo.rstUp, 0);
    connections.arrives(connection);
  }

  resetAcceptor(connection: number, cause: number): void {
    const { connections } = this;
    if (!connections.has(connection, of.ACCEPTOR_OPEN)) return;
    connections.set(connection, of.ACCEPTOR_FIN);
    connections.departs(connection);
    this.#sockets.acceptorGone(connection, cause);
    this.#send(connection, Cargo.rstDown, 0);
    connections.arrives(connection);
  }

  /** Something has arrived. */
  happens(transit: number): void {
    const cargo = this.#transits.cargo(transit);
    const connection = this.#transits.connection(transit);
    const exchange = this.#transits.exchange(transit);
    this.#transits.give(transit);
    this.#deliver(connection, cargo, exchange);
    this.connections.arrives(connection);
  }

  /** A FIN or RST of this instant is heard of. */
  follows(connection: number, cargo: number): void {
    this.#deliver(connection, cargo as Cargo, 0);
    this.connections.arrives(connection);
  }

  /** Exchanges that somebody will still hear of. */
  reach(reach: (exchange: number) => void): void {
    for (const exchange of this.#transits.exchanges()) reach(exchange);
    for (const came of this.#unaccepted.values()) for (const { exchange } of came) reach(exchange);
    this.connections.reach(reach);
  }

  #placeOf(connection: number): Place {
    return this.#places[this.connections.get(connection, of.PLACE)] as Place;
  }

  #send(connection: number, cargo: Cargo, exchange: number): void {
    const { delay } = this.listenerOf(connection).link;
    if (delay === 0) {
      // An end is heard of after what was decided before it: who has just been given a connection
      // sends its request, and then learns that the other side has closed.
      if (cargo >= Cargo.finUp && cargo <= Cargo.rstDown) {
        this.connections.departs(connection);
        this.engine.next(Next.deliver, connection, cargo, 0);
      } else this.#deliver(connection, cargo, exchange);
      return;
    }
    this.connections.departs(connection);
    const transit = this.#transits.take(cargo, connection, exchange);
    this.engine.push(this.engine.now + delay, EventOf.transit, transit);
  }

  #deliver(connection: number, cargo: Cargo, exchange: number): void {
    const { connections } = this;
    switch (cargo) {
      case Cargo.request:
        if (connections.has(connection, of.ACCEPTOR_OPEN)) {
          this.#acceptors.asked(this.listenerOf(connection), connection, exchange);
        } else if (!this.#kept(connection, cargo, exchange)) {
          this.#send(connection, Cargo.rstDown, 0);
        }
        return;
      case Cargo.answer:
      case Cargo.lastAnswer:
        this.#answerArrived(connection, exchange, cargo === Cargo.lastAnswer);
        return;
      case Cargo.finUp:
        if (connections.has(connection, of.ACCEPTOR_OPEN)) {
          this.#acceptors.connectorFinished(connection);
        } else this.#kept(connection, cargo, 0);
        return;
      case Cargo.finDown:
        this.#endedByAcceptor(connection, of.EARLY_FIN);
        return;
      case Cargo.rstUp:
        if (connections.has(connection, of.ACCEPTOR_OPEN)) {
          this.#acceptors.connectorReset(connection);
        } else this.#kept(connection, cargo, 0);
        return;
      case Cargo.rstDown:
        this.#endedByAcceptor(connection, of.EARLY_RST);
        return;
      case Cargo.syn:
        this.#synArrived(connection);
        return;
      case Cargo.synAck:
        this.#synAckArrived(connection);
        return;
      case Cargo.refusal:
        if (connections.has(connection, of.CONNECTOR_OPEN)) {
          this.#failConnect(connection, 'refused');
        } else connections.over(connection);
        return;
      case Cargo.ack:
        this.#accept(connection);
        return;
      case Cargo.greeting:
        if (connections.has(connection, of.CONNECTOR_OPEN)) this.#connectors.greeted(connection);
    }
  }

  #synArrived(connection: number): void {
    const listener = this.listenerOf(connection);
    const { delay } = listener.link;
    if (listener.suspended) this.#send(connection, Cargo.refusal, 0);
    else if (!listener.accepting && listener.waiting.length > listener.backlog) {
      const { connectTimeout } = this.#placeOf(connection);
      this.#synRetries.dropped(connection, this.engine.now - delay, connectTimeout);
    } else if (delay > 0) this.#send(connection, Cargo.synAck, 0);
    else {
      // Within one instant: the acceptor has it before the connector can send.
      this.connections.departs(connection);
      this.#accept(connection);
      this.#isUp(connection);
      this.connections.arrives(connection);
    }
  }

  /** In the backlog the kernel keeps what comes; false where nobody will ever read it. */
  #kept(connection: number, cargo: Cargo, exchange: number): boolean {
    const came = this.#unaccepted.get(connection);
    came?.push({ cargo, exchange });
    return came !== undefined;
  }

  #synAckArrived(connection: number): void {
    if (!this.connections.has(connection, of.CONNECTOR_OPEN)) return;
    this.#send(connection, Cargo.ack, 0);
    this.#isUp(connection);
  }

  #isUp(connection: number): void {
    const { connections } = this;
    if (!connections.has(connection, of.CONNECTOR_OPEN)) return;
    connections.set(connection, of.UP);
    this.#sockets.isUp(connection);
    this.#connectors.connected(connection);
    const early = connections.get(connection, of.FLAGS) & (of.EARLY_FIN | of.EARLY_RST);
    connections.unset(connection, of.EARLY_FIN | of.EARLY_RST);
    if (early !== 0) this.#endedByAcceptor(connection, early);
  }

  #accept(connection: number): void {
    const { connections } = this;
    const listener = this.listenerOf(connection);
    if (!listener.accepting) {
      this.#unaccepted.set(connection, []);
      listener.waiting.push(connection);
      return;
    }
    connections.set(connection, of.ACCEPTOR_OPEN);
    this.#sockets.accepts(connection, listener);
    this.#acceptors.accepted(connection);
  }

  #answerArrived(connection: number, exchange: number, closes: boolean): void {
    if (this.connections.has(connection, of.CONNECTOR_OPEN)) {
      this.#connectors.answered(connection, exchange, closes);
    } else if (this.connections.has(connection, of.ACCEPTOR_OPEN)) {
      // The socket is gone: the kernel says so, if there is still somebody to hear it.
      this.#send(connection, Cargo.rstUp, 0);
    }
  }

  /** `how`: EARLY_FIN or EARLY_RST. */
  #endedByAcceptor(connection: number, how: number): void {
    const { connections } = this;
    if (!connections.has(connection, of.CONNECTOR_OPEN)) return;
    if (!connections.has(connection, of.UP)) {
      connections.unset(connection, of.EARLY_FIN | of.EARLY_RST);
      connections.set(connection, how);
    } else if (how === of.EARLY_FIN) this.#connectors.acceptorFinished(connection);
    else this.#connectors.acceptorReset(connection);
  }

  #failConnect(connection: number, why: 'refused' | 'timeout'): void {
    this.#sockets.connectorGone(connection, why === 'timeout' ? CONNECT_TIMEOUT : PEER_RST);
    this.#connectors.connectFailed(connection, why);
    // Nobody has accepted it, and nobody will.
    this.connections.over(connection);
  }
}
