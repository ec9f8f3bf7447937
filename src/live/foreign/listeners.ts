/**
 * Where a foreign hop listens and whom each listener passes on to: as with our own hops, one
 * listener per replica and incoming link, so that a port tells the link, and on a host only its
 * own host's replica of the next hop.
 */

import type { Endpoint } from '../../model/run.ts';
import type { Hop } from '../../model/topology.ts';
import { fixedPort, freePorts } from './keeper.ts';
import type { ForeignContext } from './server.ts';

export interface ForeignListener {
  readonly listener: Endpoint;
  /** The next hop's listeners that this one may pass on to. */
  readonly targets: readonly Endpoint[];
}

/** `perReplica` listeners for each replica and link, as an edge has one per location. */
export async function foreignListeners(
  hop: Hop,
  { plan, endpoints }: ForeignContext,
  perReplica = 1,
): Promise<ForeignListener[]> {
  const incoming = plan.links.filter((link) => link.upstream === hop.name);
  const outgoing = plan.links.find(
    ({ downstream, purpose }) => downstream === hop.name && purpose === 'traffic',
  );
  const replicas = plan.instances.filter((instance) => instance.hop === hop.name);
  const all = endpoints.filter((one) => one.link === outgoing?.index);
  const ports = await freePorts(incoming.length * replicas.length * perReplica);
  const found: ForeignListener[] = [];
  for (const link of incoming) {
    for (const { index: instance, replica, host } of replicas) {
      const own = all.filter((one) => plan.instances[one.instance]?.host === host);
      const targets = host === null || own.length === 0 ? all : own;
      if (targets.length === 0) throw new Error(`${hop.name} has nobody to pass requests to`);
      for (let i = 0; i < perReplica; i++) {
        const isFirst = replica === 0 && link === incoming[0] && i === 0;
        const port = (isFirst ? fixedPort(hop.listen) : null) ?? ports.pop() ?? 0;
        found.push({
          listener: { instance, link: link.index, address: '127.0.0.1', port },
          targets,
        });
      }
    }
  }
  return found;
}
