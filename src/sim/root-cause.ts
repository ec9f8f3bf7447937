/**
 * Why a connection closed, as the ledger finds out (measure/root-cause.ts): the end that decided
 * names its reason; a relay that passes a FIN or RST on does not decide, so the nearest decided
 * connection of the chain lends its cause, at equal distance the one that closed first.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { Connection } from './net/connection.ts';

const UNKNOWN = closeCauseCode('unknown');
const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const NOT_YET = -1;

export function rootCause(connection: Connection): number {
  if (decided(connection)) return connection.decidedBy;
  let below = connection.below;
  let above = connection.above;
  while (below !== null || above !== null) {
    const one = below !== null && decided(below) ? below : null;
    const other = above !== null && decided(above) ? above : null;
    if (one !== null && other !== null) {
      return one.decidedAt <= other.decidedAt ? one.decidedBy : other.decidedBy;
    }
    if (one !== null) return one.decidedBy;
    if (other !== null) return other.decidedBy;
    below = below?.below ?? null;
    above = above?.above ?? null;
  }
  return connection.seenCause === NOT_YET ? UNKNOWN : connection.seenCause;
}

/** An end of it is gone: what its cause says about the connection. */
export function noteCause(connection: Connection, cause: number, now: number): void {
  if (cause === UNKNOWN || cause === PEER_FIN || cause === PEER_RST) {
    if (cause === PEER_RST || connection.seenCause !== PEER_RST) {
      if (cause !== UNKNOWN || connection.seenCause === NOT_YET) connection.seenCause = cause;
    }
  } else if (connection.decidedBy === NOT_YET) {
    connection.decidedBy = cause;
    connection.decidedAt = now;
  }
}

function decided(connection: Connection): boolean {
  return connection.decidedBy !== NOT_YET;
}
