/**
 * Clients that take their time (slow-loris): heads and bodies that trickle or stop, between
 * peers that write down every byte. No test here says how fast anything is: a limit either
 * strikes or does not.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { WebServerHop } from '../../model/topology.ts';
import { createWebServer } from '../hops/web-server.ts';
import { causesOf, endsOf, plainWebServer, type RunningHop, startHop } from '../test-http.case.ts';
import { until } from '../test-support.ts';
import { dial, type Recorder, startRecorder, type Wire } from '../test-wire.case.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CLOSED = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n';
const LATE = /^HTTP\/1\.1 408 Request Timeout\r\n(?:.+\r\n)*Connection: close\r\n/;

async function start(
  changes: Partial<WebServerHop>,
  answer: (wire: Wire) => void = () => {},
): Promise<{ server: RunningHop; upstream: Recorder }> {
  const upstream = await startRecorder(answer);
  cleanups.push(() => upstream.close());
  const hop = { ...plainWebServer, upstreamIdleMax: 4, ...changes };
  const server = await startHop(createWebServer, hop, { targets: [upstream.endpoint] });
  cleanups.push(() => server.stop());
  return { server, upstream };
}

/** Sends a byte every few milliseconds until the other side has had enough. */
async function trickle(client: Wire, byte: string): Promise<void> {
  while (!client.ended && !client.closed) {
    client.send(byte);
    await delay(10);
  }
}

/** What the hop's events say of its clients' connections. */
async function booked(server: RunningHop) {
  const events = await server.stop();
  const accepted = endsOf(events, EventKind.accepted);
  return {
    causes: causesOf(events, accepted),
    exchanges: events
      .filter(({ kind, end }) => kind === EventKind.exchangeEnded && accepted.has(end))
      .map(({ a }) => a),
  };
}

describe('a slow head', () => {
  it.each([
    ['on a new connection', ''],
    ['behind an answered request', HEAD],
  ])('%s is 408, counted, and closes, though bytes keep coming', async (_name, before) => {
    const answer = (wire: Wire) => wire.send(OK);
    const { server, upstream } = await start({ requestHeadTimeout: 150_000 }, answer);
    const client = await dial(server.port, before);
    if (before !== '') await until('the first answer', () => client.received === OK);
    client.received = '';
    client.send('GET /');
    await trickle(client, 's');
    expect(client.received).toMatch(LATE);
    client.socket.destroy();
    const { causes, exchanges } = await booked(server);
    expect(causes).toEqual(['request_timeout']);
    expect(exchanges).toEqual(before === '' ? [408] : [200, 408]);
    expect(upstream.received()).toBe(before);
  });

  it('that comes in time is none', async () => {
    const { server } = await start({ requestHeadTimeout: 5_000_000 }, (wire) => wire.send(OK));
    const client = await dial(server.port);
    for (const byte of HEAD) {
      client.send(byte);
      await delay(2);
    }
    await until('the answer', () => client.received === OK);
    client.socket.destroy();
  });

  it('that has begun is not cut by the idle timeout, but its request is the last', async () => {
    const { server } = await start({ keepAliveTimeout: 60_000 }, (wire) => wire.send(OK));
    const client = await dial(server.port, HEAD.slice(0, 5));
    await delay(200);
    client.send(HEAD.slice(5));
    await until('the end', () => client.ended);
    expect(client.received).toBe(CLOSED);
    client.socket.destroy();
    expect(await booked(server)).toEqual({ causes: ['idle_timeout'], exchanges: [200] });
  });

  it('is not an empty line before it: then the connection is idle', async () => {
    const { server } = await start({ requestHeadTimeout: 20_000, keepAliveTimeout: 150_000 });
    const client = await dial(server.port, '\r\n');
    await until('the end', () => client.ended);
    expect(client.received).toBe('');
    client.socket.destroy();
    expect(await booked(server)).toEqual({ causes: ['idle_timeout'], exchanges: [] });
  });
});

describe('a slow body', () => {
  it.each([
    ['by length', `${POST}half`],
    ['in chunks', `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
    ['of which nothing came', POST],
  ])('%s is 408, closes, and is given up upstream', async (_name, text) => {
    const { server, upstream } = await start({ requestBodyTimeout: 100_000 });
    const client = await dial(server.port, text);
    await until('the end', () => client.ended);
    expect(client.received).toMatch(LATE);
    await until('the upstream to hear of it', () => upstream.wires[0]?.ended === true);
    expect(upstream.received()).toBe(text);
    client.socket.destroy();
    expect(await booked(server)).toEqual({ causes: ['request_timeout'], exchanges: [408] });
  });

  it('is cut off when its answer has begun', async () => {
    const { server } = await start({ requestBodyTimeout: 100_000 }, (wire) => {
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart');
    });
    const client = await dial(server.port, `${POST}half`);
    await until('the reset', () => client.broken === 'ECONNRESET');
    expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)*\r\npart$/);
    expect(await booked(server)).toMatchObject({ causes: ['request_timeout'] });
  });

  it('that keeps coming is none, however long it takes', async () => {
    const { server, upstream } = await start({ requestBodyTimeout: 1_000_000 }, (wire) => {
      if (wire.received.endsWith('0123456789')) wire.send(OK);
    });
    const client = await dial(server.port, POST);
    for (const byte of '0123456789') {
      await delay(120);
      client.send(byte);
    }
    await until('the answer', () => client.received === OK);
    expect(upstream.received()).toBe(`${POST}0123456789`);
    client.socket.destroy();
  });

  it('is not the upstream’s silence', async () => {
    const changes = { requestBodyTimeout: 5_000_000, responseTimeout: 50_000 };
    const { server } = await start(changes, (wire) => {
      if (wire.received.endsWith('0123456789')) wire.send(OK);
    });
    const client = await dial(server.port, `${POST}01234`);
    await delay(300);
    expect(client.received).toBe('');
    client.send('56789');
    await until('the answer', () => client.received === OK);
    client.socket.destroy();
  });

  it('is not the client’s fault while the upstream does not read', async () => {
    const length = 40_000_000;
    const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
    let got = 0;
    let held = true;
    const { server, upstream } = await start({ requestBodyTimeout: 100_000 }, (wire) => {
      got += wire.received.length;
      wire.received = '';
      if (held) wire.socket.pause();
      if (got === head.length + length) wire.send(OK);
    });
    const client = await dial(server.port, head);
    client.socket.write(Buffer.alloc(length, 'x'));
    await until('bytes', () => got > 0);
    await delay(400);
    expect(client.received).toBe('');
    expect(client.socket.writableLength).toBeGreaterThan(0);
    held = false;
    upstream.wires[0]?.socket.resume();
    await until('the answer', () => client.received === OK);
    client.socket.destroy();
  });

  it('is not a client that waits for 100 Continue from a silent upstream: 504', async () => {
    const changes = { requestBodyTimeout: 50_000, responseTimeout: 200_000 };
    const { server } = await start(changes);
    const expecting = POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
    const client = await dial(server.port, expecting);
    await until('the end', () => client.ended);
    expect(client.received).toMatch(/^HTTP\/1\.1 504 /);
    client.socket.destroy();
  });

  it('begins with 100 Continue: then it is the client who is late', async () => {
    const { server } = await start({ requestBodyTimeout: 100_000 }, (wire) => {
      wire.send('HTTP/1.1 100 Continue\r\n\r\n');
    });
    const expecting = POST.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n');
    const client = await dial(server.port, expecting);
    await until('the end', () => client.ended);
    expect(client.received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 408 /);
    client.socket.destroy();
  });
});
