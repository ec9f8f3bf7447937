/** Closed users against a real node:http server. */
import { afterEach, expect, it } from 'vitest';
import type { ClientsHop } from '../../model/topology.ts';
import { Clock } from '../runtime/clock.ts';
import { type EventRow, testPool, testUpstream, until } from '../test-support.ts';
import { cleanUp, done, outcomes, sent, startClients } from './test-clients.case.ts';

afterEach(cleanUp);

const users = (changes: Partial<Extract<ClientsHop['workload'], { kind: 'closed' }>>) =>
  ({
    kind: 'closed',
    thinkTime: { kind: 'constant', value: 10_000 },
    awake: { shape: 'constant', value: 1 },
    startWithin: 20_000,
    ...changes,
  }) as const;

/** Pauses from each answer to the next intended start, by client. */
function pauses(rows: readonly EventRow[], client: number): number[] {
  const ends = done(rows).filter(({ a }) => a === client);
  const starts = sent(rows).filter(({ a }) => a === client);
  return starts.slice(1).map(({ c }, index) => c - (ends[index]?.at ?? 0));
}

async function run(
  workload: ClientsHop['workload'],
  requests: number,
  count = 3,
): Promise<EventRow[]> {
  const server = await testUpstream((_request, response) => response.end('ok'));
  const clients = await startClients({ count, workload }, [server.endpoint]);
  await until(`${requests} requests`, () => clients.counters.answered >= requests);
  clients.live.endLoad();
  const rows = await clients.stop();
  await server.close();
  return rows;
}

it('asks, waits for the answer, thinks, asks again: one request at a time', async () => {
  const rows = await run(users({}), 30);
  expect(new Set(outcomes(rows))).toEqual(new Set([200]));
  for (const client of [1, 2, 3]) {
    const thought = pauses(rows, client);
    expect(thought.length).toBeGreaterThan(3);
    // To the microsecond, however late the process was: the intended start is not the real one.
    expect(new Set(thought)).toEqual(new Set([10_000]));
  }
});

it('spreads first requests over startWithin, the same way for the same seed', async () => {
  const thinkTime = { kind: 'exponential', mean: 5_000 } as const;
  const inputs = async () => {
    const server = await testUpstream((_request, response) => response.end('ok'));
    const workload = users({ thinkTime, startWithin: 50_000 });
    const clients = await startClients({ count: 5, workload }, [server.endpoint]);
    const everybody = [1, 2, 3, 4, 5];
    // How often each has thought when all have done so four times is the machine's matter.
    await until('four thoughts of everybody', () => {
      const rows = sent(clients.events());
      return everybody.every((client) => rows.filter(({ a }) => a === client).length > 4);
    });
    const rows = await clients.stop();
    await server.close();
    const firsts = sent(rows).filter(({ b }) => b === 1);
    const origin = firsts.find(({ a }) => a === 1)?.c ?? 0;
    return everybody.map((client) => ({
      start: (firsts.find(({ a }) => a === client)?.c ?? 0) - origin,
      thinks: pauses(rows, client).slice(0, 4),
    }));
  };
  const first = await inputs();
  const starts = first.map(({ start }) => start);
  expect(new Set(starts).size).toBe(5);
  expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(50_000);
  expect(await inputs()).toEqual(first);
});

it('lets the lowest numbers stay awake; sleepers finish their request and wake again', async () => {
  const server = await testUpstream((_request, response) => response.end('ok'));
  const workload = users({ awake: { shape: 'constant', value: 0.25 } });
  const clients = await startClients({ count: 8, workload }, [server.endpoint]);
  const active = (rows: readonly EventRow[]) => new Set(sent(rows).map(({ a }) => a));
  await until('some requests', () => clients.counters.answered >= 20);
  expect(active(clients.events())).toEqual(new Set([1, 2]));

  const awake = (to: number) =>
    clients.live.apply({ action: 'set', path: 'mobile.awake', to } as const);
  expect(awake(0.75)).toBe(true);
  await until('six awake', () => active(clients.events()).size === 6);
  expect(awake(0)).toBe(true);
  const { counters } = clients;
  const clock = new Clock();
  await until('all asleep', () => {
    const pending = counters.requests - counters.answered;
    const last = Math.max(...sent(clients.events()).map(({ at }) => at));
    return pending === 0 && last < clock.now() - 50_000;
  });
  const before = clients.events().length;
  expect(awake(1)).toBe(true);
  await until('all awake', () => active(clients.events().slice(before)).size === 8);
  await clients.stop();
  await server.close();
});

it('follows a shape of steps', async () => {
  const awake = {
    shape: 'steps',
    steps: [
      { at: 0, value: 0 },
      { at: 150_000, value: 1 },
    ],
  } as const;
  const before = new Clock().now();
  const rows = await run(users({ awake, startWithin: 0 }), 6);
  // Nothing at all happened before the step, and everybody came after it.
  expect(Math.min(...rows.map(({ at }) => at))).toBeGreaterThanOrEqual(before + 150_000);
  expect(sent(rows).filter(({ b }) => b === 1)).toHaveLength(3);
});

it('keeps the intended start of a process that was late, and counts how late', async () => {
  const server = await testUpstream((_request, response) => response.end('ok'));
  const pool = testPool({ connectionsMax: 1 });
  const clients = await startClients({ pool, workload: users({ startWithin: 0 }) }, [
    server.endpoint,
  ]);
  await until('an answer', () => clients.counters.answered >= 1);
  // Blocks the event loop for longer than the think time, clients and server alike.
  const until60ms = Date.now() + 60;
  while (Date.now() < until60ms);
  await until('more answers', () => clients.counters.answered >= 4);
  const { lateness } = clients.counters;
  expect(lateness?.late).toBeGreaterThanOrEqual(1);
  expect(lateness?.max).toBeGreaterThan(10_000);
  expect(lateness?.count).toBe(clients.counters.requests);
  const rows = await clients.stop();
  expect(new Set(pauses(rows, 1))).toEqual(new Set([10_000]));
  const worst = Math.max(...sent(rows).map(({ at, c }) => at - c));
  expect(worst).toBe(lateness?.max);
  await server.close();
});
