/** Open arrivals against a real node:http server. */
import type http from 'node:http';
import { afterEach, expect, it } from 'vitest';
import type { ClientsHop } from '../../model/topology.ts';
import type { RunningHop } from '../test-http.case.ts';
import { testPool, testUpstream, until } from '../test-support.ts';
import {
  attempts,
  cleanUp,
  connectionsAtOnce,
  open,
  outcomes,
  sent,
  startClients,
} from './test-clients.case.ts';

afterEach(cleanUp);

async function start(
  changes: Partial<ClientsHop>,
  handler: http.RequestListener = (_request, response) => response.end('ok'),
): Promise<RunningHop & { close(): Promise<void> }> {
  const server = await testUpstream(handler);
  const clients = await startClients(changes, [server.endpoint]);
  return { ...clients, close: () => server.close() };
}

it('draws the same arrivals, clients, methods and items from the same seed', async () => {
  const inputs = async () => {
    const asked: string[] = [];
    const clients = await start(
      { count: 20, workload: open(2_000, 'poisson'), postShare: 0.3, path: '/items/{n}?again={n}' },
      (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        request.resume().on('end', () => response.end('ok'));
      },
    );
    await until('200 answers', () => clients.counters.answered >= 200);
    const arrivals = sent(await clients.stop()).slice(0, 150);
    await clients.close();
    const origin = arrivals[0]?.c ?? 0;
    return { arrivals: arrivals.map(({ a, b, c }) => [a, b, c - origin]), asked };
  };
  const one = await inputs();
  const other = await inputs();
  expect(other.arrivals).toEqual(one.arrivals);
  expect(new Set(one.arrivals.map(([client]) => client)).size).toBe(20);
  const posts = one.asked.filter((line) => line === 'POST /items').length;
  expect(posts).toBeGreaterThan(20);
  const gets = one.asked.filter((line) => line.startsWith('GET'));
  expect(posts + gets.length).toBe(one.asked.length);
  for (const line of gets) expect(line).toMatch(/^GET \/items\/(\d{1,4})\?again=\1$/);
  // Which of two clients reaches the server first is not an input; what is asked for is.
  const common = (lines: string[]) => lines.slice(0, 100).sort();
  expect(common(other.asked).filter((line) => one.asked.includes(line)).length).toBeGreaterThan(90);
});

it('keeps its rate when nobody answers, and its intended times evenly spaced', async () => {
  const clients = await start(
    { workload: open(1_000), pool: testPool({ connectionsMax: 2 }) },
    () => {},
  );
  await until('100 arrivals', () => clients.counters.requests >= 100);
  const rows = await clients.stop();
  const intended = sent(rows).map(({ c }) => c);
  const gaps = intended.slice(1).map((at, index) => at - (intended[index] ?? 0));
  expect(new Set(gaps)).toEqual(new Set([1_000]));
  // Two are under way, the others wait for a connection: sent, not started.
  expect(attempts(rows)).toHaveLength(2);
  expect(connectionsAtOnce(rows)).toBe(2);
  expect(outcomes(rows)).toEqual([]);
  await clients.close();
});

it('takes another rate at once, and none at all', async () => {
  const clients = await start({ workload: open(10), count: 5 });
  const rate = (to: number) =>
    clients.live.apply({ action: 'set', path: 'mobile.rate', to } as const);
  expect(rate(5_000)).toBe(true);
  await until('300 arrivals', () => clients.counters.requests >= 300);
  expect(rate(0)).toBe(true);
  const { requests } = clients.counters;
  await until('all answers', () => clients.counters.answered === requests);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(clients.counters.requests).toBe(requests);
  expect(rate(5_000)).toBe(true);
  await until('more arrivals', () => clients.counters.requests >= requests + 50);
  await clients.stop();
  await clients.close();
});

it('issues at once what a late process missed, each with the time it was due', async () => {
  const clients = await start({ workload: open(1_000), count: 10 });
  await until('an answer', () => clients.counters.answered >= 1);
  const blocked = Date.now() + 80;
  while (Date.now() < blocked);
  const { requests } = clients.counters;
  await until('more answers', () => clients.counters.answered >= requests + 60);
  const { lateness } = clients.counters;
  expect(lateness?.late).toBeGreaterThan(30);
  clients.live.endLoad();
  const intended = sent(await clients.stop()).map(({ c }) => c);
  const gaps = intended.slice(1).map((at, index) => at - (intended[index] ?? 0));
  expect(new Set(gaps)).toEqual(new Set([1_000]));
  await clients.close();
});

it('stops asking at the end of the load, while answers still come', async () => {
  const clients = await start({ workload: open(1_000), count: 50 }, (_request, response) => {
    setTimeout(() => response.end('ok'), 60);
  });
  await until('30 arrivals', () => clients.counters.requests >= 30);
  clients.live.endLoad();
  const { requests } = clients.counters;
  await until('all answers', () => clients.counters.answered === requests);
  expect(clients.counters.requests).toBe(requests);
  expect(outcomes(await clients.stop())).toHaveLength(requests);
  await clients.close();
});
