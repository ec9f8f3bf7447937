/** When requests are intended: closed users or open arrivals, each in a file of its own. */
import type { Action } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';

/** A client (its number, from 1) wants an answer now. */
export type Issue = (client: number) => void;

export interface Workload {
  begin(): void;
  /** The client has its answer, or gave up. */
  done(client: number): void;
  /** Its pause is over, where clients pause. */
  happens(client: number): void;
  /** A change of the rate or of the share awake; false for everything else. */
  apply(action: Action): boolean;
}

/** Draws the next think time of a client. */
export type Think = (client: number) => Micros;

/** The number that an action sets `<hop>.<name>` to; null when it is about something else. */
export function numberSet(action: Action, hop: string, name: string): number | null {
  if (action.action !== 'set' || typeof action.to !== 'number') return null;
  const paths = [`${hop}.${name}`, `${hop}.workload.${name}`];
  return paths.includes(action.path) ? action.to : null;
}
