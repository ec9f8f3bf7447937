/**
 * Why a connection closed, as the ledger finds out (measure/root-cause.ts): the end that decided
 * names its reason; a relay that passes a FIN or RST on does not decide, so the nearest decided
 * connection of the chain lends its cause, at equal distance the one that closed first.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { Micros } from '../model/units.ts';
import {
  ABOVE,
  BELOW,
  type Connections,
  DECIDED_AT,
  DECIDED_BY,
  SEEN_CAUSE,
} from './net/connections.ts';

const UNKNOWN = closeCauseCode('unknown');
const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
/** In both columns a cause is kept as its code and 1. */
const NOT_YET = 0;

export function rootCause(connections: Connections, connection: number): number {
  const own = connections.get(connection, DECIDED_BY);
  if (own !== NOT_YET) return own - 1;
  let below = connections.get(connection, BELOW);
  let above = connections.get(connection, ABOVE);
  while (below !== 0 || above !== 0) {
    const one = below === 0 ? NOT_YET : connections.get(below, DECIDED_BY);
    const other = above === 0 ? NOT_YET : connections.get(above, DECIDED_BY);
    if (one !== NOT_YET && other !== NOT_YET) {
      const isFirst =
        connections.getTime(below, DECIDED_AT) <= connections.getTime(above, DECIDED_AT);
      return isFirst ? one - 1 : other - 1;
    }
    if (one !== NOT_YET) return one - 1;
    if (other !== NOT_YET) return other - 1;
    below = below === 0 ? 0 : connections.get(below, BELOW);
    above = above === 0 ? 0 : connections.get(above, ABOVE);
  }
  const seen = connections.get(connection, SEEN_CAUSE);
  return seen === NOT_YET ? UNKNOWN : seen - 1;
}

/** An end of it is gone: what its cause says about the connection. */
export function noteCause(
  connections: Connections,
  connection: number,
  cause: number,
  now: Micros,
): void {
  if (cause === UNKNOWN || cause === PEER_FIN || cause === PEER_RST) {
    const seen = connections.get(connection, SEEN_CAUSE) - 1;
    if (cause === PEER_RST || seen !== PEER_RST) {
      if (cause !== UNKNOWN || seen < 0) connections.put(connection, SEEN_CAUSE, cause + 1);
    }
  } else if (connections.get(connection, DECIDED_BY) === NOT_YET) {
    connections.put(connection, DECIDED_BY, cause + 1);
    connections.putTime(connection, DECIDED_AT, now);
  }
}
