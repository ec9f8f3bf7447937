/** Listening: how a Listener (listener.ts) gets its connections. */
import type { Link } from '../../model/run.ts';
import type { ConnectionEnd, EndRegistry } from './connection-end.ts';
import type { Accepted } from './transport.ts';

/** Another process took the port of a suspended listener: it is tried again after so long. */
export const RESTORE_EVERY_MS = 200;

/** Where connections are accepted. */
export interface Listening {
  /** Rejects with the system's error (EADDRINUSE, EACCES) when it cannot listen. */
  open(): Promise<Place>;
  /** Stops listening for a while: connects are refused, as when the host is gone. */
  suspend(): void;
  /** Listens again at the same place after `suspend`, as soon as it is free. */
  restore(): void;
  close(): Promise<void>;
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What a Listening is for: whoever takes what it accepts. */
export interface Accepting {
  readonly link: Link;
  readonly ends: EndRegistry;
  /** Where to listen, as in ListenerOptions. */
  readonly place: Place;
  /** Connections that may wait in the kernel's accept queue. */
  readonly backlog: number;
  accepted(socket: Accepted): ConnectionEnd;
  /** Accepted in time, and no more than may be open. */
  begun(end: ConnectionEnd): void;
}
