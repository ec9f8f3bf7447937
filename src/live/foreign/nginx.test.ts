/** Real nginx in front of real HTTP servers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import type { WebServerHop } from '../../model/topology.ts';
import { plainWebServer, raw, request } from '../test-http.case.ts';
import { testUpstream, until } from '../test-support.ts';
import { freePorts } from './keeper.ts';
import { startNginx } from './nginx.ts';
import type { ForeignServer } from './server.ts';
import { foreignContext } from './test-plan.ts';

const cleanups: (() => Promise<unknown> | undefined)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const settings: WebServerHop = {
  ...plainWebServer,
  name: 'hop',
  implementation: 'nginx',
  keepAliveTimeout: 75_000_000,
  keepAliveRequests: 100,
};

interface Running {
  readonly nginx: ForeignServer;
  readonly ports: readonly number[];
  readonly logFolder: string;
  /** Connections that each app has accepted. */
  readonly accepted: number[];
}

async function start(changes: Partial<WebServerHop> = {}): Promise<Running> {
  const accepted = [0, 0];
  const apps = await Promise.all(
    accepted.map((_none, host) =>
      testUpstream((asked, answer) => {
        answer.setHeader('x-host', host);
        answer.setHeader('x-connection', asked.headers.connection ?? 'none');
        answer.end(asked.headers.traceparent ?? '');
      }),
    ),
  );
  apps.forEach(({ server, close }, host) => {
    server.on('connection', () => {
      accepted[host] = (accepted[host] ?? 0) + 1;
    });
    cleanups.push(close);
  });
  const logFolder = mkdtempSync(path.join(tmpdir(), 'waterhammer-logs-'));
  cleanups.push(async () => rmSync(logFolder, { recursive: true }));
  const hop = { ...settings, ...changes };
  const context = foreignContext(
    hop,
    apps.map(({ endpoint }) => endpoint.port),
  );
  const nginx = await startNginx(hop, { ...context, logFolder });
  cleanups.push(() => nginx.stop());
  return { nginx, ports: nginx.endpoints.map(({ port }) => port), logFolder, accepted };
}

const oneConnection = (): http.Agent => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  cleanups.push(async () => agent.destroy());
  return agent;
};

beforeEach((context) => void requireProgram('nginx', context));

describe('nginx', () => {
  it('listens once per link and host, and passes to the app of the same host', async () => {
    const { nginx, ports } = await start();
    expect(nginx.endpoints.map(({ instance, link }) => [instance, link])).toEqual([
      [0, 0],
      [1, 0],
      [0, 2],
      [1, 2],
    ]);
    const hosts = await Promise.all(
      ports.map(async (port) => (await request(port)).headers['x-host']),
    );
    expect(hosts).toEqual(['0', '1', '0', '1']);
  });

  it('closes a client connection after keepAliveRequests, and says so', async () => {
    const { ports } = await start({ keepAliveRequests: 3 });
    const agent = oneConnection();
    const closing: (string | undefined)[] = [];
    for (let i = 0; i < 6; i++) {
      closing.push((await request(ports[0] ?? 0, { agent })).headers.connection);
    }
    expect(closing).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
      'keep-alive',
      'keep-alive',
      'close',
    ]);
  });

  it('closes an idle connection after keepAliveTimeout; 0 = after each response', async () => {
    const once = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const short = await start({ keepAliveTimeout: 50_000 });
    // raw() resolves only when the other side has closed.
    expect(await raw(short.ports[0] ?? 0, once, () => false)).toContain('keep-alive');
    const none = await start({ keepAliveTimeout: 0 });
    expect(await raw(none.ports[0] ?? 0, once, () => false)).toContain('Connection: close');
  });

  it('keeps connections to the app only where it is told to', async () => {
    const without = await start({ upstreamIdleMax: 0 });
    const kept = await start({ upstreamIdleMax: 4 });
    for (const { ports } of [without, kept]) {
      for (let i = 0; i < 5; i++) await request(ports[0] ?? 0);
    }
    expect(without.accepted).toEqual([5, 0]);
    expect(kept.accepted).toEqual([1, 0]);
    expect((await request(without.ports[0] ?? 0)).headers['x-connection']).toBe('close');
    expect((await request(kept.ports[0] ?? 0)).headers['x-connection']).toBe('none');
  });

  it('passes the traceparent on, and logs which request of which connection it was', async () => {
    const { ports, logFolder, nginx } = await start();
    const agent = oneConnection();
    const headers = { traceparent: '00-1-2-01' };
    const answer = await request(ports[0] ?? 0, { agent, headers });
    expect(answer.body.toString()).toBe('00-1-2-01');
    await request(ports[0] ?? 0, { agent });
    await nginx.stop();
    const lines = readFileSync(path.join(logFolder, 'hop-access.log'), 'utf8').trim().split('\n');
    const [first, second] = lines.map((line) => line.split(' '));
    expect(first?.slice(2, 4)).toEqual(['1', '200']);
    expect(second?.slice(2, 4)).toEqual(['2', '200']);
    expect(first?.[1]).toBe(second?.[1]);
    expect(lines[0]).toContain('00-1-2-01');
  });

  it('answers 504 when the app is silent for too long, never where the limit is 0', async () => {
    const silent = await testUpstream(() => {});
    cleanups.push(silent.close);
    const context = foreignContext(settings, [silent.endpoint.port]);
    const nginx = await startNginx({ ...settings, responseTimeout: 30_000 }, context);
    cleanups.push(() => nginx.stop());
    expect((await request(nginx.endpoints[0]?.port ?? 0)).status).toBe(504);
    const patient = await startNginx({ ...settings, responseTimeout: 0 }, context);
    cleanups.push(() => patient.stop());
    const outcome = await Promise.race([
      request(patient.endpoints[0]?.port ?? 0).then(
        ({ status }) => status,
        () => 'closed',
      ),
      new Promise((resolve) => setTimeout(() => resolve('waits'), 150)),
    ]);
    expect(outcome).toBe('waits');
  });

  it('has a front for each of many hosts', async () => {
    const app = await testUpstream((_asked, answer) => answer.end('ok'));
    cleanups.push(app.close);
    const context = foreignContext(settings, new Array<number>(66).fill(app.endpoint.port));
    const nginx = await startNginx(settings, context);
    cleanups.push(() => nginx.stop());
    expect(nginx.endpoints).toHaveLength(132);
    const statuses = await Promise.all(
      nginx.endpoints.map(async ({ port }) => (await request(port)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("reports what stops it: a port in use, or nginx's own words", async () => {
    const [port = 0] = await freePorts(1);
    const listen = `127.0.0.1:${port}`;
    const first = await start({ listen });
    expect(first.ports[0]).toBe(port);
    await expect(start({ listen })).rejects.toMatchObject({
      code: 'program-failed',
      message: `port ${port} is in use`,
    });
    await expect(start({ keepAliveRequests: 1.5 })).rejects.toMatchObject({
      code: 'program-failed',
      message: expect.stringMatching(/invalid number.*nginx.conf:\d+/s),
    });
  });

  it('tells when it dies', async () => {
    const { nginx, logFolder } = await start();
    let reason = '';
    void nginx.died.then((why) => {
      reason = why;
    });
    expect(logFolder).not.toBe('');
    const pid = await nginxPid(nginx);
    process.kill(pid, 'SIGKILL');
    await until('its death is told', () => reason !== '');
    expect(reason).toContain('nginx ended (exit code 137)');
  });
});

/** The process that listens on the server's first port, as the kernel knows it. */
async function nginxPid(nginx: ForeignServer): Promise<number> {
  const { execFileSync } = await import('node:child_process');
  const port = nginx.endpoints[0]?.port ?? 0;
  const rows = execFileSync('ss', ['-Hltnp', `sport = :${port}`], { encoding: 'utf8' });
  const pids = [...rows.matchAll(/pid=(\d+)/g)].map((match) => Number(match[1]));
  return Math.min(...pids);
}
