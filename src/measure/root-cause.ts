/**
 * Who closed a connection, and why.
 *
 * The end that decides names its reason; the other end sees `peer_fin` or `peer_rst`. A relay
 * that merely passes a FIN or RST on says `peer_fin` or `peer_rst` at both of its sockets, so a
 * whole chain may hold one reason only, links away: the nearest decided connection of the chain
 * lends its cause, at equal distance the one that closed first. What nobody of ours decided
 * (a foreign client left) stays `peer_rst` or `peer_fin`, and `unknown` if no end knew that.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import { type Chain, type Connection, type End, NEVER } from './state.ts';

const UNKNOWN = closeCauseCode('unknown');
const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');

export function rootCause(chain: Chain, connection: Connection): number {
  const own = decision(connection);
  if (own !== null) return own.cause;
  const position = chain.connections.indexOf(connection);
  for (let distance = 1; distance < chain.connections.length; distance++) {
    const below = decisionAt(chain, position - distance);
    const above = decisionAt(chain, position + distance);
    const nearest = earlier(below, above);
    if (nearest !== null) return nearest.cause;
  }
  return seenCause(connection);
}

function decisionAt(chain: Chain, position: number): End | null {
  const connection = chain.connections[position];
  return connection === undefined ? null : decision(connection);
}

/** The end that decided to close this connection; the earlier one if both did. */
function decision(connection: Connection): End | null {
  return earlier(decided(connection.connector), decided(connection.acceptor));
}

function decided(end: End | null): End | null {
  if (end === null || end.closedAt === NEVER) return null;
  const { cause } = end;
  return cause === UNKNOWN || cause === PEER_FIN || cause === PEER_RST ? null : end;
}

function earlier(first: End | null, second: End | null): End | null {
  if (first === null || second === null) return first ?? second;
  return first.closedAt <= second.closedAt ? first : second;
}

function seenCause(connection: Connection): number {
  const causes = [connection.connector, connection.acceptor].map((end) => end?.cause ?? UNKNOWN);
  if (causes.includes(PEER_RST)) return PEER_RST;
  return causes.includes(PEER_FIN) ? PEER_FIN : UNKNOWN;
}
