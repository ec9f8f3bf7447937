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
import { EventKind } from '../../model/event.ts';
import type { Engine, Follower } from '../engine/engine.ts';
import type { Actor } from '../engine/event-queue.ts';
import type { Exchange } from '../exchange.ts';
import type { Meters } from '../meters.ts';
import type { Recorder } from '../recorder.ts';
import { noteCause } from '../root-cause.ts';
import type { Connection, Connector } from './connection.ts';
import { FreeConnections } from './free-connections.ts';
import type { Listener, Place } from './place.ts';
import { retrySyn, type SynSender } from './syn-retry.ts';
import { Cargo, type Carrier, Transit } from './transit.ts';

const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const CONNECT_TIMEOUT = closeCauseCode('connect_timeout');

export class Network implements Carrier, Follower, SynSender {
  readonly engine: Engine;
  readonly recorder: Recorder | null;
  meters: Meters | null = null;
  readonly #transits: Transit[] = [];
  readonly #free: FreeConnections;
  #ends = 0;

  constructor(engine: Engine, recorder: Recorder | null) {
    this.engine = engine;
    this.recorder = recorder;
    this.#free = new FreeConnections(engine);
  }

  /** Whether an event is something on its way through the network. */
  isTransit(actor: Actor): boolean {
    return actor instanceof Transit;
  }

  /** Begins to connect; the connector hears `connected` or `connectFailed`, perhaps at once. */
  connect(connector: Connector, from: Place, listener: Listener, number: number): Connection {
    const connection = this.#free.take(connector, from, listener);
    connection.number = number;
    connection.connectorEnd = this.#newEnd();
    from.connecting.add(connection);
    this.#tell(
      EventKind.connectStarted,
      from.instance,
      connection.connectorEnd,
      listener.address,
      0,
      listener.link.index,
    );
    return connection;
  }

  /** The connector has taken note of its new connection: off goes the SYN. */
  begin(connection: Connection): void {
    const { listener, connectorPlace } = connection;
    const address = connectorPlace.takeAddress(listener, this.engine.now);
    if (address === null) {
      this.#failConnect(connection, 'refused');
      return;
    }
    connection.connectorAddress = address;
    connection.beganAt = this.engine.now;
    this.#send(connection, Cargo.syn, null);
  }

  // SynSender: a full backlog dropped its SYN
  again(connection: Connection): void {
    this.#send(connection, Cargo.syn, null);
  }

  givesUp(connection: Connection): void {
    this.#failConnect(connection, 'timeout');
  }

  /** The listener's program accepts again: first those that wait, with what came for them. */
  resume(listener: Listener): void {
    listener.accepting = true;
    for (const connection of listener.waiting.splice(0)) {
      const { unaccepted } = connection;
      connection.unaccepted = null;
      this.#accept(connection);
      for (const { cargo, exchange } of unaccepted ?? []) {
        this.#deliver(connection, cargo as Cargo, exchange);
      }
    }
  }

  /**
   * Sends a request from the connector; books it as begun there. True when it is there already:
   * the caller calls `asked`, because it meets few kinds of hops, which need no search.
   */
  ask(connection: Connection, exchange: Exchange, bytes: number): boolean {
    connection.bytesUp += bytes;
    connection.link.exchanges += 1;
    if (exchange.spread !== null) this.meters?.carried(connection, exchange);
    if (connection.link.delay === 0 && connection.acceptorOpen) return true;
    this.#send(connection, Cargo.request, exchange);
    return false;
  }

  /** Passes an answer from the acceptor; `closes`: with the acceptor's FIN behind it. */
  answer(connection: Connection, exchange: Exchange, bytes: number, closes: boolean): void {
    connection.bytesDown += bytes;
    if (closes) connection.acceptorFin = true;
    if (connection.link.delay === 0 && connection.connectorOpen) {
      connection.connector.answered(connection, exchange, closes);
    } else this.#send(connection, closes ? Cargo.lastAnswer : Cargo.answer, exchange);
  }

  /** The acceptor's last answer: its socket goes with it. */
  lastAnswer(connection: Connection, exchange: Exchange, bytes: number, cause: number): void {
    connection.bytesDown += bytes;
    connection.acceptorFin = true;
    this.#acceptorGone(connection, cause);
    this.#send(connection, Cargo.lastAnswer, exchange);
  }

  /** A database lets the connector in. */
  greet(connection: Connection): void {
    this.#send(connection, Cargo.greeting, null);
  }

  /** The connector's FIN; its socket stays. */
  finishConnector(connection: Connection): void {
    if (connection.connectorFin || !connection.connectorOpen) return;
    connection.connectorFin = true;
    if (connection.up) this.#send(connection, Cargo.finUp, null);
  }

  finishAcceptor(connection: Connection): void {
    if (connection.acceptorFin || !connection.acceptorOpen) return;
    connection.acceptorFin = true;
    this.#send(connection, Cargo.finDown, null);
  }

  // The socket goes before the other side can react, which without a delay is within the call.
  /** The connector's socket goes, with a FIN if none was sent. */
  closeConnector(connection: Connection, cause: number): void {
    if (!connection.connectorOpen) return;
    const says = connection.up && !connection.connectorFin;
    connection.connectorFin = true;
    this.#connectorGone(connection, cause);
    if (says) this.#send(connection, Cargo.finUp, null);
  }

  closeAcceptor(connection: Connection, cause: number): void {
    if (!connection.acceptorOpen) return;
    const says = !connection.acceptorFin;
    connection.acceptorFin = true;
    this.#acceptorGone(connection, cause);
    if (says) this.#send(connection, Cargo.finDown, null);
  }

  /** The connector's socket goes with an RST. */
  resetConnector(connection: Connection, cause: number): void {
    if (!connection.connectorOpen) return;
    connection.connectorFin = true;
    connection.connectorReset = true;
    this.#connectorGone(connection, cause);
    if (connection.up) this.#send(connection, Cargo.rstUp, null);
  }

  resetAcceptor(connection: Connection, cause: number): void {
    if (!connection.acceptorOpen) return;
    connection.acceptorFin = true;
    this.#acceptorGone(connection, cause);
    this.#send(connection, Cargo.rstDown, null);
  }

  /** For `Transit`: it has arrived. */
  arrived(transit: Transit, cargo: Cargo, connection: Connection, exchange: Exchange | null): void {
    this.#transits.push(transit);
    this.#deliver(connection, cargo, exchange);
  }

  follow(cargo: number, _number: number, connection: unknown): void {
    this.#deliver(connection as Connection, cargo as Cargo, null);
  }

  #send(connection: Connection, cargo: Cargo, exchange: Exchange | null): void {
    const { delay } = connection.link;
    if (delay === 0) {
      // An end is heard of after what was decided before it: who has just been given a connection
      // sends its request, and then learns that the other side has closed.
      if (cargo >= Cargo.finUp && cargo <= Cargo.rstDown) {
        this.engine.next(this, cargo, 0, connection);
      } else this.#deliver(connection, cargo, exchange);
      return;
    }
    const transit = this.#transits.pop() ?? new Transit(this);
    transit.connection = connection;
    transit.exchange = exchange;
    this.engine.at(this.engine.now + delay, transit, cargo);
  }

  #deliver(connection: Connection, cargo: Cargo, exchange: Exchange | null): void {
    switch (cargo) {
      case Cargo.request:
        if (connection.acceptorOpen) connection.acceptor.asked(connection, exchange as Exchange);
        else if (!this.#kept(connection, cargo, exchange)) {
          this.#send(connection, Cargo.rstDown, null);
        }
        return;
      case Cargo.answer:
      case Cargo.lastAnswer:
        this.#answerArrived(connection, exchange as Exchange, cargo === Cargo.lastAnswer);
        return;
      case Cargo.finUp:
        if (connection.acceptorOpen) connection.acceptor.connectorFinished(connection);
        else this.#kept(connection, cargo, null);
        return;
      case Cargo.finDown:
        this.#endedByAcceptor(connection, 'fin');
        return;
      case Cargo.rstUp:
        if (connection.acceptorOpen) connection.acceptor.connectorReset(connection);
        else this.#kept(connection, cargo, null);
        return;
      case Cargo.rstDown:
        this.#endedByAcceptor(connection, 'rst');
        return;
      case Cargo.syn:
        this.#synArrived(connection);
        return;
      case Cargo.synAck:
        this.#synAckArrived(connection);
        return;
      case Cargo.refusal:
        if (connection.connectorOpen) this.#failConnect(connection, 'refused');
        return;
      case Cargo.ack:
        this.#accept(connection);
        return;
      case Cargo.greeting:
        if (connection.connectorOpen) connection.connector.greeted?.(connection);
    }
  }

  #synArrived(connection: Connection): void {
    const { listener } = connection;
    if (listener.suspended) this.#send(connection, Cargo.refusal, null);
    else if (!listener.accepting && listener.waiting.length > listener.backlog) {
      retrySyn(this.engine, this, connection);
    } else if (connection.link.delay > 0) this.#send(connection, Cargo.synAck, null);
    else {
      // Within one instant: the acceptor has it before the connector can send.
      this.#accept(connection);
      this.#isUp(connection);
    }
  }

  /** In the backlog the kernel keeps what comes; false where nobody will ever read it. */
  #kept(connection: Connection, cargo: Cargo, exchange: Exchange | null): boolean {
    connection.unaccepted?.push({ cargo, exchange });
    return connection.unaccepted !== null;
  }

  #synAckArrived(connection: Connection): void {
    if (!connection.connectorOpen) return;
    this.#send(connection, Cargo.ack, null);
    this.#isUp(connection);
  }

  #isUp(connection: Connection): void {
    if (!connection.connectorOpen) return;
    connection.up = true;
    this.#count(connection);
    const { connectorPlace, connectorEnd, connectorAddress, listener, link } = connection;
    this.#tell(
      EventKind.connected,
      connectorPlace.instance,
      connectorEnd,
      connectorAddress,
      listener.address,
      link.index,
    );
    connection.connector.connected(connection);
    const { early } = connection;
    connection.early = 'none';
    if (early !== 'none') this.#endedByAcceptor(connection, early);
  }

  #accept(connection: Connection): void {
    const { listener, connectorAddress, link } = connection;
    if (!listener.accepting) {
      connection.unaccepted = [];
      listener.waiting.push(connection);
      return;
    }
    connection.acceptorOpen = true;
    this.#count(connection);
    connection.acceptorEnd = this.#newEnd();
    listener.place.accepted.add(connection);
    this.#tell(
      EventKind.accepted,
      listener.place.instance,
      connection.acceptorEnd,
      listener.address,
      connectorAddress,
      link.index,
    );
    listener.acceptor.accepted(connection);
  }

  #answerArrived(connection: Connection, exchange: Exchange, closes: boolean): void {
    if (connection.connectorOpen) connection.connector.answered(connection, exchange, closes);
    // The socket is gone: the kernel says so, if there is still somebody to hear it.
    else if (connection.acceptorOpen) this.#send(connection, Cargo.rstUp, null);
  }

  #endedByAcceptor(connection: Connection, how: 'fin' | 'rst'): void {
    if (!connection.connectorOpen) return;
    if (!connection.up) {
      connection.early = how;
      return;
    }
    if (how === 'fin') connection.connector.acceptorFinished(connection);
    else connection.connector.acceptorReset(connection);
  }

  #failConnect(connection: Connection, why: 'refused' | 'timeout'): void {
    this.#connectorGone(connection, why === 'timeout' ? CONNECT_TIMEOUT : PEER_RST);
    connection.connector.connectFailed(connection, why);
  }

  #connectorGone(connection: Connection, cause: number): void {
    connection.connectorOpen = false;
    const { connectorPlace, listener, connectorAddress } = connection;
    connectorPlace.connecting.delete(connection);
    if (this.meters !== null) this.#measureEnd(connection, cause, connection.acceptorGone);
    this.#tell(
      EventKind.closed,
      connectorPlace.instance,
      connection.connectorEnd,
      cause,
      connection.bytesDown,
      connection.bytesUp,
    );
    if (connectorAddress !== 0) {
      const closedFirst = cause !== PEER_FIN && cause !== PEER_RST && !connection.acceptorFin;
      const waits = closedFirst && connection.up && !connection.connectorReset;
      connectorPlace.giveAddress(listener, connectorAddress, this.engine.now, waits);
    }
    if (connection.acceptorGone) this.#free.give(connection);
  }

  #acceptorGone(connection: Connection, cause: number): void {
    connection.acceptorOpen = false;
    connection.acceptorGone = true;
    if (this.meters !== null) this.#measureEnd(connection, cause, !connection.connectorOpen);
    const { place } = connection.listener;
    place.accepted.delete(connection);
    this.#tell(
      EventKind.closed,
      place.instance,
      connection.acceptorEnd,
      cause,
      connection.bytesUp,
      connection.bytesDown,
    );
    if (!connection.connectorOpen) this.#free.give(connection);
  }

  /** It is open at one end at least. */
  #count(connection: Connection): void {
    if (connection.counted || this.meters === null) return;
    connection.counted = true;
    this.meters.opened(connection);
  }

  #measureEnd(connection: Connection, cause: number, both: boolean): void {
    noteCause(connection, cause, this.engine.now);
    if (!connection.counted) this.meters?.connectFailed(connection);
    else if (both) this.meters?.closed(connection);
  }

  #newEnd(): number {
    this.#ends += 1;
    return this.#ends;
  }

  #tell(kind: number, instance: number, end: number, a: number, b: number, c: number): void {
    this.recorder?.write(this.engine.now, kind, instance, end, 0, a, b, c);
  }
}
