/**
 * Upgrades and CONNECT through a relay: what becomes a tunnel and what does not, between peers
 * that write down every byte.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { WebServerHop } from '../../model/topology.ts';
import { createWebServer } from '../hops/web-server.ts';
import { causesOf, endsOf, plainWebServer, type RunningHop, startHop } from '../test-http.case.ts';
import { type EventRow, until } from '../test-support.ts';
import { dial, type Recorder, startRecorder, type Wire } from '../test-wire.case.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const OFFER =
  'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: x\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n';
const CONNECT = 'CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function start(
  answer: (wire: Wire) => void,
  changes: Partial<WebServerHop> = {},
): Promise<{ server: RunningHop; upstream: Recorder }> {
  const upstream = await startRecorder(answer);
  cleanups.push(() => upstream.close());
  const server = await startHop(
    createWebServer,
    { ...plainWebServer, upstreamIdleMax: 4, ...changes },
    { targets: [upstream.endpoint] },
  );
  cleanups.push(() => server.stop());
  return { server, upstream };
}

/** Answers the first request with `text`, then only listens. */
const answerOnce = (text: string) => (wire: Wire) => {
  if (wire.received.length < 1_000 && wire.received.endsWith('\r\n\r\n')) wire.send(text);
};

const firstOf = (recorder: Recorder): Wire => {
  const [wire] = recorder.wires;
  if (wire === undefined) throw new Error('nobody connected');
  return wire;
};

const endedExchanges = (events: readonly EventRow[]) =>
  events.filter(({ kind }) => kind === EventKind.exchangeEnded).map(({ a, b }) => [a, b]);

describe('a tunnel', () => {
  it('begins with 101, copies both ways, and is an exchange for as long as it lasts', async () => {
    const { server, upstream } = await start(answerOnce(`${SWITCHED}hello`));
    const client = await dial(server.port, OFFER);
    await until('the switch', () => client.received.endsWith('hello'));
    expect(client.received).toBe(`${SWITCHED}hello`);
    const far = firstOf(upstream);
    expect(far.received).toBe(
      'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Key: x\r\nConnection: upgrade\r\n\r\n',
    );
    far.received = '';
    client.send('GET / HTTP/1.1\r\n\n\x00 not HTTP');
    far.send('HTTP/1.1 400 neither');
    await until('both ways', () => far.received.length > 20 && client.received.endsWith('neither'));
    expect(far.received).toBe('GET / HTTP/1.1\r\n\n\x00 not HTTP');
    expect(endedExchanges(server.events())).toEqual([]);

    client.socket.end('last');
    await until('the client’s FIN', () => far.ended);
    expect(far.received.endsWith('last')).toBe(true);
    far.send('still open');
    await until('the other half', () => client.received.endsWith('still open'));
    expect(endedExchanges(server.events())).toEqual([]);
    far.socket.end();
    await until('the end', () => client.closed && far.closed);
    const events = await server.stop();
    expect(endedExchanges(events)).toEqual([
      [101, 0],
      [101, 0],
    ]);
    expect(causesOf(events, endsOf(events, EventKind.accepted))).toEqual(['peer_fin']);
    expect(causesOf(events, endsOf(events, EventKind.connected))).toEqual(['max_requests']);
  });

  it('begins with 2xx to CONNECT, whose lengths mean nothing; early bytes keep order', async () => {
    const { server, upstream } = await start((wire) => {
      if (wire.received.endsWith('\r\n\r\n')) {
        wire.send('HTTP/1.1 200 Connected\r\nContent-Length: 5\r\n\r\nfrom afar');
      }
    });
    const client = await dial(server.port, `${CONNECT}early `);
    await until('the answer', () => client.received.endsWith('from afar'));
    expect(client.received).toBe('HTTP/1.1 200 Connected\r\n\r\nfrom afar');
    client.send('later');
    await until('all of it', () => upstream.received().endsWith('later'));
    expect(upstream.received()).toBe(`${CONNECT}early later`);
    firstOf(upstream).socket.end();
    await until('the server’s FIN', () => client.ended);
    client.socket.end();
    await until('the end', () => client.closed);
    const events = await server.stop();
    expect(endedExchanges(events)).toEqual([
      [200, 0],
      [200, 0],
    ]);
    expect(causesOf(events, endsOf(events, EventKind.accepted))).toEqual(['max_requests']);
  });

  it('is never used again by the pool, and ends on both sides when one resets', async () => {
    const { server, upstream } = await start((wire) => {
      if (wire.received.endsWith('\r\n\r\n')) {
        wire.send(wire.received.includes('Upgrade') ? SWITCHED : OK);
      }
    });
    const first = await dial(server.port, OFFER);
    await until('the switch', () => first.received === SWITCHED);
    const second = await dial(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('an answer', () => second.received === OK);
    expect(upstream.wires).toHaveLength(2);
    first.socket.resetAndDestroy();
    await until('the reset', () => firstOf(upstream).broken === 'ECONNRESET');
    const third = await dial(server.port, OFFER);
    await until('the switch', () => third.received === SWITCHED);
    // The second connection was idle and whole: an upgrade may take it.
    expect(upstream.wires).toHaveLength(2);
    upstream.wires[1]?.socket.resetAndDestroy();
    await until('the reset', () => third.broken === 'ECONNRESET');
    second.socket.destroy();
    await server.stop();
  });

  it('holds a sender back while the other side does not read, both ways', async () => {
    const { server, upstream } = await start(answerOnce(SWITCHED));
    const client = await dial(server.port, OFFER);
    await until('the switch', () => client.received === SWITCHED);
    const far = firstOf(upstream);
    for (const [sender, reader] of [
      [far, client],
      [client, far],
    ] as const) {
      reader.received = '';
      reader.socket.pause();
      const bytes = 60_000_000;
      sender.socket.write(Buffer.alloc(bytes, 'x'));
      let before = -1;
      // Kernel buffers fill up; then nothing moves any more.
      for (let calm = 0; calm < 3; ) {
        const left = sender.socket.writableLength;
        calm = left === before ? calm + 1 : 0;
        before = left;
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
      reader.socket.resume();
      await until('the rest', () => reader.received.length === bytes);
      expect(before).toBeGreaterThan(20_000_000);
    }
    client.socket.destroy();
    await until('the end', () => far.closed || far.ended);
  });

  it('is closed when nothing moves in it for too long', async () => {
    const { server } = await start(answerOnce(SWITCHED), { responseTimeout: 100_000 });
    const client = await dial(server.port, OFFER);
    await until('the switch', () => client.received === SWITCHED);
    await until('the end', () => client.ended);
    client.socket.end();
    const events = await server.stop();
    expect(new Set(causesOf(events, endsOf(events, EventKind.connected)))).toEqual(
      new Set(['idle_timeout']),
    );
    expect(endedExchanges(events)).toEqual([
      [101, 0],
      [101, 0],
    ]);
  });
});

describe('no tunnel', () => {
  it('where the upgrade is declined: the connection goes on with the next request', async () => {
    const { server, upstream } = await start((wire) => {
      if (wire.received.endsWith('\r\n\r\n')) wire.send(OK);
    });
    const client = await dial(server.port, `${OFFER}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    await until('both answers', () => client.received === OK + OK);
    expect(upstream.received()).toMatch(/\r\n\r\nGET \/next HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
    client.socket.destroy();
  });

  it('where CONNECT is refused: the connection closes, what follows goes nowhere', async () => {
    const { server, upstream } = await start(
      answerOnce('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'),
    );
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const client = await dial(server.port, CONNECT + smuggled);
    await until('the end', () => client.ended);
    client.socket.end();
    expect(client.received).toBe(
      'HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    await server.stop();
    expect(upstream.received()).toBe(CONNECT);
  });

  it.each([
    ['h2c', OFFER.replace('websocket', 'h2c')],
    ['HTTP/1.0', OFFER.replace('1.1', '1.0')],
    ['an Upgrade that Connection does not name', OFFER.replace('Connection: Upgrade\r\n', '')],
    ['Connection without Upgrade', OFFER.replace('Upgrade: websocket\r\n', '')],
  ])('for %s: the offer is not passed on', async (_name, text) => {
    const { server, upstream } = await start(answerOnce(OK));
    const client = await dial(server.port, text);
    await until('the answer', () => client.received.includes('\r\n\r\nok'));
    expect(upstream.received()).not.toMatch(/upgrade/i);
    client.socket.destroy();
  });

  it.each([
    ['101 that nobody asked for', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', SWITCHED],
    [
      '101 before the request is whole',
      OFFER.replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\n'),
      SWITCHED,
    ],
    ['101 to CONNECT', CONNECT, SWITCHED],
  ])('for %s: 502', async (_name, text, answer) => {
    const { server } = await start(answerOnce(answer));
    const client = await dial(server.port, text);
    await until('the answer', () => client.received !== '');
    expect(client.received).toMatch(/^HTTP\/1\.1 502 /);
    client.socket.destroy();
  });
});
