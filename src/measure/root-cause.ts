/**
 * Who closed a connection, and why.
 *
 * The end that decides names its reason; the other end sees `peer_fin` or `peer_rst`. A relay
 * that merely passes a FIN or RST on says `peer_fin` or `peer_rst` at both of its sockets, so a
 * whole chain may hold one reason only, links away: the nearest decided connection of the chain
 * lends its cause, at equal distance the one that closed first. What nobody of ours decided
 * (a foreign client left) stays `peer_rst` or `peer_fin`, and `unknown` if no end knew that.
 *
 * A process that dies takes its last events with it. A connection of which only the other end is
 * known, and that end decided nothing, was therefore closed by the death.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import { type Chain, type Connection, type End, NEVER } from './state.ts';

const UNKNOWN = closeCauseCode('unknown');
const PEER_FIN = closeCauseCode('peer_fin');
const PEER_RST = closeCauseCode('peer_rst');
const PROCESS_DIED = closeCauseCode('process_died');

type Decision = Pick<End, 'cause' | 'closedAt'>;
type DeadHops = ReadonlySet<string>;

/** @param dead hops that lost a process */
export function rootCause(chain: Chain, connection: Connection, dead: DeadHops): number {
  const own = decision(connection, dead);
  if (own !== null) return own.cause;
  const position = chain.connections.indexOf(connection);
  for (let distance = 1; distance < chain.connections.length; distance++) {
    const below = decisionAt(chain, position - distance, dead);
    const above = decisionAt(chain, position + distance, dead);
    const nearest = earlier(below, above);
    if (nearest !== null) return nearest.cause;
  }
  return seenCause(connection);
}

function decisionAt(chain: Chain, position: number, dead: DeadHops): Decision | null {
  const connection = chain.connections[position];
  return connection === undefined ? null : decision(connection, dead);
}

/** The end that decided to close this connection; the earlier one if both did. */
function decision(connection: Connection, dead: DeadHops): Decision | null {
  const { connector, acceptor, link } = connection;
  const told = earlier(decided(connector), decided(acceptor));
  if (told !== null) return told;
  const known = connector ?? acceptor;
  const isLost =
    (connector === null && link.connectorOwn && dead.has(link.downstream)) ||
    (acceptor === null && link.acceptorOwn && dead.has(link.upstream));
  if (!isLost || known === null || known.closedAt === NEVER) return null;
  return { cause: PROCESS_DIED, closedAt: known.closedAt };
}

function decided(end: End | null): End | null {
  if (end === null || end.closedAt === NEVER) return null;
  const { cause } = end;
  return cause === UNKNOWN || cause === PEER_FIN || cause === PEER_RST ? null : end;
}

function earlier(first: Decision | null, second: Decision | null): Decision | null {
  if (first === null || second === null) return first ?? second;
  return first.closedAt <= second.closedAt ? first : second;
}

function seenCause(connection: Connection): number {
  const causes = [connection.connector, connection.acceptor].map((end) => end?.cause ?? UNKNOWN);
  if (causes.includes(PEER_RST)) return PEER_RST;
  return causes.includes(PEER_FIN) ? PEER_FIN : UNKNOWN;
}
