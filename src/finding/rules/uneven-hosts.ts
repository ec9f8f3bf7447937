/**
 * Uneven hosts: a balancer that spreads flows, not requests, gives some hosts several times the
 * requests of others (more than 3 x in the incident). Fires when, over the whole load, the
 * busiest host got at least 1.5 x the mean and at least 4 standard deviations of what equal
 * shares of independent requests would scatter (sqrt of the mean).
 */
import { hopsOf, type Rule, round } from '../input.ts';

const BUSIEST_TO_MEAN_MIN = 1.5;
const DEVIATIONS_MIN = 4;

export const unevenHosts: Rule = ({ topology, seconds }) =>
  topology.hosts.flatMap((group) => {
    if (group.count < 2) return [];
    const totals = new Array<number>(group.count).fill(0);
    for (const row of seconds) {
      if (row.measure !== 'requests' || row.second < 0) continue;
      if (!row.scope.startsWith(`host:${group.name}#`)) continue;
      const replica = Number(row.scope.slice(row.scope.indexOf('#') + 1));
      totals[replica] = (totals[replica] ?? 0) + (row.value ?? 0);
    }
    const mean = totals.reduce((sum, one) => sum + one, 0) / group.count;
    const busiest = Math.max(...totals);
    const quietest = Math.min(...totals);
    if (mean === 0 || busiest < BUSIEST_TO_MEAN_MIN * mean) return [];
    if (busiest - mean < DEVIATIONS_MIN * Math.sqrt(mean)) return [];
    const balancer = [...hopsOf(topology, 'l4-balancer'), ...hopsOf(topology, 'l7-balancer')].find(
      (one) => one.upstream !== null && group.hops.includes(one.upstream),
    );
    const ratio = quietest === 0 ? null : round(busiest / quietest, 1);
    return [
      {
        kind: 'uneven-hosts',
        hop: balancer?.name ?? null,
        severity: 'warning',
        title:
          `Host ${group.name}#${totals.indexOf(busiest)} got ${busiest} requests, ` +
          `${round(busiest / mean, 1)} x the mean; the quietest got ${quietest}.`,
        evidence: {
          requestsPerHost: totals,
          busiestToMean: round(busiest / mean),
          busiestToQuietest: ratio,
          algorithm: balancer?.algorithm ?? null,
        },
        remedy:
          'Balance requests instead of flows (an L7 balancer with least outstanding requests), ' +
          'or ' +
          'open more, shorter-lived connections so that the hash evens out.',
      },
    ];
  });
