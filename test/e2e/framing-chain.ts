/**
 * Every relay of the incident's chain in this process, on real sockets, in front of any server:
 *
 *   edge ──► gateway ──► L4 balancer ──► connection queue ──► web server ──► far
 *
 * Settings are the topology's defaults, but for health checks, and what `set` changes.
 */
import { createConnectionQueue } from '../../src/live/hops/connection-queue.ts';
import { createEdge } from '../../src/live/hops/edge.ts';
import { createGateway } from '../../src/live/hops/gateway.ts';
import { createL4Balancer } from '../../src/live/hops/l4-balancer.ts';
import { createWebServer } from '../../src/live/hops/web-server.ts';
import { type RunningHop, startHop } from '../../src/live/test-http.case.ts';
import { testLinks } from '../../src/live/test-support.ts';
import type { Endpoint, Instance } from '../../src/model/run.ts';
import { CHAIN, hopOf, topologyOf } from '../../src/topology/test-support.ts';

const DOCUMENT = CHAIN.replace('  - name: apigw', '  - { name: cdn, kind: edge }\n  - name: apigw');

export interface Chain {
  /** Where clients connect. */
  readonly port: number;
  readonly queue: RunningHop;
  /** From the front to the back. */
  readonly hops: readonly RunningHop[];
  /** Stops every hop and checks that its books balance. */
  stop(): Promise<void>;
}

const at = (hop: RunningHop): Endpoint => endpoint(hop.port);

function endpoint(port: number): Endpoint {
  return { instance: 1, link: testLinks.outgoing.index, address: '127.0.0.1', port };
}

export async function startChain(farPort: number, set: readonly string[] = []): Promise<Chain> {
  const topology = topologyOf(DOCUMENT, { set: ['nlb.healthCheck.enabled=false', ...set] });
  const behind = (hop: RunningHop) => ({ targets: [at(hop)] });
  const web = await startHop(createWebServer, hopOf(topology, 'web-server'), {
    targets: [endpoint(farPort)],
  });
  const queue = await startHop(
    createConnectionQueue,
    hopOf(topology, 'connection-queue'),
    behind(web),
  );
  const others: Instance[] = [{ index: 1, hop: 'queue', replica: 0, host: 'ec2#0', process: 0 }];
  const nlb = await startHop(createL4Balancer, hopOf(topology, 'l4-balancer'), {
    ...behind(queue),
    others,
  });
  const gateway = await startHop(createGateway, hopOf(topology, 'gateway'), behind(nlb));
  const edge = await startHop(createEdge, hopOf(topology, 'edge'), behind(gateway));
  const hops = [edge, gateway, nlb, queue, web];
  return {
    port: edge.port,
    queue,
    hops,
    async stop() {
      for (const hop of hops) await hop.stop();
    },
  };
}
