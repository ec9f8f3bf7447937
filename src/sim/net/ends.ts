/** What the network asks of those who stand at the ends of connections, and what it stands on. */
import type { Engine } from '../engine/engine.ts';
import type { Exchanges } from '../exchanges.ts';
import type { Meters } from '../meters.ts';
import type { Recorder } from '../recorder.ts';
import type { Connections } from './connections.ts';
import type { Listener, Place } from './place.ts';

/** The downstream hop's part: who connected is noted in the connection. */
export interface Connectors {
  /** Requests may be sent. */
  connected(connection: number): void;
  /** Nobody listens (`refused`), nobody answers (`timeout`), or no port is left. */
  connectFailed(connection: number, why: 'refused' | 'timeout'): void;
  /** An answer came; `closes`: the acceptor's FIN came with it. */
  answered(connection: number, exchange: number, closes: boolean): void;
  /** A database let it in. */
  greeted(connection: number): void;
  /** The acceptor's FIN came by itself. */
  acceptorFinished(connection: number): void;
  /** Its RST came: this end is to be closed. */
  acceptorReset(connection: number): void;
}

/** The upstream hop's part: who accepts is known by the listener. */
export interface Acceptors {
  accepted(connection: number): void;
  asked(listener: Listener, connection: number, exchange: number): void;
  connectorFinished(connection: number): void;
  connectorReset(connection: number): void;
}

/** What it stands on. */
export interface NetworkBase {
  readonly engine: Engine;
  readonly recorder: Recorder | null;
  readonly connections: Connections;
  readonly exchanges: Exchanges;
  /** By instance. */
  readonly places: readonly Place[];
  /** Set before anything is connected, where the simulator measures by itself. */
  readonly meters: Meters | null;
}
