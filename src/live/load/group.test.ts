/** Timeouts, retries and limits, against real servers that misbehave. */
import type http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind, EXCHANGE_FAILURES, exchangeFailureCode } from '../../model/event.ts';
import type { RetrySettings } from '../../model/topology.ts';
import { type EventRow, testPool, testUpstream, until } from '../test-support.ts';
import {
  attempts,
  causes,
  cleanUp,
  closed,
  done,
  noRetry,
  OK,
  ofKind,
  oneAsker,
  open,
  outcomes,
  rawServer,
  sent,
  startClients,
} from './test-clients.case.ts';

afterEach(cleanUp);

const failed = (failure: (typeof EXCHANGE_FAILURES)[number]): number =>
  -exchangeFailureCode(failure);

const retry = (changes: Partial<RetrySettings>): RetrySettings => ({
  ...noRetry,
  attemptsMax: 3,
  backoff: 10_000,
  backoffMax: 1_000_000,
  ...changes,
});

/** What became of each attempt: status, or the name of the failure. */
const results = (rows: readonly EventRow[]): (number | string)[] =>
  ofKind(rows, EventKind.exchangeEnded).map(({ a, b }) =>
    b === 0 ? a : (EXCHANGE_FAILURES[b] ?? '?'),
  );

/** µs from the end of each attempt to the start of the next. */
function pauses(rows: readonly EventRow[]): number[] {
  const starts = attempts(rows).map(({ at }) => at);
  const ends = ofKind(rows, EventKind.exchangeEnded).map(({ at }) => at);
  return starts.slice(1).map((at, index) => at - (ends[index] ?? 0));
}

describe('timeouts', () => {
  it('gives up on an answer that does not come, and closes its connection', async () => {
    const server = await testUpstream(() => {});
    const clients = await startClients({ timeout: 30_000 }, [server.endpoint]);
    await until('a failure', () => clients.counters.failed === 1);
    const rows = await clients.stop();
    expect(outcomes(rows)).toEqual([failed('timeout')]);
    expect(results(rows)).toEqual(['timeout']);
    expect(causes(rows)).toEqual(['request_timeout']);
    const waited = (done(rows)[0]?.at ?? 0) - (sent(rows)[0]?.at ?? 0);
    expect(waited).toBeGreaterThanOrEqual(30_000);
    await server.close();
  });

  it('gives up in the middle of a body, and while it waits for a connection', async () => {
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this');
    });
    const clients = await startClients({ timeout: 40_000, workload: open(1_000) }, [target]);
    await until('20 failures', () => clients.counters.failed >= 20);
    const rows = await clients.stop();
    expect(new Set(outcomes(rows))).toEqual(new Set([failed('timeout')]));
    // Those that waited in vain were sent but never started.
    const started = new Set(attempts(rows).map(({ b }) => b));
    expect(done(rows).filter(({ b }) => !started.has(b)).length).toBeGreaterThan(0);
    expect(causes(rows)).toContain('request_timeout');
  });

  it('gives up although the server does not take the request', async () => {
    const server = await testUpstream(() => {});
    server.server.on('connection', (socket) => socket.pause());
    const clients = await startClients(
      { timeout: 50_000, postShare: 1, bodyBytes: 30_000_000, retry: retry({ backoff: 0 }) },
      [server.endpoint],
    );
    await until('a failure', () => clients.counters.failed === 1);
    const rows = await clients.stop();
    // Each attempt needed a connection of its own: the one before was really gone.
    expect(results(rows)).toEqual(['timeout', 'timeout', 'timeout']);
    expect(causes(rows)).toEqual(Array(3).fill('request_timeout'));
    await server.close();
  });
});

describe('patience', () => {
  it('ends an attempt before its timeout, which is not heard of any more', async () => {
    const server = await testUpstream(() => {});
    const patience = { kind: 'uniform', min: 20_000, max: 30_000 } as const;
    const clients = await startClients({ timeout: 60_000, patience }, [server.endpoint]);
    await until('a failure', () => clients.counters.failed === 1);
    const heard = clients.counters.failed;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(clients.counters.failed).toBe(heard);
    const rows = await clients.stop();
    expect(outcomes(rows)).toEqual([failed('timeout')]);
    expect(causes(rows)).toEqual(['request_timeout']);
    const waited = (done(rows)[0]?.at ?? 0) - (sent(rows)[0]?.at ?? 0);
    expect(waited).toBeGreaterThanOrEqual(20_000);
    await server.close();
  });
});

describe('retries', () => {
  it('tries again after a growing pause, never too early, and then gives up', async () => {
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    });
    const clients = await startClients({ retry: retry({ attemptsMax: 4, on: ['5xx'] }) }, [target]);
    await until('an outcome', () => clients.counters.answered === 1);
    const rows = await clients.stop();
    expect(results(rows)).toEqual([503, 503, 503, 503]);
    expect(outcomes(rows)).toEqual([503]);
    expect(clients.counters.serverErrors5xx).toBe(1);
    const [first = 0, second = 0, third = 0] = pauses(rows);
    expect(first).toBeGreaterThanOrEqual(10_000);
    expect(second).toBeGreaterThanOrEqual(20_000);
    expect(third).toBeGreaterThanOrEqual(40_000);
    expect(attempts(rows).map(({ b }) => b)).toEqual([1, 1, 1, 1]);
  });

  it('succeeds at a later attempt, on the same item', async () => {
    const targets: string[] = [];
    const target = await rawServer((socket, _connection, _request, head) => {
      targets.push(head.split(' ')[1] ?? '');
      if (targets.length < 3) socket.resetAndDestroy();
      else socket.write(OK);
    });
    const clients = await startClients({ retry: retry({}), path: '/items/{n}' }, [target]);
    await until('an answer', () => clients.counters.answered === 1);
    const rows = await clients.stop();
    expect(results(rows)).toEqual(['reset', 'reset', 200]);
    expect(outcomes(rows)).toEqual([200]);
    expect(new Set(targets).size).toBe(1);
  });

  it('honours Retry-After as a minimum, also when the body comes later', async () => {
    let asked = 0;
    const target = await rawServer((socket) => {
      asked += 1;
      if (asked > 1) socket.write(OK);
      else {
        socket.write('HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\n');
        setTimeout(() => socket.write('wait'), 20);
      }
    });
    const clients = await startClients({ retry: retry({ on: ['429'] }) }, [target]);
    await until('an answer', () => clients.counters.answered === 1);
    const rows = await clients.stop();
    expect(results(rows)).toEqual([429, 200]);
    expect(pauses(rows)[0]).toBeGreaterThanOrEqual(1_000_000);
    expect(clients.counters.throttled429).toBe(0);
  });

  it('leaves alone what is not listed', async () => {
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n');
    });
    const clients = await startClients({ retry: retry({ on: ['5xx'] }) }, [target]);
    await until('an outcome', () => clients.counters.answered === 1);
    expect(results(await clients.stop())).toEqual([429]);
    expect(clients.counters.throttled429).toBe(1);
  });

  it('tries refused connections again, without an exchange', async () => {
    const free = await testUpstream(() => {});
    await free.close();
    const clients = await startClients({ retry: retry({ attemptsMax: 2 }) }, [free.endpoint]);
    await until('a failure', () => clients.counters.failed === 1);
    const rows = await clients.stop();
    expect(outcomes(rows)).toEqual([failed('refused')]);
    expect(ofKind(rows, EventKind.connectStarted)).toHaveLength(2);
    expect(attempts(rows)).toHaveLength(0);
  });

  it('stops when its budget is spent', async () => {
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
    });
    const budget = { attemptsMax: 2, backoff: 0, budget: 0, on: ['5xx'] } as const;
    const clients = await startClients({ retry: retry(budget), workload: closed(0), count: 20 }, [
      target,
    ]);
    await until('400 outcomes', () => clients.counters.answered >= 400);
    clients.live.endLoad();
    const rows = await clients.stop();
    // The 100 tokens that a bucket starts with (Retry policy), and not one more.
    expect(attempts(rows).length - sent(rows).length).toBeLessThanOrEqual(100);
    expect(attempts(rows).length - sent(rows).length).toBeGreaterThan(80);
  });

  it('does not retry once the load is over: the request stays pending', async () => {
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n');
    });
    const policy = retry({ on: ['5xx'], backoff: 50_000, backoffMax: 50_000, attemptsMax: 100 });
    const clients = await startClients({ retry: policy }, [target]);
    await until('two attempts', () => attempts(clients.events()).length === 2);
    clients.live.endLoad();
    await new Promise((resolve) => setTimeout(resolve, 100));
    const rows = await clients.stop();
    expect(attempts(rows)).toHaveLength(2);
    expect(outcomes(rows)).toEqual([]);
  });
});

describe('stale connections', () => {
  /** Answers the first request of each connection; closes at the second without a word. */
  const closesAtSecond = (end: 'fin' | 'rst') =>
    rawServer((socket, _connection, request) => {
      if (request === 1) socket.write(OK);
      else if (end === 'fin') socket.end();
      else socket.resetAndDestroy();
    });

  for (const end of ['fin', 'rst'] as const) {
    it(`sends a GET again after a ${end}, without a retry being allowed`, async () => {
      const target = await closesAtSecond(end);
      const clients = await startClients({ workload: closed(5_000) }, [target]);
      await until('three answers', () => clients.counters.answered === 3);
      const rows = await clients.stop();
      expect(outcomes(rows)).toEqual([200, 200, 200]);
      expect(results(rows).slice(0, 5)).toEqual([200, 'reset', 200, 'reset', 200]);
      expect(attempts(rows).map(({ b }) => b)).toEqual([1, 2, 2, 3, 3]);
    });
  }

  it('meets as many as its pool holds before it reaches a fresh one', async () => {
    // Six connections are used once; then each closes when it is used again.
    const target = await closesAtSecond('rst');
    const pool = testPool({ connectionsMax: 6 });
    const clients = await startClients({ pool, workload: open(200) }, [target]);
    await until('answers', () => clients.counters.answered >= 60);
    expect(new Set(outcomes(await clients.stop()))).toEqual(new Set([200]));
  });

  it('does not send a POST again, which may have been carried out', async () => {
    const target = await closesAtSecond('fin');
    const clients = await startClients({ workload: closed(5_000), postShare: 1, bodyBytes: 0 }, [
      target,
    ]);
    await until('a failure', () => clients.counters.failed === 1);
    const rows = await clients.stop();
    expect(outcomes(rows).slice(0, 2)).toEqual([200, failed('reset')]);
    expect(
      attempts(rows)
        .slice(0, 2)
        .map(({ b }) => b),
    ).toEqual([1, 2]);
  });

  it('does not send again what failed on a fresh connection', async () => {
    const target = await rawServer((socket) => socket.resetAndDestroy());
    const clients = await startClients({}, [target]);
    await until('a failure', () => clients.counters.failed === 1);
    expect(results(await clients.stop())).toEqual(['reset']);
  });
});

describe('limits', () => {
  it('fails a request at once where too many are under way', async () => {
    const server = await testUpstream(() => {});
    const limits = { clientInFlightMax: 3, groupInFlightMax: 5 };
    const clients = await startClients(
      { workload: open(1_000), count: 4 },
      [server.endpoint],
      limits,
    );
    await until('40 arrivals', () => clients.counters.requests >= 40);
    const rows = await clients.stop();
    expect(new Set(outcomes(rows))).toEqual(new Set([failed('no_connection')]));
    expect(sent(rows).length - outcomes(rows).length).toBe(5);
    const pending = new Map<number, number>();
    for (const { a } of sent(rows)) pending.set(a, (pending.get(a) ?? 0) + 1);
    for (const { a } of done(rows)) pending.set(a, (pending.get(a) ?? 0) - 1);
    expect(Math.max(...pending.values())).toBeLessThanOrEqual(3);
    expect(clients.counters.failed).toBe(outcomes(rows).length);
    await server.close();
  });

  it('fails a request that finds the line of its pool full', async () => {
    const server = await testUpstream(() => {});
    const pool = testPool({ connectionsMax: 1, waitersMax: 2 });
    const clients = await startClients({ pool, workload: open(1_000) }, [server.endpoint]);
    await until('20 failures', () => clients.counters.failed >= 20);
    const rows = await clients.stop();
    expect(new Set(outcomes(rows))).toEqual(new Set([failed('no_connection')]));
    expect(sent(rows).length - outcomes(rows).length).toBe(3);
    await server.close();
  });
});

it('asks in a way that node:http understands', async () => {
  const heads: http.IncomingHttpHeaders[] = [];
  const bodies: string[] = [];
  const server = await testUpstream((request, response) => {
    heads.push(request.headers);
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      bodies.push(`${request.method} ${body.length} ${JSON.stringify(JSON.parse(body)).length}`);
      response.end('ok');
    });
  });
  const clients = await startClients({ postShare: 1, bodyBytes: 300, workload: closed(1_000) }, [
    server.endpoint,
  ]);
  await until('three answers', () => clients.counters.answered >= 3);
  expect(heads[0]).toMatchObject({
    host: `127.0.0.1:${server.endpoint.port}`,
    'user-agent': `waterhammer/${oneAsker.name}`,
    'content-length': '300',
  });
  expect(heads[0]?.connection).not.toBe('close');
  expect(bodies[0]).toBe('POST 300 300');
  await clients.stop();
  await server.close();
});
