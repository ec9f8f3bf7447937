/**
 * A request as the app sees it, whichever front reads it: node:http, as most apps have it, or
 * the framing of our own hops.
 */
import type { Endpoint, Link } from '../../model/run.ts';
import type { Micros } from '../../model/units.ts';
import type { Suspendable } from '../hops/host-faults.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';

export const BODY_BYTES_MAX = 1_100_000;

export type Body =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' };

export interface Call {
  /** Its connection, and its ordinal there: booked already. */
  readonly end: ConnectionEnd;
  readonly ordinal: number;
  readonly purpose: Link['purpose'];
  readonly method: string;
  /** Path and query, `*` or, of CONNECT, `host:port`; the absolute form is resolved already. */
  readonly target: string;
  /** Calls back once, unless the request breaks off. What is too large is not read on. */
  readBody(then: (body: Body) => void): void;
  /** Answers with JSON; does nothing for a client that is gone. `last`: closes after it. */
  answer(status: number, json: string, last?: boolean): void;
}

export interface AppFront {
  /** Listeners, for faults. */
  readonly listeners: readonly Suspendable[];
  listen(): Promise<Endpoint[]>;
  configure(keepAliveTimeout: Micros): void;
  stop(): void;
}
