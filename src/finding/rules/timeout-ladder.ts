/**
 * The timeout ladder: which timeouts collide, read from the topology and confirmed by the run.
 *
 * - Keep-alive race: a hop keeps idle connections longer than the next hop does, so it may send
 *   a request on a connection that is being closed (RFC 9112 section 9.3.1 and 9.5). The idle
 *   side nearer the client should give up first.
 * - Slot against request: a queue's slot can be held by an idle connection longer than a waiting
 *   request lives (the incident: 75 s of keep-alive against 29 s of integration timeout).
 */
import type { Finding } from '../../model/summary.ts';
import type { Hop, Topology } from '../../model/topology.ts';
import { type FindingInput, hopsOf, type Rule, seconds, upstreamOf } from '../input.ts';

export const timeoutLadder: Rule = (input) => [
  ...keepAliveRaces(input),
  ...slotOutlivesRequest(input),
];

/** How long a hop keeps an idle connection to the next hop; 0 = for ever, null = it keeps none. */
function keepsUpstreamIdle(hop: Hop): number | null {
  switch (hop.kind) {
    case 'clients':
    case 'edge':
    case 'gateway':
    case 'l7-balancer':
      return hop.pool.idleTimeout;
    case 'web-server':
      return hop.upstreamIdleMax > 0 ? hop.upstreamIdleTimeout : null;
    default:
      return null;
  }
}

/**
 * How long a hop keeps an idle connection from downstream; 0 = for ever, null = not its business.
 */
function keepsDownstreamIdle(hop: Hop): number | null {
  switch (hop.kind) {
    case 'edge':
    case 'gateway':
    case 'l7-balancer':
      return hop.clientIdleTimeout;
    case 'web-server':
    case 'app':
      return hop.keepAliveTimeout;
    default:
      return null;
  }
}

function nextL7(topology: Topology, from: Hop): Hop | null {
  return (
    upstreamOf(topology, from).find(
      (one) => one.kind !== 'l4-balancer' && one.kind !== 'connection-queue',
    ) ?? null
  );
}

function keepAliveRaces({ topology, summary }: FindingInput): Finding[] {
  return topology.hops.flatMap((hop): Finding[] => {
    const next = nextL7(topology, hop);
    const keeps = keepsUpstreamIdle(hop);
    const given = next === null ? null : keepsDownstreamIdle(next);
    if (next === null || keeps === null || given === null || given === 0) return [];
    if (keeps !== 0 && keeps < given) return [];
    const link = summary.links.find((one) => one.name.startsWith(`${hop.name}->`));
    return [
      {
        kind: 'timeout-ladder',
        hop: hop.name,
        severity: 'warning',
        title:
          `"${hop.name}" keeps idle connections ${keeps === 0 ? 'for ever' : seconds(keeps)}, ` +
          `but ` +
          `"${next.name}" closes them after ${seconds(given)}: a request can meet the closing.`,
        evidence: {
          keepsIdleSeconds: keeps / 1e6,
          closedAfterSeconds: given / 1e6,
          closedByIdleTimeout: link?.closedBy.idle_timeout ?? 0,
        },
        remedy:
          `Let the side nearer the client give up first: its idle timeout below ` +
          `${seconds(given)}.`,
      },
    ];
  });
}

function slotOutlivesRequest({ topology, summary }: FindingInput): Finding[] {
  return hopsOf(topology, 'connection-queue').flatMap((queue): Finding[] => {
    if (queue.reclaim !== 'none') return [];
    const server = nextL7(topology, queue);
    const held = server === null ? null : keepsDownstreamIdle(server);
    const patience = Math.min(
      ...hopsOf(topology, 'gateway').map((gateway) => gateway.integrationTimeout),
      ...hopsOf(topology, 'l7-balancer').map((balancer) => balancer.responseTimeout),
    );
    if (server === null || held === null || !Number.isFinite(patience)) return [];
    if (held !== 0 && held <= patience) return [];
    const measured = summary.queues.find((one) => one.name === queue.name);
    return [
      {
        kind: 'timeout-ladder',
        hop: queue.name,
        severity: 'warning',
        title:
          `A slot of "${queue.name}" can be held ${held === 0 ? 'for ever' : seconds(held)} by ` +
          `an idle ` +
          `connection, but a request that waits for it dies after ${seconds(patience)}.`,
        evidence: {
          slotHeldSeconds: held / 1e6,
          requestLivesSeconds: patience / 1e6,
          starvedConnections: measured?.starvedConnections ?? null,
        },
        remedy:
          `Keep-alive of "${server.name}" below the request timeout, or ` +
          `${queue.name}.reclaim: idle-yield.`,
      },
    ];
  });
}
