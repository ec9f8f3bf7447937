/**
 * One TCP connection as both of its ends have it.
 *
 *   connector (downstream)                       acceptor (upstream)
 *     connecting ──► up ──FIN, RST, data──►        accepted
 *     gone ◄── close, reset                        gone ◄── close, reset
 *
 * The network moves what is sent from one side to the other; each side's hop keeps its own
 * notes in the fields below. A FIN is sent once; a side is gone when its socket is.
 */
import type { Micros } from '../../model/units.ts';
import type { Exchange } from '../exchange.ts';
import type { Carriers } from '../spread.ts';
import type { Listener, Place, SimLink } from './place.ts';

/** The downstream hop's part. */
export interface Connector {
  /** Requests may be sent. */
  connected(connection: Connection): void;
  /** Nobody listens (`refused`), nobody answers (`timeout`), or no port is left. */
  connectFailed(connection: Connection, why: 'refused' | 'timeout'): void;
  /** An answer came; `closes`: the acceptor's FIN came with it. */
  answered(connection: Connection, exchange: Exchange, closes: boolean): void;
  /** A database let it in. */
  greeted?(connection: Connection): void;
  /** The acceptor's FIN came by itself. */
  acceptorFinished(connection: Connection): void;
  /** Its RST came: this end is to be closed. */
  acceptorReset(connection: Connection): void;
}

/** The upstream hop's part. */
export interface Acceptor {
  accepted(connection: Connection): void;
  asked(connection: Connection, exchange: Exchange): void;
  connectorFinished(connection: Connection): void;
  connectorReset(connection: Connection): void;
}

/**
 * Fields in the order in which a request needs them: by the next one the connection has left the
 * processor's cache, and what is read together comes back together. Of the rest only opening and
 * closing know.
 */
export class Connection {
  connector: Connector;
  acceptor: Acceptor;
  link: SimLink;
  listener: Listener;
  connectorOpen = true;
  acceptorOpen = false;
  bytesUp = 0;
  bytesDown = 0;
  /** The connector's note: in flight as the sending hop sees it. */
  exchange: Exchange | null = null;
  /** The acceptor's note: in flight as the reading hop sees it. */
  served: Exchange | null = null;
  /** The connector's note: its number at a pool; of a relay, that of the flow. */
  number = -1;
  /** Its number at the acceptor's policy. */
  serverNumber = -1;
  /** Exchanges sent so far, and those read. */
  ordinal = 0;
  servedOrdinal = 0;
  /** Cause code for which the acceptor's present answer is the last; 0 = it is not. */
  lastCause = 0;
  /** The FIN of that side has been sent (or its RST). */
  connectorFin = false;
  acceptorFin = false;
  /** Node or location that the acceptor chose for it; -1 = none. */
  choice = -1;

  // L4 relays: a connection between two of them has one on either side
  /** The connector's connect has succeeded. */
  up = false;
  /** At the relay that opened it: the connection that it was opened for. */
  below: Connection | null = null;
  /** At the relay that accepted it: the connection opened for it. */
  above: Connection | null = null;
  /** The acceptor reads its socket: else FIN, RST and data wait in the kernel. */
  reading = true;
  gated = false;
  lastMoved = 0.5;
  /** Slot state as it was told last. */
  slot = 0;
  /** At a queue: the request in flight on it; whether it has passed, is served, waits, waited. */
  asked: Exchange | null = null;
  passed = false;
  busy = false;
  waiting = false;
  starved = false;
  /** What came from the client and was not passed on, read or not. */
  kept: Exchange | null = null;
  finWaits = false;
  rstWaits = false;

  // Notes of those who measure
  spread: Carriers | null = null;
  /** Whose request it carried last, of those whose spread is followed. */
  carries: Carriers | null = null;
  openedAt: Micros = 0.5;
  /** It was counted as opened; the acceptor's socket has come and gone. */
  counted = false;
  acceptorGone = false;
  /** The cause of the end that decided to close it, and when; -1 = none has. */
  decidedBy = -1;
  decidedAt: Micros = 0.5;
  /** What its ends saw otherwise. */
  seenCause = -1;

  connectorPlace: Place;
  /** Numbers of its ends among the events. */
  connectorEnd = 0;
  acceptorEnd = 0;
  connectorAddress = 0;
  /** Its places among the live sockets of either side (sockets.ts). */
  connectingIndex = 0;
  acceptedIndex = 0;
  /** The connect began then; SYNs of it that were dropped. */
  beganAt: Micros = 0.5;
  synDrops = 0;
  /** What came for an acceptor that has not accepted yet; null = it has, or nothing came. */
  unaccepted: { readonly cargo: number; readonly exchange: Exchange | null }[] | null = null;
  /** Its connector sent RST: no TIME_WAIT follows. */
  connectorReset = false;
  /** What became of the acceptor before the connector knew that it is up. */
  early: 'none' | 'fin' | 'rst' = 'none';
  /** A database let it in. */
  greeted = false;
  /** Statements prepared on it: a bit each, and the numbers of those beyond (hops/). */
  prepared = 0;
  morePrepared: Set<number> | null = null;

  constructor(link: SimLink, connector: Connector, place: Place, listener: Listener) {
    this.link = link;
    this.connector = connector;
    this.connectorPlace = place;
    this.listener = listener;
    this.acceptor = listener.acceptor;
  }

  /**
   * As if it were new: a server that closes after each answer opens one for every request. Only
   * for one that no relay has joined to another, and in a later instant than it went.
   */
  begin(connector: Connector, place: Place, listener: Listener): void {
    this.link = listener.link;
    this.connector = connector;
    this.connectorPlace = place;
    this.listener = listener;
    this.acceptor = listener.acceptor;
    this.#forget();
  }

  #forget(): void {
    this.acceptorEnd = 0;
    this.connectorAddress = 0;
    this.early = 'none';
    this.up = false;
    this.connectorOpen = true;
    this.acceptorOpen = false;
    this.connectorFin = false;
    this.acceptorFin = false;
    this.bytesUp = 0;
    this.bytesDown = 0;
    this.counted = false;
    this.acceptorGone = false;
    this.decidedBy = -1;
    this.seenCause = -1;
    this.spread = null;
    this.carries = null;
    this.asked = null;
    this.passed = false;
    this.busy = false;
    this.waiting = false;
    this.starved = false;
    this.exchange = null;
    this.ordinal = 0;
    this.greeted = false;
    this.prepared = 0;
    this.morePrepared = null;
    this.serverNumber = -1;
    this.served = null;
    this.servedOrdinal = 0;
    this.lastCause = 0;
    this.choice = -1;
    this.slot = 0;
    this.reading = true;
    this.synDrops = 0;
    this.unaccepted = null;
    this.connectorReset = false;
  }
}
