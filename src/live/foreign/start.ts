/** Which foreign program stands for which hop. */
import type { Hop } from '../../model/topology.ts';
import { databaseAt, startMariadb } from './mariadb.ts';
import { startNginx } from './nginx.ts';
import type { ForeignContext, ForeignServer } from './server.ts';

export function startForeign(hop: Hop, ctx: ForeignContext): Promise<ForeignServer> {
  if (hop.kind === 'web-server') return startNginx(hop, ctx);
  if (hop.kind === 'database' && hop.url !== null)
    return Promise.resolve(databaseAt(hop.url, hop, ctx));
  if (hop.kind === 'database') return startMariadb(hop, ctx);
  throw new Error(`no foreign program stands for ${hop.kind}`);
}
