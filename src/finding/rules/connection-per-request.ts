/**
 * Connection per request: a relay that could keep its connections to the next hop is set to use
 * each of them once. Every request pays for a handshake, and leaves a port in TIME_WAIT for a
 * minute (Linux: TCP_TIMEWAIT_LEN, 60 s) at the end that closed first.
 *
 * Fires where the setting says so and at least nine tenths of the requests bore it out. Not for
 * clients, whose habit it may be, nor before a queue that gives slots to connections for as long
 * as they live: there an idle connection would cost more than a new one.
 */
import type { Finding, LinkSummary } from '../../model/summary.ts';
import type { Hop, Topology } from '../../model/topology.ts';
import { type Rule, round, upstreamOf } from '../input.ts';

const OPENED_SHARE_MIN = 0.9;
/** Fewer requests than this may each have found nothing to use again. */
const EXCHANGES_MIN = 20;
const TIME_WAIT_SECONDS = 60;
/** From this share of the ports on, what a kept connection would not notice is a danger. */
const PORTS_SHARE_MAX = 0.5;

export const connectionPerRequest: Rule = ({ topology, info, summary }) =>
  summary.links.flatMap((link): Finding[] => {
    const planned = info.plan.links.find((one) => one.name === link.name);
    const hop = topology.hops.find((one) => one.name === planned?.downstream);
    if (planned?.purpose !== 'traffic' || hop === undefined) return [];
    if (hop.kind === 'clients' || hop.kind === 'database') return [];
    const cure = cureOf(hop);
    if (cure === null || slotsAreHeld(topology, hop)) return [];
    return found(link, cure, {
      name: hop.name,
      ports: hop.ephemeralPorts,
      seconds: summary.durationSeconds,
      hosts: topology.hosts.find((group) => group.hops.includes(hop.name))?.count ?? 1,
    });
  });

/** The setting that makes a relay use each connection once; null = it does not. */
function cureOf(hop: Hop): string | null {
  switch (hop.kind) {
    case 'web-server':
      return hop.upstreamIdleMax > 0
        ? null
        : `${hop.name}.upstreamIdleMax: 32 keeps idle connections (nginx: "keepalive 32" in the ` +
            'upstream block, with proxy_http_version 1.1 and an empty Connection field)';
    case 'edge':
    case 'gateway':
    case 'l7-balancer':
      return hop.pool.requestsPerConnectionMax === 1
        ? `${hop.name}.pool.requestsPerConnectionMax: 0 lets a connection carry any number`
        : null;
    default:
      return null;
  }
}

/** Before the next hop that reads requests stands a queue whose slots idle connections keep. */
function slotsAreHeld(topology: Topology, from: Hop): boolean {
  for (const hop of upstreamOf(topology, from)) {
    if (hop.kind === 'connection-queue' && hop.reclaim === 'none') return true;
    if (hop.kind !== 'connection-queue' && hop.kind !== 'l4-balancer') return false;
  }
  return false;
}

interface Opener {
  readonly name: string;
  /** Of each of its hosts. */
  readonly ports: number;
  readonly hosts: number;
  /** How long it was looked at. */
  readonly seconds: number;
}

function found(
  { name, opened, exchanges, requestsPerNewConnection }: LinkSummary,
  cure: string,
  opener: Opener,
): Finding[] {
  const { ports, hosts, seconds } = opener;
  if (opened === null || exchanges === null || exchanges < EXCHANGES_MIN || seconds <= 0) return [];
  if (opened < OPENED_SHARE_MIN * exchanges) return [];
  const perSecond = opened / seconds;
  const taken = Math.round((perSecond / hosts) * TIME_WAIT_SECONDS);
  return [
    {
      kind: 'connection-per-request',
      hop: opener.name,
      severity: taken > PORTS_SHARE_MAX * ports ? 'warning' : 'info',
      title:
        `Nearly every request on ${name} opened a connection of its own: ${opened} connections ` +
        `for ${exchanges} requests, ${round(perSecond, 1)} a second.`,
      evidence: {
        link: name,
        opened,
        exchanges,
        requestsPerNewConnection,
        newConnectionsPerSecond: round(perSecond),
        timeWaitPerHost: taken,
        portsPerHost: ports,
      },
      remedy:
        `${cure}. Each connection costs a handshake and work in two kernels; at this rate ` +
        `${taken} of ${ports} ports${hosts > 1 ? ' of each host' : ''} are in TIME_WAIT.`,
    },
  ];
}
