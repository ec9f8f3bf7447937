/** Faults of the timeline: whatever happens, every connection and request stays accounted for. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { readSeries } from '../../src/recording/recording.ts';
import { readRun } from '../../src/recording/run-document.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  type HopDocument,
  incident,
  linkOf,
  only,
  summaryOf,
  users,
  writeTopology,
} from './pipelines.ts';

interface Outcome {
  readonly summary: Summary;
  /** Requests answered in each second, from 0. */
  readonly answered: readonly number[];
}

async function withFault(
  timeline: readonly HopDocument[],
  more: Parameters<typeof incident>[0] = {},
): Promise<Outcome> {
  using folder = tempFolder();
  const recording = path.join(folder.path, 'rec');
  const file = writeTopology(folder.path, { ...incident(more), timeline });
  const summary = await summaryOf([file, '--record', recording]);
  const { marks } = await readRun(recording);
  expect(marks.filter((mark) => mark.kind !== 'note')).toHaveLength(timeline.length);
  const answered: number[] = [];
  for await (const rows of readSeries(recording)) {
    for (const { scope, measure, second, value } of rows) {
      if (scope === 'clients:clients' && measure === 'answered') answered[second] = value ?? 0;
    }
  }
  return { summary, answered };
}

describe('faults', () => {
  it('a database stall stops the answers, and they come back', async () => {
    const fault = { at: '1s', action: 'stall', hop: 'db', lasts: '2s' };
    const { summary, answered } = await withFault([fault]);
    const { requests, latencyMs } = only(summary.clients);
    expect(requests.failed).toBe(0);
    expect(latencyMs?.p99_9).toBeGreaterThan(1_500);
    expect(answered[2]).toBeLessThan(5);
    expect(answered[3]).toBeGreaterThan(20);
  });

  it('replaced gateway nodes lose their pools: new connections, no failed request', async () => {
    const fault = { at: '1500ms', action: 'replace-nodes', hop: 'apigw', count: 3 };
    const [calm, { summary }] = await Promise.all([withFault([]), withFault([fault])]);
    const opened = linkOf(summary, 'apigw->nlb').opened;
    expect(opened).toBeGreaterThan(linkOf(calm.summary, 'apigw->nlb').opened ?? 0);
    expect(linkOf(summary, 'apigw->nlb').closed).toBeGreaterThan(0);
    expect(only(summary.clients).requests.failed).toBe(0);
  });

  it('a host that goes down is found unhealthy, and serves again when it is back', async () => {
    const fault = { at: '500ms', action: 'host-down', hosts: 'ec2', replica: 1, lasts: '1500ms' };
    const { summary, answered } = await withFault([fault]);
    const { requests } = only(summary.clients);
    expect(linkOf(summary, 'nlb->queue').closedBy.local_rst).toBeGreaterThan(0);
    expect(requests.serverErrors5xx + requests.resets + requests.failed).toBeGreaterThan(0);
    expect(answered[3]).toBeGreaterThan(20);
  });

  it('reset connections at every hop are told apart and balance', async () => {
    const fault = (at: string, hop: string): HopDocument => {
      return { at, action: 'reset-connections', hop, share: 0.7 };
    };
    const { summary } = await withFault([
      fault('500ms', 'cdn'),
      fault('1s', 'apigw'),
      fault('1500ms', 'nlb'),
      fault('2s', 'queue'),
      fault('2500ms', 'nginx'),
      fault('3s', 'db'),
    ]);
    for (const name of ['clients->cdn', 'cdn->apigw', 'apigw->nlb', 'nlb->queue', 'app->db']) {
      const { closedBy } = linkOf(summary, name);
      expect([name, closedBy.local_rst ?? 0]).not.toEqual([name, 0]);
    }
  });

  it('clients that stop reading hold what they have, and go on when they read again', async () => {
    const fault = { at: '1s', action: 'stop-reading', hop: 'clients', share: 0.5, lasts: '1500ms' };
    const { summary, answered } = await withFault([fault], {
      app: { responseBytes: '64kB' },
    });
    const { requests } = only(summary.clients);
    expect(requests.failed).toBe(0);
    // Half of the users do without answers meanwhile.
    expect(answered[1] ?? 0).toBeGreaterThan(10);
    expect(answered[3] ?? 0).toBeGreaterThan(1.3 * (answered[1] ?? 0));
  });

  it('a slow database under impatient users: timeouts and retries, all accounted for', async () => {
    const retry = { attemptsMax: 3, backoff: '20ms' };
    const fault = { at: '1s', action: 'slow', hop: 'db', factor: 1000, lasts: '1500ms' };
    const { summary } = await withFault([fault], {
      clients: users(30, '50ms', { timeout: '600ms', retry }),
    });
    const { requests } = only(summary.clients);
    expect(requests.timeouts).toBeGreaterThan(5);
    expect(requests.retries).toBeGreaterThan(5);
    expect(only(summary.clients).attemptsPerSuccess).toBeGreaterThan(1);
  });
});
