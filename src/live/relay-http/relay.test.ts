/** What all L7 relays do with messages, seen through the web server, between real peers. */
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind, PARENT_REMOTE, PARENT_SAME_HOP } from '../../model/event.ts';
import type { WebServerHop } from '../../model/topology.ts';
import { createWebServer } from '../hops/web-server.ts';
import { decodeTraceparent, encodeTraceparent } from '../http/trace-context.ts';
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
import { type TestContextOptions, testUpstream, until } from '../test-support.ts';

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

/** Posts that many bytes, and goes on when an answer comes before all are sent. */
function upload(port: number, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let got = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      got += chunk;
    });
    // The relay reads on for a second only.
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
    socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes, 'x'));
  });
}

describe('L7 relay', () => {
  it('links each upstream exchange to the downstream one', async () => {
    const server = await start({ upstreamIdleMax: 4 }, (_req, res) => res.end('x'));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) await request(server.port, { agent });
    agent.destroy();
    const events = await server.stop();
    const [downstream] = endsOf(events, EventKind.accepted);
    const started = events.filter(({ kind }) => kind === EventKind.exchangeStarted);
    const upstream = started.filter(({ c }) => c === PARENT_SAME_HOP);
    expect(endsOf(events, EventKind.connected).size).toBe(1);
    expect(upstream.map(({ a, b, exchange }) => [a, b, exchange])).toEqual([
      [downstream, 1, 1],
      [downstream, 2, 2],
      [downstream, 3, 3],
    ]);
  });

  it('carries megabytes both ways unchanged, framed by length and in chunks', async () => {
    const server = await start({ upstreamIdleMax: 4 }, (req, res) => {
      const hash = createHash('sha256');
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        chunks.push(chunk);
      });
      req.on('end', () => {
        res.setHeader('x-sha', hash.digest('hex'));
        const body = Buffer.concat(chunks);
        if (req.url === '/length') res.setHeader('content-length', body.length);
        for (let at = 0; at < body.length; at += 100_000)
          res.write(body.subarray(at, at + 100_000));
        res.end();
      });
    });
    const body = randomBytes(5_000_000);
    const sha = createHash('sha256').update(body).digest('hex');
    const chunked = { 'transfer-encoding': 'chunked' };
    const length = { 'content-length': body.length };
    for (const [path, headers] of [
      ['/length', length],
      ['/chunked', chunked],
      ['/length', chunked],
      ['/chunked', length],
    ] as const) {
      const answer = await request(server.port, { path, headers, method: 'POST' }, body);
      expect(answer.headers['x-sha']).toBe(sha);
      expect(answer.body.equals(body)).toBe(true);
    }
    await server.stop();
  });

  it('holds the app back while its client does not read', async () => {
    let written = 0;
    const server = await start({}, (_req, res) => {
      const chunk = Buffer.alloc(64 * 1_024, 'x');
      const more = (): void => {
        while (written < 60_000_000) {
          written += chunk.length;
          if (!res.write(chunk)) {
            res.once('drain', more);
            return;
          }
        }
        res.end();
      };
      more();
    });
    const socket = net.connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the app writes', () => written > 0);
    let before = -1;
    // Kernel buffers fill up; then nothing moves any more.
    for (let calm = 0; calm < 3; calm = written === before ? calm + 1 : 0) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(40_000_000);
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
    });
    await until('the rest', () => got > 60_000_000);
    socket.destroy();
  });

  it('answers pipelined requests in order', async () => {
    const server = await start({ upstreamIdleMax: 1 }, (req, res) => {
      setTimeout(() => res.end(`<${req.url}>`), req.url === '/1' ? 30 : 0);
    });
    const paths = Array.from({ length: 20 }, (_, i) => `/${i + 1}`);
    const text = paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    const got = await raw(server.port, text, (sofar) => sofar.includes('</20>'));
    expect(got.match(/<[^>]+>/g)).toEqual(paths.map((path) => `<${path}>`));
    await server.stop();
  });

  it('answers pipelined requests of a client that closed its sending side', async () => {
    const server = await start({ upstreamIdleMax: 1 }, (req, res) => {
      setTimeout(() => res.end(`<${req.url}>`), 10);
    });
    const got = await new Promise<string>((resolve) => {
      let text = '';
      const socket = net.connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('end', () => resolve(text));
      socket.end('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    });
    // The last one is aborted, as nginx does: behind it is nothing but the client's FIN.
    expect(got).toContain('</1>');
    await server.stop();
  });

  it('knows responses without a body', async () => {
    const server = await start({ upstreamIdleMax: 1 }, (req, res) => {
      res.statusCode = Number(req.url?.slice(1));
      if (req.method === 'HEAD') res.setHeader('content-length', 1_000);
      res.end(req.method === 'HEAD' || res.statusCode !== 200 ? undefined : 'body');
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (method: string, path: string) => request(server.port, { method, path, agent });
    expect((await ask('HEAD', '/200')).headers['content-length']).toBe('1000');
    expect((await ask('GET', '/204')).status).toBe(204);
    expect((await ask('GET', '/304')).status).toBe(304);
    expect((await ask('GET', '/200')).body.toString()).toBe('body');
    agent.destroy();
    const events = await server.stop();
    expect(endsOf(events, EventKind.accepted).size).toBe(1);
    expect(endsOf(events, EventKind.connected).size).toBe(1);
  });

  it('passes 100 Continue on', async () => {
    const server = await start({}, (req, res) => {
      req.pipe(res);
    });
    const got = await new Promise<string>((resolve, reject) => {
      const headers = { expect: '100-continue', 'content-length': 5 };
      const asked = http.request({ port: server.port, method: 'POST', headers }, (res) => {
        res.setEncoding('utf8').on('data', (chunk: string) => resolve(chunk));
      });
      asked.on('continue', () => asked.end('hello'));
      asked.on('error', reject);
      asked.flushHeaders();
    });
    expect(got).toBe('hello');
  });

  it('speaks HTTP/1.0 to those who do: no chunks, no interim responses', async () => {
    const server = await start({ upstreamIdleMax: 1 }, (_req, res) => {
      res.writeProcessing();
      res.write('part one, ');
      res.end('part two');
    });
    const got = await raw(server.port, 'GET / HTTP/1.0\r\n\r\n', never);
    expect(got).not.toContain('chunked');
    expect(got).not.toContain(' 102 ');
    expect(got).toContain('Connection: close\r\n');
    expect(got.split('\r\n\r\n')[1]).toBe('part one, part two');
  });

  it('answers 400 to what is no request, and closes', async () => {
    const server = await start({}, (_req, res) => res.end('never'));
    for (const text of [
      'GET / HTTP/1.1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    ]) {
      const got = await raw(server.port, text, never);
      expect(got).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(got).toContain('Connection: close\r\n');
    }
    const events = await server.stop();
    const causes = causesOf(events, endsOf(events, EventKind.accepted));
    expect(new Set(causes)).toEqual(new Set(['protocol_error']));
    expect(endsOf(events, EventKind.connected).size).toBe(0);
  });

  it('aborts upstream when the rest of a request is malformed', async () => {
    let aborted = false;
    let breakOff = (): void => {};
    const server = await start({}, (req) => {
      req.on('error', () => {
        aborted = true;
      });
      breakOff();
    });
    const got = await new Promise<string>((resolve) => {
      let text = '';
      const socket = net.connect(server.port, '127.0.0.1');
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
      breakOff = () => socket.write('zz\r\n');
      socket.setEncoding('latin1').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
    });
    expect(got).toMatch(/^HTTP\/1\.1 400 /);
    await until('the abort', () => aborted);
    await server.stop();
  });

  it('answers 502 when the app resets or is not there, 504 when it is silent', async () => {
    const server = await start({ responseTimeout: 800_000 }, (req, res) => {
      if (req.url === '/reset') req.socket.resetAndDestroy();
      if (req.url === '/close') req.socket.destroy();
      if (req.url === '/garbage') req.socket.end('not HTTP\r\n\r\n');
      if (req.url === '/ok') res.end('ok');
    });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const statuses: number[] = [];
    for (const path of ['/reset', '/close', '/garbage', '/silent', '/ok']) {
      statuses.push((await request(server.port, { path, agent })).status);
    }
    expect(statuses).toEqual([502, 502, 502, 504, 200]);
    agent.destroy();
    const events = await server.stop();
    expect(endsOf(events, EventKind.accepted).size).toBe(1);
    expect(causesOf(events, endsOf(events, EventKind.connected))).toEqual([
      'peer_rst',
      'peer_fin',
      'protocol_error',
      'request_timeout',
      'max_requests',
    ]);
  });

  it('passes an answer on that comes before the request was sent, and closes', async () => {
    const server = await start({ upstreamIdleMax: 4 }, (req, res) => {
      let read = 0;
      req.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read < 1_000_000 || res.headersSent) return;
        // What is unread at the close makes it an RST, as in most apps that refuse a body.
        req.pause();
        res.writeHead(413, { connection: 'close', 'content-length': 5 }).end('large');
      });
    });
    // Whether the relay first reads the answer or fails to send is a matter of luck each time.
    for (let round = 0; round < 10; round++) {
      const got = await upload(server.port, 20_000_000);
      expect(got).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n.*large$/s);
    }
    const events = await server.stop();
    const ended = events.filter(({ kind }) => kind === EventKind.exchangeEnded);
    expect(ended.map(({ a, b }) => [a, b])).toEqual(Array(20).fill([413, 0]));
    const causes = causesOf(events, endsOf(events, EventKind.accepted));
    expect(new Set(causes)).toEqual(new Set(['max_requests']));
  });

  it('answers 502 when nobody listens', async () => {
    const nobody = { instance: 1, link: 1, address: '127.0.0.1', port: 1 };
    const server = await startAt({}, { targets: [nobody] });
    expect((await request(server.port)).status).toBe(502);
    await server.stop();
  });

  it('cuts the client off when a response breaks in the middle', async () => {
    const server = await start({}, (req, res) => {
      res.setHeader('content-length', 100);
      res.write('half');
      setTimeout(() => req.socket.resetAndDestroy(), 20);
    });
    await expect(request(server.port)).rejects.toThrow(/aborted|ECONNRESET/);
    await server.stop();
  });

  it('reads whose request it carries from traceparent, and writes it', async () => {
    let seen = '';
    const server = await start(
      {},
      (req, res) => {
        seen = String(req.headers.traceparent);
        res.end();
      },
      { tracesUpstream: true, tracedDownstream: true },
    );
    await request(server.port, { headers: { traceparent: encodeTraceparent(7, 8, 9) } });
    const events = await server.stop();
    const [accepted] = endsOf(events, EventKind.accepted);
    const [connected] = endsOf(events, EventKind.connected);
    const down = events.find(
      (row) => row.kind === EventKind.exchangeStarted && row.end === accepted,
    );
    expect(down).toMatchObject({ a: 8, b: 9, c: PARENT_REMOTE + 7 });
    expect(decodeTraceparent(seen)).toEqual({ process: 0, end: connected, exchange: 1 });
  });
});
