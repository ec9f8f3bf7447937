/** The clients hop as a whole: faults, the end of the load, and what a crowd costs. */
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import {
  attempts,
  causes,
  cleanUp,
  closed,
  noRetry,
  OK,
  ofKind,
  open,
  outcomes,
  rawServer,
  sent,
  startClients,
} from '../load/test-clients.case.ts';
import { Clock } from '../runtime/clock.ts';
import { testPool, testUpstream, until } from '../test-support.ts';

afterEach(cleanUp);

describe('faults', () => {
  it('a share of clients stops reading, the others go on, and all hear again', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const clients = await startClients({ count: 20, workload: closed(2_000) }, [server.endpoint]);
    await until('everybody was answered', () => clients.counters.answered >= 60);
    const fault = { action: 'stop-reading', hop: 'mobile', share: 0.25, lasts: 500_000 } as const;
    expect(clients.live.apply({ ...fault, hop: 'embedded' })).toBe(false);
    expect(clients.live.apply(fault)).toBe(true);
    const over = new Clock().now() + 500_000;
    const since = clients.events().length;
    await until('the fault is over', () => new Clock().now() > over);
    // Rows of the fault's last 50 ms are left to clocks and timers.
    const during = clients
      .events()
      .slice(since)
      .filter(({ at }) => at < over - 50_000);
    const heard = new Set(ofKind(during, EventKind.requestDone).map(({ a }) => a));
    // Exactly a quarter: those may have had one answer on its way already.
    const busy = [...heard].filter(
      (client) => ofKind(during, EventKind.requestDone).filter(({ a }) => a === client).length > 2,
    );
    expect(busy).toHaveLength(15);
    await until('everybody hears again', () => {
      const rows = clients.events().slice(since);
      const last = new Map<number, number>();
      for (const { a, b } of ofKind(rows, EventKind.requestDone)) last.set(a, b);
      const first = new Map<number, number>();
      for (const { a, b } of ofKind(rows, EventKind.requestSent))
        if (!first.has(a)) first.set(a, b);
      return [...first].filter(([client, b]) => (last.get(client) ?? 0) > b + 1).length === 20;
    });
    const rows = await clients.stop();
    expect(new Set(outcomes(rows))).toEqual(new Set([200]));
    await server.close();
  });

  it('clients that connect while they are deaf do not hear either, but still give up', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const clients = await startClients(
      { count: 3, workload: closed(1_000, 30_000), timeout: 60_000, retry: noRetry },
      [server.endpoint],
    );
    const fault = { action: 'stop-reading', hop: 'mobile', share: 1, lasts: 10_000_000 } as const;
    expect(clients.live.apply(fault)).toBe(true);
    await until('three timeouts', () => clients.counters.failed >= 3);
    expect(clients.counters.answered).toBe(0);
    await clients.stop();
    await server.close();
  });

  it('resets a share of its own connections', async () => {
    let asked = 0;
    let resets = 0;
    const target = await rawServer((socket) => {
      asked += 1;
      socket.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') resets += 1;
      });
    });
    const clients = await startClients({ count: 40 }, [target]);
    await until('40 requests at the server', () => asked === 40);
    const fault = { action: 'reset-connections', hop: 'mobile', share: 0.5 } as const;
    expect(clients.live.apply(fault)).toBe(true);
    let ours = 0;
    await until('the server sees as many as we reset', () => {
      ours = causes(clients.events()).filter((cause) => cause === 'local_rst').length;
      return ours > 0 && resets === ours && clients.counters.failed === ours;
    });
    expect(ours).toBeGreaterThan(5);
    expect(ours).toBeLessThan(35);
    expect(outcomes(await clients.stop())).toHaveLength(ours);
  });

  it('knows no other faults', async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const clients = await startClients({}, [server.endpoint]);
    const { live } = clients;
    expect(live.apply({ action: 'stall', hop: 'mobile', lasts: 1 })).toBe(false);
    expect(live.apply({ action: 'set', path: 'mobile.rate', to: 5 })).toBe(false);
    expect(live.apply({ action: 'mark' })).toBe(false);
    await clients.stop();
    await server.close();
  });
});

describe('the end', () => {
  it('stops in the middle of everything: connecting, waiting, answered in part', async () => {
    const target = await rawServer((socket, connection) => {
      if (connection % 2 === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot all');
    });
    const clients = await startClients(
      { count: 10, workload: open(3_000), pool: testPool({ connectionsMax: 2 }) },
      [target],
    );
    await until('200 arrivals', () => clients.counters.requests >= 200);
    clients.live.endLoad();
    const { requests } = clients.counters;
    const rows = await clients.stop();
    // No answer, no failure: all of them are pending in the books, those that waited too.
    expect(sent(rows)).toHaveLength(requests);
    expect(outcomes(rows)).toEqual([]);
    expect(ofKind(rows, EventKind.connectStarted).length).toBeLessThanOrEqual(20);
    expect(new Set(causes(rows))).toEqual(new Set(['shutdown']));
  });

  it('stops while it connects', async () => {
    const target = await rawServer(() => {});
    const clients = await startClients({ count: 30, workload: open(1_000) }, [target]);
    const blocked = Date.now() + 30;
    while (Date.now() < blocked);
    // A new rate makes up for the arrivals that were missed before anything else happens.
    clients.live.apply({ action: 'set', path: 'mobile.rate', to: 0 });
    const { requests } = clients.counters;
    expect(requests).toBeGreaterThan(20);
    const rows = await clients.stop();
    expect(ofKind(rows, EventKind.connectStarted).length).toBeGreaterThan(10);
    expect(ofKind(rows, EventKind.connected)).toHaveLength(0);
    expect(sent(rows)).toHaveLength(requests);
    expect(outcomes(rows)).toEqual([]);
  });
});

it('a crowd of 2,000 clients, each on its own connection', async () => {
  // Counted there: to look through all events every few milliseconds costs more than the load.
  const asked = new Set<number>();
  const target = await rawServer((socket, connection) => {
    asked.add(connection);
    socket.write(OK);
  });
  const pool = testPool({ connectionsMax: 1, idleTimeout: 300_000_000 });
  const clients = await startClients({ count: 2_000, pool, workload: closed(300_000, 300_000) }, [
    target,
  ]);
  await until('4,000 answers', () => clients.counters.answered >= 4_000);
  await until('everybody', () => asked.size >= 2_000);
  const rows = await clients.stop();
  expect(ofKind(rows, EventKind.connected)).toHaveLength(2_000);
  const used = new Set(attempts(rows).map(({ end }) => end));
  expect(used.size).toBeGreaterThan(1_900);
});
