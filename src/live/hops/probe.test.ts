/** One health check against servers that are well, ill, odd and dead. */
import net from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { closeCauseOf } from '../../model/close-cause.ts';
import { EventKind, EXCHANGE_FAILURES } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import { listenOn } from '../io/listen-on.ts';
import { plainWebServer } from '../test-http.case.ts';
import { imbalances, testContext, testLinks, until } from '../test-support.ts';
import { probe } from './probe.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

interface Outcome {
  readonly results: readonly boolean[];
  readonly status: number | null;
  readonly failure: string | null;
  readonly cause: string;
  readonly asked: string;
}

async function server(
  serve: (socket: net.Socket) => void,
): Promise<{ target: Endpoint; asked: () => string; close: () => void }> {
  let asked = '';
  const sockets = new Set<net.Socket>();
  const listener = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      asked += chunk.toString('latin1');
    });
    serve(socket);
  });
  const { address, port } = await listenOn(listener, null);
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  };
  cleanups.push(close);
  const target = { instance: 1, link: testLinks.aliveOutgoing.index, address, port };
  return { target, asked: () => asked, close };
}

/** Probes `serve` once, with a timeout of 100 ms; null = nobody listens there. */
async function outcomeOf(serve: ((socket: net.Socket) => void) | null): Promise<Outcome> {
  const { target, asked, close } = await server(serve ?? (() => {}));
  if (serve === null) close();
  const { ctx, events } = testContext(plainWebServer);
  const results: boolean[] = [];
  const options = {
    ends: ctx.ends,
    clock: ctx.clock,
    link: testLinks.aliveOutgoing,
    path: '/alive?x=1',
    timeout: 100_000,
  };
  probe(options, target, (ok) => results.push(ok));
  await until('the probe is over', () => ctx.ends.live.size === 0);
  expect(results).toHaveLength(1);
  const rows = events();
  expect(imbalances(rows)).toEqual([]);
  const ended = rows.find(({ kind }) => kind === EventKind.exchangeEnded);
  const closed = rows.find(({ kind }) => kind === EventKind.closed);
  return {
    results,
    status: ended?.a ?? null,
    failure: ended === undefined ? null : (EXCHANGE_FAILURES[ended.b] ?? ''),
    cause: closeCauseOf(closed?.a ?? 0),
    asked: asked(),
  };
}

/** Answers whatever is asked, then closes. */
const answer = (text: string) => (socket: net.Socket) => {
  socket.once('data', () => socket.end(text, 'latin1'));
};

it.each([
  ['200', 'HTTP/1.1 200 OK\r\n\r\n', true],
  ['204', 'HTTP/1.1 204 No Content\r\n\r\n', true],
  ['a redirect', 'HTTP/1.1 399 Odd\r\n\r\n', true],
  ['HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\n', true],
  ['no reason phrase', 'HTTP/1.1 200\r\n\r\n', true],
  ['404', 'HTTP/1.1 404 Not Found\r\n\r\n', false],
  ['503', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', false],
  ['a large body', `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_000_000)}`, true],
])('%s', async (_name, text, ok) => {
  const outcome = await outcomeOf(answer(text));
  expect(outcome).toMatchObject({ results: [ok], failure: 'none', cause: 'peer_fin' });
  expect(outcome.status).toBe(Number(text.slice(9, 12)));
  expect(outcome.asked).toMatch(/^GET \/alive\?x=1 HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\n/);
  expect(outcome.asked).toMatch(/\r\nConnection: close\r\n\r\n$/);
});

it('a status line that comes a byte at a time', async () => {
  const outcome = await outcomeOf((socket) => {
    const bytes = [...'HTTP/1.1 200 OK\r\n\r\n'];
    const next = (): void => {
      const byte = bytes.shift();
      if (byte === undefined) socket.end();
      else socket.write(byte, () => setImmediate(next));
    };
    socket.setNoDelay(true);
    socket.once('data', next);
  });
  expect(outcome).toMatchObject({ results: [true], status: 200, failure: 'none' });
});

it.each([
  ['nothing but FIN', ''],
  ['half a status line', 'HTTP/1.1 20'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.2 200 OK\r\n'],
  ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
  ['four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
])('%s is no answer', async (_name, text) => {
  const outcome = await outcomeOf(answer(text));
  expect(outcome).toMatchObject({
    results: [false],
    status: 0,
    failure: 'protocol_error',
    cause: 'protocol_error',
  });
});

it('a server that is silent, or never closes, is unhealthy when the timeout is over', async () => {
  const silent = { results: [false], status: 0, failure: 'timeout', cause: 'request_timeout' };
  expect(await outcomeOf(() => {})).toMatchObject(silent);
  const stays = (socket: net.Socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\n');
  expect(await outcomeOf(stays)).toMatchObject(silent);
});

it('a reset, and a port where nobody listens', async () => {
  const resets = (socket: net.Socket) => void socket.once('data', () => socket.resetAndDestroy());
  expect(await outcomeOf(resets)).toMatchObject({
    results: [false],
    failure: 'reset',
    cause: 'peer_rst',
  });
  // It was never connected, so that there is no exchange in the books.
  expect(await outcomeOf(null)).toMatchObject({
    results: [false],
    failure: null,
    cause: 'peer_rst',
  });
});
