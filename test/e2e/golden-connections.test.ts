/**
 * The failure and its cure, on demand: 60 keep-alive clients, 15 slots (facts of the incident,
 * "What the best peer does"). HAProxy beside it, under the same foreign load, starves the same 45.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { startKept } from '../../src/live/foreign/keeper.ts';
import type { Summary } from '../../src/model/summary.ts';
import { freePort } from '../support/free-port.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';
import { closedUsers } from './closed-users.ts';

const GOLDEN = 'examples/golden-connections.yaml';

async function summaryOf(args: readonly string[]): Promise<Summary> {
  const result = await runCli(['run', ...args, '--json']);
  expect(result.stderr).not.toMatch(/error/i);
  expect(result.code).toBe(0);
  expect(result.orphans).toEqual([]);
  expect(result.leftInTemp).toEqual([]);
  return JSON.parse(result.stdout) as Summary;
}

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

describe('golden connections', () => {
  it('without reclaim serves exactly 15 clients and starves 45, silently', async () => {
    const summary = await summaryOf([GOLDEN, '--duration', '10s']);
    expect(summary.balanced).toBe(true);
    const clients = only(summary.clients);
    expect(clients).toMatchObject({ count: 60, served: 15, starved: 45 });
    expect(clients.requests).toMatchObject({ failed: 0, pending: 45, timeouts: 0, resets: 0 });
    expect(clients.requests.sent).toBe(clients.requests.answered + 45);
    const queue = only(summary.queues);
    expect(queue.starvedConnections).toBe(45);
    expect(queue.slotOccupancy).toBeGreaterThan(0.97);
    // 5 ms of service in a cycle of 205 ms, plus what this machine adds.
    expect(queue.slotUtilisation).toBeGreaterThan(0.02);
    expect(queue.slotUtilisation).toBeLessThan(0.06);
    expect(summary.findings.map((finding) => finding.kind)).toContain('slot-hoarding');
  });

  it('with idle-yield serves all 60, nearly as often as without any queue', async () => {
    const cured = await summaryOf([
      GOLDEN,
      '--duration',
      '10s',
      '--set',
      'queue.reclaim=idle-yield',
    ]);
    const free = await summaryOf(['examples/golden-no-queue.yaml', '--duration', '10s']);
    expect(cured.balanced).toBe(true);
    expect(only(cured.clients)).toMatchObject({ served: 60, starved: 0 });
    expect(only(cured.clients).requests.failed).toBe(0);
    expect(only(cured.clients).requests.answered).toBeGreaterThanOrEqual(
      0.96 * only(free.clients).requests.answered,
    );
    expect(cured.findings.map((finding) => finding.kind)).not.toContain('slot-hoarding');
  });

  it('HAProxy mode tcp with maxconn 15 does the same to the same users', async (context) => {
    const haproxy = requireProgram('haproxy', context);
    const app = http.createServer((_request, response) => {
      setTimeout(() => response.end('ok'), 5);
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    const bound = app.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const folder = await mkdtemp(path.join(tmpdir(), 'waterhammer-'));
    const port = await freePort();
    const config = path.join(folder, 'haproxy.cfg');
    await writeFile(
      config,
      [
        'defaults',
        '  mode tcp',
        '  timeout connect 5s',
        '  timeout client 60s',
        '  timeout server 60s',
        '  timeout queue 60s',
        'listen queue',
        `  bind 127.0.0.1:${port}`,
        `  server app 127.0.0.1:${bound.port} maxconn 15`,
        '',
      ].join('\n'),
    );
    const kept = await startKept({
      command: haproxy,
      args: ['-db', '-f', config],
      folder,
      ready: port,
    });
    const seconds = 5;
    const users = { users: 60, thinkMs: 200, seconds };
    const peer = await closedUsers({ ...users, port });
    await kept.stop();
    await rm(folder, { recursive: true, force: true });
    app.closeAllConnections();
    app.close();

    await using run = startCli(['run', GOLDEN, '--no-load', '--duration', '60s', '--json']);
    const address = await run.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
    const ours = await closedUsers({ ...users, port: Number(address[1]) });
    run.signal('SIGINT');
    const ended = await run.ended;
    expect(ended.code).toBe(130);

    expect([peer.served, peer.starved, peer.errors]).toEqual([15, 45, 0]);
    expect([ours.served, ours.starved, ours.errors]).toEqual([15, 45, 0]);
  });
});
