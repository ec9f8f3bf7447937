/** Which foreign program stands for which hop. */
import type { Hop } from '../../model/topology.ts';
import { startHaproxyBalancer, startHaproxyQueue } from './haproxy.ts';
import { databaseAt, startMariadb } from './mariadb.ts';
import { startNginx } from './nginx.ts';
import { startNginxEdge, startNginxGateway } from './nginx-proxy.ts';
import type { ForeignContext, ForeignServer } from './server.ts';

export function startForeign(hop: Hop, ctx: ForeignContext): Promise<ForeignServer> {
  switch (hop.kind) {
    case 'edge':
      return startNginxEdge(hop, ctx);
    case 'gateway':
      return startNginxGateway(hop, ctx);
    case 'l4-balancer':
      return startHaproxyBalancer(hop, ctx);
    case 'connection-queue':
      return startHaproxyQueue(hop, ctx);
    case 'web-server':
      return startNginx(hop, ctx);
    case 'database':
      return hop.url === null
        ? startMariadb(hop, ctx)
        : Promise.resolve(databaseAt(hop.url, hop, ctx));
    default:
      throw new Error(`no foreign program stands for ${hop.kind}`);
  }
}
