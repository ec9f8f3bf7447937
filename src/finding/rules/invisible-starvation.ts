/**
 * Starvation that health checks cannot see: connections starve at a queue while every target
 * stays healthy, because the checks go to a port behind the queue (the incident's alive check
 * went to nginx's 8080 directly).
 */
import { hoardedShare, hop, hopsOf, type Rule, upstreamOf } from '../input.ts';
import { HOARDED_SHARE_MIN } from './slot-hoarding.ts';

export const invisibleStarvation: Rule = ({ topology, summary, seconds }) => {
  const balancers = [...hopsOf(topology, 'l4-balancer'), ...hopsOf(topology, 'l7-balancer')];
  return balancers.flatMap((balancer) => {
    if (!balancer.healthCheck.enabled) return [];
    const path = upstreamOf(topology, balancer);
    const checked = hop(topology, balancer.healthCheck.hop);
    const queue = path.find((one) => one.kind === 'connection-queue');
    if (queue === undefined || checked === null) return [];
    if (path.indexOf(checked) <= path.indexOf(queue)) return [];
    const measured = summary.queues.find((one) => one.name === queue.name);
    const starved = measured?.starvedConnections ?? 0;
    if (measured === undefined || starved === 0) return [];
    // Waiting for busy slots is overload, which is another matter; see slot-hoarding.
    if (hoardedShare(topology, summary, measured).share < HOARDED_SHARE_MIN) return [];
    const unhealthy = [...seconds].some(
      (row) =>
        row.scope === `hop:${balancer.name}` &&
        row.measure === 'unhealthyTargets' &&
        (row.value ?? 0) > 0,
    );
    if (unhealthy) return [];
    return [
      {
        kind: 'invisible-starvation',
        hop: balancer.name,
        severity: 'warning',
        title:
          `${starved} connections starved at "${queue.name}" and "${balancer.name}" never saw an ` +
          `unhealthy target: its checks go to "${checked.name}", behind the queue.`,
        evidence: {
          starvedConnections: starved,
          unhealthyTargets: 0,
          healthCheckHop: checked.name,
          bypassedHop: queue.name,
          healthCheckPath: balancer.healthCheck.path,
        },
        remedy:
          `Check through the queue as well (${balancer.name}.healthCheck.hop: ` +
          `${queue.name}), or alarm on its held connections.`,
      },
    ];
  });
};
