/** The edge between real clients and a real origin. */
import type http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { EdgeHop } from '../../model/topology.ts';
import { endsOf, type RunningHop, request, startHop } from '../test-http.case.ts';
import { testMachine, testPool, testUpstream } from '../test-support.ts';
import { createEdge } from './edge.ts';

const settings: EdgeHop = {
  kind: 'edge',
  implementation: 'builtin',
  name: 'cdn',
  upstream: 'apigw',
  listen: null,
  ...testMachine,
  locations: 2,
  pool: testPool(),
  clientIdleTimeout: 0,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  connectionAttempts: 3,
  responseTimeout: 60_000,
  responseAttempts: 3,
};

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(
  handler: http.RequestListener,
  changes: Partial<typeof settings> = {},
): Promise<RunningHop> {
  const origin = await testUpstream(handler);
  cleanups.push(() => origin.close());
  const edge = await startHop(
    createEdge,
    { ...settings, ...changes },
    { targets: [origin.endpoint] },
  );
  cleanups.push(() => edge.stop());
  return edge;
}

describe('edge', () => {
  it('gives every location a listener and connections of its own', async () => {
    const edge = await start((_req, res) => res.end('ok'));
    expect(edge.endpoints).toHaveLength(2);
    for (const { port } of edge.endpoints) {
      for (let i = 0; i < 3; i++) expect((await request(port)).status).toBe(200);
    }
    const events = await edge.stop();
    expect(endsOf(events, EventKind.connected).size).toBe(2);
  });

  it('asks again for GET and HEAD when the origin is silent, and never for POST', async () => {
    const asked: Record<string, number> = {};
    const edge = await start((req) => {
      asked[req.method ?? ''] = (asked[req.method ?? ''] ?? 0) + 1;
    });
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
    const answers = await Promise.all(methods.map((method) => request(edge.port, { method })));
    expect(answers.map(({ status }) => status)).toEqual([504, 504, 504, 504, 504]);
    expect(asked).toEqual({ GET: 3, HEAD: 3, POST: 1, PUT: 1, DELETE: 1 });
    await edge.stop();
  });

  it('lets a response take as long as it likes while bytes keep coming', async () => {
    // Longer than the timeout in all, and each silence a small part of it, on a busy machine too.
    const trickles: http.RequestListener = (_req, res) => {
      let left = 16;
      const timer = setInterval(() => {
        left -= 1;
        res.write('x');
        if (left === 0) {
          clearInterval(timer);
          res.end();
        }
      }, 50);
    };
    const edge = await start(trickles, { responseTimeout: 600_000 });
    const { status, body } = await request(edge.port);
    expect([status, body.length]).toEqual([200, 16]);
    await edge.stop();
  });

  it('answers with the retry that succeeds', async () => {
    let asked = 0;
    const edge = await start((_req, res) => {
      asked += 1;
      if (asked === 3) res.end('third');
    });
    expect((await request(edge.port)).body.toString()).toBe('third');
    const events = await edge.stop();
    expect(endsOf(events, EventKind.connected).size).toBe(3);
  });

  it('tries three times to connect, then answers 502', async () => {
    const nobody = { instance: 1, link: 1, address: '127.0.0.1', port: 1 };
    const edge = await startHop(createEdge, settings, { targets: [nobody] });
    cleanups.push(() => edge.stop());
    expect((await request(edge.port)).status).toBe(502);
    const events = await edge.stop();
    expect(endsOf(events, EventKind.connectStarted).size).toBe(3);
  });

  it('keeps its accounts when it is stopped with requests in flight', async () => {
    const edge = await start(() => {});
    const asked = request(edge.port).catch(() => 'broken');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await edge.stop();
    expect(await asked).toBe('broken');
  });
});
