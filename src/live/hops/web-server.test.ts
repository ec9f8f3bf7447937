/** The built-in web server's connection habits, between real clients and a real node:http app. */
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { WebServerHop } from '../../model/topology.ts';
import {
  causesOf,
  endsOf,
  never,
  plainWebServer,
  type RunningHop,
  raw,
  request,
  startHop,
} from '../test-http.case.ts';
import { type TestContextOptions, testLinks, testUpstream, until } from '../test-support.ts';
import { createWebServer } from './web-server.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(
  changes: Partial<WebServerHop>,
  handler: http.RequestListener,
  options: TestContextOptions = {},
): Promise<RunningHop> {
  const app = await testUpstream(handler);
  cleanups.push(() => app.close());
  return startAt(changes, { targets: [app.endpoint], ...options });
}

async function startAt(
  changes: Partial<WebServerHop>,
  options: TestContextOptions,
): Promise<RunningHop> {
  const server = await startHop(createWebServer, { ...plainWebServer, ...changes }, options);
  cleanups.push(() => server.stop());
  return server;
}

describe('web server', () => {
  it('opens a connection to the app per request by default, and says so', async () => {
    const seen: (string | undefined)[] = [];
    const server = await start({}, (req, res) => {
      seen.push(req.headers.connection);
      res.end(`hello ${req.url}`);
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/a', '/b', '/c']) {
      const { status, body, headers } = await request(server.port, { path, agent });
      expect([status, body.toString()]).toEqual([200, `hello ${path}`]);
      // Hop-by-hop: the app's `Connection: close` was about its own connection.
      expect(headers.connection).not.toBe('close');
    }
    agent.destroy();
    expect(seen).toEqual(['close', 'close', 'close']);
    const events = await server.stop();
    const connectors = endsOf(events, EventKind.connected);
    expect(endsOf(events, EventKind.accepted).size).toBe(1);
    expect(connectors.size).toBe(3);
    expect(causesOf(events, connectors)).toEqual(['max_requests', 'max_requests', 'max_requests']);
  });

  it('keeps a connection of an HTTP/1.0 client that asks for it', async () => {
    const server = await start({ upstreamIdleMax: 1 }, (_req, res) => {
      res.setHeader('content-length', 2);
      res.end('ok');
    });
    const one = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
    const got = await raw(server.port, one + one, (sofar) => sofar.split('ok').length === 3);
    expect(got.match(/Connection: keep-alive\r\n/g)).toHaveLength(2);
  });

  it('closes after keepalive_requests, with notice and cause', async () => {
    const server = await start({ keepAliveRequests: 2 }, (_req, res) => res.end('ok'));
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const got = await raw(server.port, one + one + one, never);
    expect(got.match(/200 OK/g)).toHaveLength(2);
    expect(got.match(/Connection: close/g)).toHaveLength(1);
    const events = await server.stop();
    expect(causesOf(events, endsOf(events, EventKind.accepted))).toEqual(['max_requests']);
  });

  it('closes after each response when keepalive_timeout is 0', async () => {
    const server = await start({ keepAliveTimeout: 0 }, (_req, res) => res.end('ok'));
    const { headers } = await request(server.port);
    expect(headers.connection).toBe('close');
    const events = await server.stop();
    expect(causesOf(events, endsOf(events, EventKind.accepted))).toEqual(['max_requests']);
  });

  it('closes idle connections after keepalive_timeout', async () => {
    const server = await start({ keepAliveTimeout: 30_000 }, (_req, res) => res.end('ok'));
    const got = await raw(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', never);
    expect(got).toContain('200 OK');
    const events = await server.stop();
    expect(causesOf(events, endsOf(events, EventKind.accepted))).toEqual(['idle_timeout']);
  });

  it('closes idle connections early when worker connections run low', async () => {
    const server = await start({ workerConnections: 16 }, (_req, res) => res.end('ok'));
    const agent = new http.Agent({ keepAlive: true });
    await Promise.all(Array.from({ length: 6 }, () => request(server.port, { agent })));
    const sockets = Array.from({ length: 10 }, () => net.connect(server.port, '127.0.0.1'));
    await until('the early closes', () => {
      const events = server.events();
      return causesOf(events, endsOf(events, EventKind.accepted)).includes('idle_timeout');
    });
    for (const socket of sockets) socket.destroy();
    agent.destroy();
  });

  it('aborts upstream when its client leaves', async () => {
    let aborted = 0;
    const server = await start({}, (_req, res) => {
      res.on('close', () => {
        aborted += 1;
      });
    });
    for (const leave of [
      (socket: net.Socket) => socket.end(),
      (socket: net.Socket) => socket.resetAndDestroy(),
    ]) {
      const before = aborted;
      const socket = net.connect(server.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await until('the request', () => endsOf(server.events(), EventKind.connected).size > before);
      await new Promise((resolve) => setTimeout(resolve, 20));
      leave(socket);
      await until('the abort', () => aborted > before);
    }
    const events = await server.stop();
    expect(causesOf(events, endsOf(events, EventKind.connected))).toEqual([
      'client_abort',
      'client_abort',
    ]);
  });

  it('sends an idempotent request again when a reused connection was closed', async () => {
    const closing: net.Socket[] = [];
    const app = net.createServer((socket) => {
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        // The second request on a connection meets a server that has just closed it.
        if (requests > 1) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
      closing.push(socket);
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => new Promise((resolve) => app.close(resolve)));
    const address = app.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const server = await startAt(
      { upstreamIdleMax: 4 },
      { targets: [{ instance: 1, link: 1, address: '127.0.0.1', port }] },
    );
    const statuses: number[] = [];
    for (const method of ['GET', 'GET', 'POST', 'GET']) {
      statuses.push((await request(server.port, { method })).status);
    }
    // GET: retried on a fresh connection; POST: not idempotent; GET: no connection is left.
    expect(statuses).toEqual([200, 200, 502, 200]);
    await server.stop();
    for (const socket of closing) socket.destroy();
  });

  it('serves health checks on the alive link', async () => {
    const app = await testUpstream((_req, res) => res.end('alive'));
    cleanups.push(() => app.close());
    const server = await startAt(
      {},
      {
        targets: [app.endpoint],
        incoming: [testLinks.incoming, testLinks.aliveIncoming],
      },
    );
    expect(server.endpoints.map(({ link }) => link)).toEqual([0, 2]);
    const answer = await request(server.endpoints[1]?.port ?? 0, { path: '/alive' });
    expect(answer.body.toString()).toBe('alive');
    await server.stop();
  });
});
