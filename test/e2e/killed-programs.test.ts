/**
 * Real nginx and real MariaDB are killed in the middle of a run and started again: failures are
 * counted, the chain finds them again, and every connection and request stays accounted for.
 */
import path from 'node:path';
import { expect, it } from 'vitest';
import { readSeries } from '../../src/recording/recording.ts';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { linkOf, only, summaryOf, users, writeTopology } from './pipelines.ts';

const hops = [
  users(20, '50ms', { retry: { attemptsMax: 1 } }),
  { name: 'apigw', kind: 'gateway', nodes: 2 },
  // One check at the beginning: nobody is taken for unhealthy here.
  { name: 'nlb', kind: 'l4-balancer', healthCheck: { hop: 'nginx', interval: '60s' } },
  { name: 'queue', kind: 'connection-queue', activeMax: 15 },
  { name: 'nginx', kind: 'web-server', implementation: 'nginx', upstreamIdleMax: 8 },
  { name: 'app', kind: 'app', serviceTime: '2ms' },
  { name: 'db', kind: 'database', implementation: 'mariadb' },
];

it('nginx and MariaDB are killed, come back, and the books balance', async (context) => {
  requireProgram('nginx', context);
  requireProgram('mariadbd', context);
  using folder = tempFolder();
  const recording = path.join(folder.path, 'rec');
  const file = writeTopology(folder.path, {
    name: 'killed-programs',
    duration: '9s',
    hops,
    hosts: [{ name: 'ec2', count: 2, hops: ['queue', 'nginx', 'app'] }],
    timeline: [
      { at: '1s', action: 'kill', hop: 'nginx', lasts: '1s' },
      { at: '4s', action: 'kill', hop: 'db', lasts: '1s' },
    ],
  });
  const summary = await summaryOf([file, '--record', recording]);
  expect(summary.balanced).toBe(true);
  const { requests } = only(summary.clients);
  expect(requests.serverErrors5xx).toBeGreaterThan(20);
  expect(requests.sent).toBe(requests.answered + requests.failed + requests.pending);
  // Both lost what they had; resets and FINs of a killed program are the kernel's.
  const byPeer = (link: string): number => {
    const { peer_rst = 0, peer_fin = 0 } = linkOf(summary, link).closedBy;
    return peer_rst + peer_fin;
  };
  expect(byPeer('queue->nginx')).toBeGreaterThan(0);
  expect(byPeer('app->db')).toBeGreaterThan(0);
  // In its last second the chain serves as it did in its first: both are back.
  const ok: number[] = [];
  for await (const rows of readSeries(recording)) {
    for (const { scope, measure, second, value } of rows) {
      if (scope === 'clients:clients' && measure === 'ok') ok[second] = value ?? 0;
    }
  }
  expect(Math.max(...ok.slice(-3))).toBeGreaterThan(20);
});
