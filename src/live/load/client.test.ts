/** Connection habits: what a client's pool does with real connections. */
import type net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import { testPool, testUpstream, until } from '../test-support.ts';
import {
  attempts,
  causes,
  cleanUp,
  closed,
  connectionsAtOnce,
  OK,
  ofKind,
  open,
  outcomes,
  rawServer,
  startClients,
} from './test-clients.case.ts';

afterEach(cleanUp);

const connects = (rows: Parameters<typeof ofKind>[0]) => ofKind(rows, EventKind.connected).length;

describe('habits', () => {
  it('keeps six connections at most, whatever waits, and reuses them', async () => {
    const server = await testUpstream((_request, response) => {
      setTimeout(() => response.end('ok'), 3);
    });
    const clients = await startClients(
      { pool: testPool({ connectionsMax: 6 }), workload: open(4_000) },
      [server.endpoint],
    );
    await until('300 answers', () => clients.counters.answered >= 300);
    clients.live.endLoad();
    const rows = await clients.stop();
    expect(connectionsAtOnce(rows)).toBe(6);
    expect(connects(rows)).toBe(6);
    await server.close();
  });

  it('never exceeds its connections while the server closes some and others wait', async () => {
    // Every third response says that the connection closes; every seventh closes unannounced.
    // The first take 20 ms, which three connections do not keep up with: all three are opened.
    // A request that was sent before an unannounced FIN had come is lost, as with any server.
    let count = 0;
    let unannounced = 0;
    let closes = true;
    const target = await rawServer((socket) => {
      count += 1;
      if (count <= 30) setTimeout(() => socket.write(OK), 20);
      else if (!closes) socket.write(OK);
      else if (count % 3 === 0) socket.end(OK.replace('200 OK', '200 OK\r\nConnection: close'));
      else if (count % 7 === 0) {
        unannounced += 1;
        socket.end(OK);
      } else socket.write(OK);
    });
    const clients = await startClients(
      { pool: testPool({ connectionsMax: 3 }), workload: open(400) },
      [target],
    );
    const { counters } = clients;
    await until('300 answers', () => counters.answered >= 300);
    // What is lost to a closed connection after the load's end is not tried again: it would stay
    // pending. So the server closes no more, and what it has closed is heard of, before that.
    closes = false;
    const before = counters.answered;
    await until('50 more', () => counters.answered >= before + 50);
    clients.live.endLoad();
    await until(
      'the last of them',
      () => counters.answered + counters.failed === counters.requests,
    );
    const rows = await clients.stop();
    expect(connectionsAtOnce(rows)).toBe(3);
    const lost = outcomes(rows).filter((status) => status !== 200);
    expect(lost.length).toBeLessThanOrEqual(unannounced);
    expect(lost.filter((status) => status !== 0)).toEqual([]);
    expect(causes(rows)).toContain('peer_fin');
    const others = causes(rows).filter((cause) => cause !== 'peer_fin' && cause !== 'shutdown');
    expect(others.filter((cause) => cause !== 'peer_rst')).toEqual([]);
    expect(others.length).toBeLessThanOrEqual(lost.length);
  });

  it('closes idle connections after the idle timeout and opens a new one later', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    server.server.keepAliveTimeout = 60_000;
    const clients = await startClients(
      {
        pool: testPool({ connectionsMax: 1, idleTimeout: 20_000 }),
        workload: closed(60_000),
        count: 3,
      },
      [server.endpoint],
    );
    await until('three rounds', () => clients.counters.answered >= 9);
    clients.live.endLoad();
    await until('all idle ones gone', () => {
      const rows = clients.events();
      return connects(rows) === causes(rows).length;
    });
    const rows = await clients.stop();
    expect(new Set(causes(rows))).toEqual(new Set(['idle_timeout']));
    // Each thinks longer than its connection lives; only a late machine may ask before it closes.
    expect(connects(rows)).toBeGreaterThan(3);
    expect(connects(rows)).toBeLessThanOrEqual(attempts(rows).length);
    await server.close();
  });

  it('counts the idle timeout from the last use, however often it was used before', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const clients = await startClients(
      { pool: testPool({ connectionsMax: 1, idleTimeout: 100_000 }), workload: closed(5_000) },
      [server.endpoint],
    );
    await until('20 rounds', () => clients.counters.answered >= 20);
    clients.live.endLoad();
    await until('it is closed', () => causes(clients.events()).length > 0);
    const rows = await clients.stop();
    expect(causes(rows)).toEqual(['idle_timeout']);
    const lastUse = ofKind(rows, EventKind.exchangeEnded).at(-1)?.at ?? 0;
    const closedAt = ofKind(rows, EventKind.closed)[0]?.at ?? 0;
    expect(closedAt - lastUse).toBeGreaterThanOrEqual(100_000);
    await server.close();
  });

  it('sends nothing on a connection that has just ended while it was idle', async () => {
    // Two connections are used; then the server ends both at once, the idle one first, when
    // the third request comes. Its second attempt must not go to the idle one.
    const sockets: net.Socket[] = [];
    let asked = 0;
    const target = await rawServer((socket) => {
      asked += 1;
      if (asked <= 2) sockets.push(socket);
      if (asked === 2) for (const one of sockets) one.write(OK);
      if (asked === 3) {
        for (const one of sockets) if (one !== socket) one.end();
        socket.end();
      }
      if (asked > 3) socket.write(OK);
    });
    const clients = await startClients(
      { pool: testPool({ connectionsMax: 2 }), workload: open(20) },
      [target],
    );
    await until('three answers', () => clients.counters.answered >= 3);
    const rows = await clients.stop();
    const third = attempts(rows).filter(({ b }) => b === 3);
    expect(third).toHaveLength(2);
    expect(ofKind(rows, EventKind.connected).length).toBeGreaterThanOrEqual(3);
    expect(connectionsAtOnce(rows)).toBe(2);
  });

  it('drops the connection at each iteration, as JMeter does', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const clients = await startClients({ requestsPerIteration: 3, workload: closed(1_000) }, [
      server.endpoint,
    ]);
    await until('12 answers', () => clients.counters.answered >= 12);
    clients.live.endLoad();
    const rows = await clients.stop();
    const perEnd = new Map<number, number>();
    for (const { end } of attempts(rows)) perEnd.set(end, (perEnd.get(end) ?? 0) + 1);
    expect([...perEnd.values()].slice(0, 4)).toEqual([3, 3, 3, 3]);
    expect(causes(rows).slice(0, 4)).toEqual(Array(4).fill('max_requests'));
    await server.close();
  });

  it('takes a new limit of its pool while running', async () => {
    const server = await testUpstream(() => {});
    const clients = await startClients({ workload: open(500) }, [server.endpoint]);
    await until('a connection', () => connects(clients.events()) >= 1);
    await until('20 arrivals', () => clients.counters.requests >= 20);
    expect(connects(clients.events())).toBe(1);
    const to4 = { action: 'set', path: 'mobile.pool.connectionsMax', to: 4 } as const;
    expect(clients.live.apply(to4)).toBe(true);
    await until('four connections', () => connects(clients.events()) === 4);
    expect(clients.live.apply({ ...to4, path: 'embedded.pool.connectionsMax' })).toBe(false);
    expect(connectionsAtOnce(await clients.stop())).toBe(4);
    await server.close();
  });
});

describe('targets', () => {
  it('each client keeps to one target, the same one for the same seed', async () => {
    const places = async (targets: readonly Endpoint[]) => {
      const clients = await startClients({ count: 40, workload: closed(2_000) }, targets);
      await until('120 answers', () => clients.counters.answered >= 120);
      const rows = await clients.stop();
      const client = new Map(attempts(rows).map(({ end, a }) => [end, a]));
      const port = new Map<number, Set<number>>();
      for (const { end, b } of ofKind(rows, EventKind.connected)) {
        const number = client.get(end) ?? 0;
        port.set(number, (port.get(number) ?? new Set()).add(b % 65_536));
      }
      return port;
    };
    const servers = await Promise.all(
      [0, 1, 2].map(() => testUpstream((_request, response) => response.end('ok'))),
    );
    const endpoints = servers.map(({ endpoint }) => endpoint);
    const one = await places(endpoints);
    expect(one.size).toBe(40);
    for (const ports of one.values()) expect(ports.size).toBe(1);
    expect(new Set([...one.values()].flatMap((ports) => [...ports])).size).toBe(3);
    expect(await places(endpoints)).toEqual(one);
    for (const server of servers) await server.close();
  });
});
