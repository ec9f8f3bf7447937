/**
 * The failure and its cure, on demand: 60 keep-alive clients, 15 slots (facts of the incident,
 * "What the best peer does"). HAProxy beside it, under the same foreign load, starves the same 45.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { startCli } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { closedUsers } from './closed-users.ts';
import {
  expectClean,
  only,
  summaryOf,
  type TopologyDocument,
  users,
  writeTopology,
} from './pipelines.ts';

const GOLDEN = 'examples/golden-connections.yaml';
const SHORT = ['--duration', '6s'];
const APP = { name: 'app', kind: 'app', serviceTime: '5ms', keepAliveTimeout: 0 };
const QUEUE = { name: 'queue', kind: 'connection-queue', activeMax: 15 };
const NGINX = {
  name: 'nginx',
  kind: 'web-server',
  implementation: 'nginx',
  keepAliveRequests: 0,
  upstreamIdleMax: 32,
};
const CURE = ['--set', 'queue.reclaim=idle-yield'];

const GOLDEN_NGINX: TopologyDocument = {
  name: 'golden-nginx',
  duration: '5s',
  hops: [users(60, '200ms', { timeout: 0 }), QUEUE, NGINX, APP],
};

describe('golden connections', () => {
  it('without reclaim serves exactly 15 clients and starves 45, silently', async () => {
    const summary = await summaryOf([GOLDEN, ...SHORT]);
    const clients = only(summary.clients);
    expect(clients).toMatchObject({ count: 60, served: 15, starved: 45 });
    expect(clients.requests).toMatchObject({ failed: 0, pending: 45, timeouts: 0, resets: 0 });
    expect(clients.requests.sent).toBe(clients.requests.answered + 45);
    const queue = only(summary.queues);
    expect(queue.starvedConnections).toBe(45);
    expect(queue.slotOccupancy).toBeGreaterThan(0.97);
    // 5 ms of service in a cycle of 205 ms, plus what this machine adds.
    expect(queue.slotUtilisation).toBeGreaterThan(0.02);
    expect(queue.slotUtilisation).toBeLessThan(0.08);
    expect(summary.findings.map((finding) => finding.kind)).toContain('slot-hoarding');
  });

  it('with idle-yield serves all 60, about as often as without any queue', async () => {
    // Side by side, so that a busy machine slows both. (bench/golden.mjs compares exactly.)
    const [cured, free] = await Promise.all([
      summaryOf([GOLDEN, ...SHORT, ...CURE]),
      summaryOf(['examples/golden-no-queue.yaml', ...SHORT]),
    ]);
    expect(only(cured.clients)).toMatchObject({ served: 60, starved: 0 });
    expect(only(cured.clients).requests.failed).toBe(0);
    expect(only(cured.clients).requests.answered).toBeGreaterThanOrEqual(
      0.9 * only(free.clients).requests.answered,
    );
    expect(cured.findings.map((finding) => finding.kind)).not.toContain('slot-hoarding');
  });

  it('does both in front of real nginx', async (context) => {
    requireProgram('nginx', context);
    using folder = tempFolder();
    const file = writeTopology(folder.path, GOLDEN_NGINX);
    const [failing, cured] = await Promise.all([summaryOf([file]), summaryOf([file, ...CURE])]);
    expect(only(failing.clients)).toMatchObject({ served: 15, starved: 45 });
    expect(only(failing.clients).requests).toMatchObject({ failed: 0, pending: 45 });
    expect(only(cured.clients)).toMatchObject({ served: 60, starved: 0 });
    expect(only(cured.clients).requests.failed).toBe(0);
  });

  it('HAProxy mode tcp with maxconn 15 does the same to the same users', async (context) => {
    const haproxy = requireProgram('haproxy', context);
    using folder = tempFolder();
    const load = { users: 60, thinkMs: 200, seconds: 4 };
    const [peer, ours] = await Promise.all([
      usersOfHaproxy(haproxy, folder.path, load),
      usersOfOurs(load),
    ]);
    expect([peer.served, peer.starved, peer.errors]).toEqual([15, 45, 0]);
    expect([ours.served, ours.starved, ours.errors]).toEqual([15, 45, 0]);
  });
});

interface Load {
  readonly users: number;
  readonly thinkMs: number;
  readonly seconds: number;
}

async function usersOfOurs(load: Load): ReturnType<typeof closedUsers> {
  await using run = startCli(['run', GOLDEN, '--no-load', '--duration', '60s', '--json']);
  const address = await run.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
  const result = await closedUsers({ ...load, port: Number(address[1]) });
  run.signal('SIGINT');
  const ended = await run.ended;
  expect(ended.code).toBe(130);
  expectClean(ended);
  return result;
}

/** The users before HAProxy, which has an app of the same service time behind it. */
async function usersOfHaproxy(
  haproxy: string,
  folder: string,
  load: Load,
): ReturnType<typeof closedUsers> {
  const app = http.createServer((_request, response) => {
    setTimeout(() => response.end('ok'), 5);
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  const bound = app.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
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
  const peer = spawn(haproxy, ['-db', '-f', config], { stdio: 'ignore' });
  const ended = once(peer, 'exit');
  try {
    await sleep(500);
    return await closedUsers({ ...load, port });
  } finally {
    peer.kill('SIGKILL');
    await ended;
    app.closeAllConnections();
    app.close();
  }
}
