/**
 * What a request spends on links with a delay: there and back on each, and where it has a
 * connection to itself, the connect. Connects of connections that carry more than one request are
 * left out.
 */
import { isL4 } from '../model/plan.ts';
import type { Hop } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { Chain } from './chain.ts';

/** Seconds on the links from `hop` to its app, and to the database for each of its queries. */
export function transit(chain: Chain, hop: Hop): number {
  return chain.from(hop).reduce((sum, one) => sum + roundTrips(chain, one), 0);
}

/** Of those, what lies on the links before `until`, connects to it included. */
export function transitBefore(chain: Chain, hop: Hop, until: Hop): number {
  const way = chain.from(hop);
  const before = way.slice(0, way.indexOf(until));
  return before.reduce((sum, one) => sum + roundTrips(chain, one), connecting(chain, until));
}

function roundTrips(chain: Chain, hop: Hop): number {
  const times = hop.kind === 'app' ? hop.queriesPerRequest : 1;
  return 2 * times * delayOf(hop) + connecting(chain, hop);
}

/** A connect takes a round trip on each link, one after another. */
function connecting(chain: Chain, hop: Hop): number {
  if (!opensEachTime(chain, hop)) return 0;
  return [hop, ...chain.relays(hop)].reduce((sum, one) => sum + 2 * delayOf(one), 0);
}

/** Does every request take equally long to the app, where it waits nowhere? */
export function isSteady(chain: Chain, client: Hop): boolean {
  const way = chain.from(client).filter(({ kind }) => kind !== 'app' && kind !== 'database');
  if (way.every((hop) => delayOf(hop) === 0)) return true;
  return way.every((hop) => isL4(hop) || opensEachTime(chain, hop));
}

/** Until the far end hears that this hop has closed a connection. */
export function oneWay(chain: Chain, hop: Hop): number {
  return [hop, ...chain.relays(hop)].reduce((sum, one) => sum + delayOf(one), 0);
}

/** Has each request a connection of this hop to itself? */
export function opensEachTime(chain: Chain, hop: Hop): boolean {
  const server = chain.acceptor(hop);
  if (server === null || hop.kind === 'app') return false;
  if (server.kind === 'web-server') {
    if (server.keepAliveTimeout === 0 || server.keepAliveRequests === 1) return true;
  }
  if (hop.kind === 'web-server') return hop.upstreamIdleMax === 0;
  if (hop.kind === 'clients' && hop.requestsPerIteration === 1) return true;
  return 'pool' in hop && hop.pool.requestsPerConnectionMax === 1;
}

function delayOf(hop: Hop): number {
  return 'upstreamDelay' in hop ? hop.upstreamDelay / MICROS_PER_SECOND : 0;
}

/** Whose connections a relay passes on. */
export function ownerOf(way: readonly Hop[], relay: Hop): Hop {
  return way.slice(0, way.indexOf(relay)).findLast((hop) => !isL4(hop)) ?? relay;
}
