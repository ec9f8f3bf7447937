/**
 * The app between real HTTP clients and a real database connection to the embedded one, in both
 * implementations: node:http with mysql2, and our own.
 */
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EventKind, PARENT_NONE, PARENT_REMOTE, PARENT_SAME_HOP } from '../../model/event.ts';
import type { AppHop, DatabaseHop } from '../../model/topology.ts';
import { encodeTraceparent } from '../http/trace-context.ts';
import {
  type Answer,
  causesOf,
  type RunningHop,
  raw,
  request,
  startHop,
} from '../test-http.case.ts';
import { testLinks, testMachine, until } from '../test-support.ts';
import { createApp } from './app.ts';
import { createDatabase } from './database.ts';

const databaseSettings: DatabaseHop = {
  kind: 'database',
  name: 'db',
  upstream: null,
  listen: null,
  ...testMachine,
  implementation: 'embedded',
  url: null,
  connectionsMax: 151,
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 4,
  waitingMax: 100_000,
  contention: 0,
  preparedStatementsMax: 100,
};

const settings: AppHop = {
  kind: 'app',
  implementation: 'node',
  name: 'app',
  upstream: 'db',
  listen: null,
  ...testMachine,
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 0,
  waitingMax: 100_000,
  contention: 0,
  queriesPerRequest: 1,
  statements: 1,
  keepAliveTimeout: 5_000_000,
  responseBytes: 300,
  pool: { min: 0, max: 5, idle: 10_000_000, acquire: 60_000_000, evict: 1_000_000 },
};

const kinds = ['node', 'builtin'] as const;
let implementation: AppHop['implementation'] = 'node';
function use(kind: AppHop['implementation']): void {
  implementation = kind;
}

const cleanups: (() => Promise<unknown>)[] = [];
const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
afterEach(async () => {
  agent.destroy();
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(
  changes: Partial<AppHop> = {},
  database: Partial<DatabaseHop> = {},
): Promise<{ app: RunningHop; db: RunningHop }> {
  const db = await startHop(createDatabase, { ...databaseSettings, ...database }, {});
  cleanups.push(() => db.stop());
  const app = await startHop(
    createApp,
    { ...settings, implementation, ...changes },
    {
      targets: db.endpoints,
      incoming: [testLinks.incoming, testLinks.aliveIncoming],
      tracedDownstream: true,
    },
  );
  cleanups.push(() => app.stop());
  return { app, db };
}

const get = (app: RunningHop, path: string, headers = {}): Promise<Answer> =>
  request(app.port, { agent, path, headers });
const post = (app: RunningHop, body: string): Promise<Answer> =>
  request(app.port, { agent, method: 'POST', path: '/items' }, body);
const json = ({ body }: Answer): unknown => JSON.parse(body.toString('utf8'));
const many = (app: RunningHop, count: number): Promise<number[]> =>
  Promise.all(Array.from({ length: count }, async () => (await get(app, '/items/1')).status));

/** Rows of the app's events on one of its links. */
function rowsOn(app: RunningHop, kind: number, link: number) {
  const events = app.events();
  const ends = new Set(
    events
      .filter((row) => row.c === link)
      .filter(({ kind: of }) => of === EventKind.accepted || of === EventKind.connected)
      .map(({ end }) => end),
  );
  return events.filter((row) => row.kind === kind && ends.has(row.end));
}
const causesOn = (app: RunningHop, link: { index: number }): string[] =>
  causesOf(app.events(), new Set(rowsOn(app, EventKind.closed, link.index).map(({ end }) => end)));

describe.each(kinds)('the REST API (%s)', (kind) => {
  beforeAll(() => use(kind));

  it('answers CONNECT as a request of its own: 501, and the connection closes', async () => {
    const { app } = await start();
    const text = 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET / HTTP/1.1\r\n\r\n';
    const got = await raw(app.port, text, () => false);
    expect(got).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/);
    expect(got.match(/HTTP/g)).toHaveLength(1);
    await app.stop();
    expect(rowsOn(app, EventKind.exchangeEnded, testLinks.incoming.index)).toMatchObject([
      { a: 501 },
    ]);
  });

  it('reads and inserts items, in responses of the size asked for', async () => {
    const { app, db } = await start();
    const answer = await get(app, '/items/7');
    expect(answer.status).toBe(200);
    expect(answer.body.length).toBe(300);
    expect(json(answer)).toMatchObject({ id: 7, name: 'item 7', price: 5433 });
    const made = await post(app, JSON.stringify({ name: 'größer', price: 12 }));
    expect(made.status).toBe(201);
    expect(made.body.length).toBe(300);
    expect(json(made)).toMatchObject({ id: 1_001, name: 'größer', price: 12 });
    expect(json(await get(app, '/items/1001?x=1'))).toMatchObject({ name: 'größer' });
    expect((await get(app, '/items/4000000000')).status).toBe(404);
    expect((await get(app, '/items')).status).toBe(404);
    const head = await request(app.port, { agent, method: 'HEAD', path: '/items/7' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await post(app, 'no json')).status).toBe(400);
    await app.stop();
    await db.stop();
  });

  it('answers alive checks without the database, on either link', async () => {
    const { app, db } = await start();
    expect((await get(app, '/alive')).status).toBe(200);
    expect((await request(app.endpoints[1]?.port ?? 0, { path: '/any' })).status).toBe(200);
    expect(db.events()).toEqual([]);
    // Only traffic is counted.
    expect(app.counters.requests).toBe(1);
  });

  it('takes targets in absolute form for the paths that they stand for', async () => {
    const { app } = await start();
    const statusOf = async (line: string): Promise<number> => {
      const text = `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`;
      const body = line.startsWith('POST') ? 'Content-Length: 2\r\n\r\n{}' : '\r\n';
      return Number((await raw(app.port, text + body, () => false)).split(' ')[1]);
    };
    expect(await statusOf('GET http://shop.example/items/7')).toBe(200);
    expect(await statusOf('GET HTTPS://shop.example:8443/items/7?x=http://y/')).toBe(200);
    expect(await statusOf('GET http://shop.example/alive')).toBe(200);
    expect(await statusOf('POST http://shop.example/items')).toBe(201);
    expect(await statusOf('GET http://shop.example')).toBe(404);
    expect(await statusOf('GET http://shop.example?/items/7')).toBe(404);
    expect(await statusOf('OPTIONS http://shop.example')).toBe(404);
    expect(await statusOf('OPTIONS *')).toBe(404);
  });

  it('needs no database where it makes no queries', async () => {
    const app = await startHop(createApp, { ...settings, queriesPerRequest: 0 }, {});
    cleanups.push(() => app.stop());
    expect(json(await get(app, '/items/12345'))).toMatchObject({ id: 12_345 });
    expect((await post(app, '{}')).status).toBe(201);
  });

  it('makes as many queries as it is told to, and takes new settings', async () => {
    const { app, db } = await start({ queriesPerRequest: 3 });
    const queries = () =>
      db.events().filter(({ kind }) => kind === EventKind.exchangeStarted).length;
    await get(app, '/items/1');
    expect(queries()).toBe(3);
    await post(app, '{"name":"x"}');
    expect(queries()).toBe(6);
    app.live.apply({ action: 'set', path: 'app.queriesPerRequest', to: 1 });
    app.live.apply({ action: 'set', path: 'app.responseBytes', to: 1_000 });
    expect((await get(app, '/items/1')).body.length).toBe(1_000);
    expect(queries()).toBe(7);
  });

  it('refuses a body that is too large, and survives malformed requests', async () => {
    const { app } = await start();
    const body = '.'.repeat(1_200_000);
    const head = `POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(await raw(app.port, head + body, (got) => got.includes('413'))).toContain(' 413 ');
    expect(await raw(app.port, 'what\r\n\r\n', () => false)).toContain(' 400 ');
    const events = await app.stop();
    const ends = new Set(events.map(({ end }) => end));
    expect(causesOf(events, ends)).toEqual(['protocol_error', 'protocol_error']);
  });
});

describe.each(kinds)("the app's connections (%s)", (kind) => {
  beforeAll(() => use(kind));

  it('ties each query to its request, and the request to the traceparent', async () => {
    const { app } = await start({ queriesPerRequest: 2 });
    await get(app, '/items/1', { traceparent: encodeTraceparent(4, 77, 9) });
    await get(app, '/items/1');
    const [traced, plain] = rowsOn(app, EventKind.exchangeStarted, 0);
    expect(traced).toMatchObject({ a: 77, b: 9, c: PARENT_REMOTE + 4, exchange: 1 });
    expect(plain).toMatchObject({ c: PARENT_NONE });
    const queries = rowsOn(app, EventKind.exchangeStarted, 1);
    expect(queries.map(({ a, b, c }) => [a, b, c])).toEqual([
      [traced?.end, 1, PARENT_SAME_HOP],
      [traced?.end, 1, PARENT_SAME_HOP],
      [plain?.end, 1 + (plain?.end === traced?.end ? 1 : 0), PARENT_SAME_HOP],
      [plain?.end, 1 + (plain?.end === traced?.end ? 1 : 0), PARENT_SAME_HOP],
    ]);
  });

  it('closes idle ones after keepAliveTimeout, and those meant for one request', async () => {
    const { app } = await start({ keepAliveTimeout: 30_000 });
    // Node's own client would close by itself, just before the server says it will.
    const head = 'GET /items/1 HTTP/1.1\r\nHost: x\r\n';
    expect(await raw(app.port, `${head}\r\n`, () => false)).toContain(' 200 ');
    await until('it is closed', () => causesOn(app, testLinks.incoming).length === 1);
    expect(await raw(app.port, `${head}Connection: close\r\n\r\n`, () => false)).toContain(' 200 ');
    await until('it is closed', () => causesOn(app, testLinks.incoming).length === 2);
    expect(causesOn(app, testLinks.incoming)).toEqual(['idle_timeout', 'max_requests']);
  });

  it('waits for keepAliveTimeout, not a second longer, whole ms or not', async () => {
    const { app } = await start({ keepAliveTimeout: 30_500 });
    await raw(app.port, 'GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n', () => false);
    await until('it is closed', () => causesOn(app, testLinks.incoming).length === 1);
    const [ended] = rowsOn(app, EventKind.exchangeEnded, testLinks.incoming.index);
    const [closed] = rowsOn(app, EventKind.closed, testLinks.incoming.index);
    const idle = (closed?.at ?? 0) - (ended?.at ?? 0);
    expect(idle).toBeGreaterThan(29_000);
    // node:http's own second would come on top.
    expect(idle).toBeLessThan(1_000_000);
  });

  it("tells a client's FIN from its RST, with requests in flight or without", async () => {
    const { app } = await start({ serviceTime: { kind: 'constant', value: 30_000 } });
    const leave = async (text: string, how: 'destroy' | 'resetAndDestroy'): Promise<void> => {
      const before = causesOn(app, testLinks.incoming).length;
      const accepted = rowsOn(app, EventKind.accepted, 0).length;
      const socket = net.connect(app.port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise<void>((resolve) => socket.on('connect', resolve));
      await new Promise((resolve) => socket.write(text, resolve));
      await until('it is there', () => rowsOn(app, EventKind.accepted, 0).length > accepted);
      // Read before the RST comes: libuv takes both at once for a FIN. The app reads in this loop.
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
      socket[how]();
      await until('it is gone', () => causesOn(app, testLinks.incoming).length > before);
    };
    const whole = 'GET /items/1 HTTP/1.1\r\nHost: x\r\n\r\n';
    await leave('', 'destroy');
    await leave('GET /i', 'destroy');
    await leave(whole, 'resetAndDestroy');
    await leave('GET /i', 'resetAndDestroy');
    const causes = causesOn(app, testLinks.incoming);
    expect(causes).toEqual(['peer_fin', 'peer_fin', 'peer_rst', 'peer_rst']);
    expect(app.counters.failed).toBe(1);
  });

  it('goes down with its host and comes back at the same place', async () => {
    const app = await startHop(
      (ctx) => createApp({ ...ctx, instance: { ...ctx.instance, host: 'ec2#0' } }),
      { ...settings, queriesPerRequest: 0 },
      {},
    );
    cleanups.push(() => app.stop());
    await get(app, '/items/1');
    const down = { action: 'host-down', hosts: 'ec2', replica: 0, lasts: 60_000 } as const;
    expect(app.live.apply({ ...down, replica: 1 })).toBe(false);
    expect(app.live.apply(down)).toBe(true);
    await expect(request(app.port, { path: '/items/1' })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(causesOn(app, testLinks.incoming)).toEqual(['local_rst']);
    let status = 0;
    await until('it is back', () => {
      if (status === 0) {
        request(app.port, { path: '/items/1' }).then(
          (answer) => {
            status = answer.status;
          },
          () => {},
        );
      }
      return status === 200;
    });
  });

  it('resets a share of what it accepted', async () => {
    const { app } = await start();
    await get(app, '/items/1');
    const reset = { action: 'reset-connections', hop: 'app', share: 1 } as const;
    expect(app.live.apply(reset)).toBe(true);
    await until('it is reset', () => causesOn(app, testLinks.incoming).includes('local_rst'));
    expect((await get(app, '/items/1')).status).toBe(200);
    expect(app.live.apply({ ...reset, hop: 'other' })).toBe(false);
  });
});

describe.each(kinds)("the app's database pool (%s)", (kind) => {
  beforeAll(() => use(kind));

  it('keeps as many connections as it may, prepares once on each, evicts idle ones', async () => {
    const pool = { ...settings.pool, max: 3, min: 1, idle: 50_000, evict: 20_000 };
    const service = { kind: 'constant', value: 5_000 } as const;
    const { app, db } = await start({ pool }, { serviceTime: service, preparedStatementsMax: 3 });
    expect(new Set(await many(app, 20))).toEqual(new Set([200]));
    expect(rowsOn(app, EventKind.connected, 1)).toHaveLength(3);
    await until('all but `min` are evicted', () => causesOn(app, testLinks.outgoing).length === 2);
    expect(causesOn(app, testLinks.outgoing)).toEqual(['idle_timeout', 'idle_timeout']);
    await app.stop();
    const ended = (hop: RunningHop) =>
      hop.events().filter(({ kind }) => kind === EventKind.exchangeEnded);
    await db.stop();
    expect(ended(db)).toHaveLength(20);
  });

  it('answers 503 when no connection comes free in time', async () => {
    const pool = { ...settings.pool, max: 1, acquire: 40_000 };
    const service = { kind: 'constant', value: 200_000 } as const;
    const { app } = await start({ pool }, { serviceTime: service });
    expect((await many(app, 3)).sort()).toEqual([200, 503, 503]);
    expect(app.counters.serverErrors5xx).toBe(2);
  });

  it('answers 503 when the database has too many connections', async () => {
    const { app } = await start(
      {},
      { connectionsMax: 2, serviceTime: { kind: 'constant', value: 20_000 } },
    );
    const statuses = await many(app, 5);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    await until('the refused are gone', () => causesOn(app, testLinks.outgoing).length === 3);
    expect(new Set(causesOn(app, testLinks.outgoing))).toEqual(new Set(['peer_fin']));
  });

  it('answers 500 when a statement cannot be prepared, an exchange at both ends', async () => {
    const { app, db } = await start({}, { preparedStatementsMax: 0 });
    const answer = await get(app, '/items/1');
    expect(answer.status).toBe(500);
    expect(json(answer)).toEqual({ error: 'ER_MAX_PREPARED_STMT_COUNT_REACHED' });
    const ended = (hop: RunningHop) =>
      hop.events().filter((row) => row.kind === EventKind.exchangeEnded && row.a === 500);
    // The app's answer to its client, the database's to the app; ordinals as in the simulator.
    expect(ended(app).map(({ exchange }) => exchange)).toEqual([1, 1]);
    expect(ended(db).map(({ exchange }) => exchange)).toEqual([1]);
    // The connection is still good for others.
    db.live.apply({ action: 'set', path: 'db.preparedStatementsMax', to: 10 });
    expect((await get(app, '/items/1')).status).toBe(200);
    expect(rowsOn(app, EventKind.connected, 1)).toHaveLength(1);
  });

  it('prepares each text of its selects on each connection, until there is no room', async () => {
    const pool = { ...settings.pool, max: 1 };
    const { app, db } = await start({ pool, statements: 3 }, { preparedStatementsMax: 2 });
    const answers: number[] = [];
    while (new Set(answers).size < 2) answers.push((await get(app, '/items/1')).status);
    // Two found room, and the third did not.
    expect(new Set(answers)).toEqual(new Set([200, 500]));
    db.live.apply({ action: 'set', path: 'db.preparedStatementsMax', to: 3 });
    for (let i = 0; i < 30; i++) expect((await get(app, '/items/1')).status).toBe(200);
    expect(rowsOn(app, EventKind.connected, 1)).toHaveLength(1);
  });

  it('answers 503 while the database is away, and finds it again', async () => {
    const { app, db } = await start();
    expect((await get(app, '/items/1')).status).toBe(200);
    const [endpoint] = db.endpoints;
    await db.stop();
    expect((await get(app, '/items/1')).status).toBe(503);
    const listen = `${endpoint?.address}:${endpoint?.port}`;
    const again = await startHop(createDatabase, { ...databaseSettings, listen }, {});
    cleanups.push(() => again.stop());
    expect((await get(app, '/items/1')).status).toBe(200);
  });

  it('stops while requests wait for connections', async () => {
    const pool = { ...settings.pool, max: 1 };
    const { app, db } = await start({ pool });
    db.live.apply({ action: 'stall', hop: 'db', lasts: 60_000_000 });
    const lost = Promise.allSettled(Array.from({ length: 5 }, () => get(app, '/items/1')));
    await until('one is served', () => db.counters.active === 1);
    await app.stop();
    expect((await lost).every(({ status }) => status === 'rejected')).toBe(true);
    await db.stop();
  });
});
