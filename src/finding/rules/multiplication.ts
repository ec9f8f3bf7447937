/**
 * Multiplication: one client connection's requests travel over several connections behind a hop.
 * The false assumption of the incident was that it never happens. Fires at the first link, seen
 * from the clients, on which a client connection with at least two requests used on average 1.5
 * connections or more, and names the hop before it, which did the spreading. Where links before
 * it are unseen (between two foreign hops), it may as well have been a hop before those: none is
 * named.
 */
import type { LinkSummary } from '../../model/summary.ts';
import { hop, type Rule, round } from '../input.ts';

const MULTIPLICATION_MIN = 1.5;

const isSeen = ({ opened }: LinkSummary): boolean => opened !== null;

export const multiplication: Rule = ({ topology, summary, info }) => {
  for (const link of summary.links) {
    if (link.multiplication === null || link.multiplication < MULTIPLICATION_MIN) continue;
    const planned = info.plan.links.find((one) => one.name === link.name);
    const spreader = hop(topology, planned?.downstream ?? null);
    if (planned?.purpose !== 'traffic' || spreader === null || spreader.kind === 'clients')
      continue;
    const known = summary.links.slice(0, summary.links.indexOf(link)).every(isSeen);
    const who = known ? `"${spreader.name}"` : 'a hop before it';
    return [
      {
        kind: 'multiplication',
        hop: known ? spreader.name : null,
        severity: 'warning',
        title:
          `One client connection's requests used ${round(link.multiplication, 1)} connections ` +
          `on ${link.name}: ${who} does not tie a client to one of them.`,
        evidence: {
          link: link.name,
          multiplication: round(link.multiplication),
          connectionRatio: link.connectionRatio,
          requestsPerNewConnection: link.requestsPerNewConnection,
          opened: link.opened,
        },
        remedy:
          'Do not let anything behind this hop treat connections as clients: a slot, a limit ' +
          'or a ' +
          'balance per connection is not one per client. Limit requests, or reclaim idle slots.',
      },
    ];
  }
  return [];
};
