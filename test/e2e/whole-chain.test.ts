/** The incident's whole chain, with the real nginx and MariaDB in it. */
import { describe, expect, it } from 'vitest';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, linkOf, only, summaryOf, users, writeTopology } from './pipelines.ts';

describe('the whole chain', () => {
  it('carries every request through nginx to MariaDB, and accounts for it', async (context) => {
    requireProgram('nginx', context);
    requireProgram('mariadbd', context);
    using folder = tempFolder();
    const document = incident({
      clients: users(24, '150ms'),
      nginx: { implementation: 'nginx' },
      db: { implementation: 'mariadb' },
    });
    const file = writeTopology(folder.path, document);
    const summary = await summaryOf([file, '--duration', '6s']);
    const { requests, served } = only(summary.clients);
    expect(served).toBe(24);
    expect(requests).toMatchObject({ failed: 0, resets: 0, timeouts: 0, serverErrors5xx: 0 });
    expect(requests.ok).toBeGreaterThan(300);
    expect(requests.sent).toBe(requests.answered + requests.pending);
    const traffic = summary.links.filter((link) => !link.name.endsWith('#alive'));
    expect(traffic.map((link) => link.name)).toEqual([
      'clients->cdn',
      'cdn->apigw',
      'apigw->nlb',
      'nlb->queue',
      'queue->nginx',
      'nginx->app',
      'app->db',
    ]);
    for (const link of traffic) {
      expect(link.opened).toBe((link.closed ?? 0) + (link.open ?? 0));
      expect(link.exchanges).toBeGreaterThanOrEqual(requests.answered);
    }
    expect(linkOf(summary, 'nlb->nginx#alive').exchanges).toBeGreaterThan(10);
    // Which request became which, through the foreign nginx: one client, several connections.
    expect(linkOf(summary, 'app->db').multiplication).toBeGreaterThan(1);
  });
});
