/** The chain with nginx and HAProxy in every place that can have them. */
import { describe, expect, it } from 'vitest';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, linkOf, only, summaryOf, users, writeTopology } from './pipelines.ts';

describe('a chain of foreign hops', () => {
  it('carries every request from our clients to our app, and accounts for it', async (context) => {
    requireProgram('nginx', context);
    requireProgram('haproxy', context);
    using folder = tempFolder();
    const document = incident({
      clients: users(12, '50ms'),
      cdn: { implementation: 'nginx' },
      apigw: { implementation: 'nginx' },
      nlb: { implementation: 'haproxy' },
      queue: { implementation: 'haproxy', reclaim: 'none' },
      nginx: { implementation: 'nginx' },
    });
    const summary = await summaryOf([writeTopology(folder.path, document), '--duration', '3s']);
    const { requests, served } = only(summary.clients);
    expect(served).toBe(12);
    expect(requests).toMatchObject({ failed: 0, resets: 0, timeouts: 0, serverErrors5xx: 0 });
    expect(requests.ok).toBeGreaterThan(100);
    // What both ends of the chain tell is joined through five foreign hops.
    const arrived = linkOf(summary, 'nginx->app');
    expect(arrived.exchanges).toBeGreaterThanOrEqual(requests.answered);
    expect(arrived.multiplication).toBeGreaterThan(1);
    // Between foreign hops nobody tells of connections: unknown, not none.
    for (const name of ['cdn->apigw', 'apigw->nlb', 'nlb->queue', 'queue->nginx']) {
      expect(linkOf(summary, name)).toMatchObject({ opened: null, open: null, exchanges: null });
    }
    expect(summary.queues).toEqual([]);
    const finding = summary.findings.find(({ kind }) => kind === 'multiplication');
    expect(finding?.hop).toBeNull();
  });
});
