/**
 * The kernel's part, through topology documents and to the microsecond: round trips, backlogs and
 * SYNs sent again, TIME_WAIT and ports, RST after a balancer's idle timeout, zombies, timers.
 */
import { describe, expect, it } from 'vitest';
import { isOk, type Lived, live, type Request, requestsOf, sojourn } from './simulated.ts';

/** Requests at regular times, each on a connection of its own. */
function document(rate: number, seconds: number, hops: readonly string[], more = ''): string {
  return `name: kernel
duration: ${seconds}s
hops:
  - name: clients
    kind: clients
    count: 100000
    pool: { connectionsMax: 0, requestsPerConnectionMax: 1 }
    timeout: 0s
    ${more}
    workload: { kind: open, rate: ${rate}/s, arrivals: constant }
${hops.map((hop) => `  - ${hop}\n`).join('')}`;
}

const seconds = (requests: readonly Request[]): number[] =>
  requests.map((one) => Math.round(sojourn(one) * 1e6) / 1e6);

function rows(lived: Lived, scope: string, measure: string): (number | null)[] {
  return [...lived.simulation.rows()]
    .filter((row) => row.scope === scope && row.measure === measure)
    .map(({ value }) => value);
}

describe('a link with a delay', () => {
  const app = '{ name: app, kind: app, serviceTime: 5ms }';

  it('costs two round trips on a new connection, and one on a kept one', () => {
    const yaml = document(1, 20, [app], 'upstreamDelay: 10ms');
    expect(new Set(seconds(requestsOf({ yaml, seed: 1 })))).toEqual(new Set([0.045]));
    const kept = yaml.replace('requestsPerConnectionMax: 1', 'requestsPerConnectionMax: 0');
    const one = kept.replace('count: 100000', 'count: 1');
    expect(seconds(requestsOf({ yaml: one, seed: 1 }))).toEqual([
      0.045,
      ...Array.from({ length: 18 }, () => 0.025),
    ]);
  });

  it('adds up over the hops', () => {
    const web = '{ name: nginx, kind: web-server, upstreamIdleMax: 10, upstreamDelay: 3ms }';
    const yaml = document(1, 20, [web, app], 'upstreamDelay: 10ms');
    const found = seconds(requestsOf({ yaml, seed: 1 }));
    // 4 x 10 ms on the first link; 4 x 3 ms on the second, then 2 x 3 ms on kept connections.
    expect(found.slice(0, 3)).toEqual([0.057, 0.051, 0.051]);
  });
});

describe('a listener that does not accept', () => {
  const [from, lasts, backlog] = [1, 2.5, 4];
  const hop = `{ name: app, kind: app, serviceTime: 5ms, backlog: ${backlog} }`;
  const timeline = `timeline:
  - { at: ${from}s, action: stop-accepting, hop: app, lasts: ${lasts}s }
`;

  it('keeps as many as its backlog and one; other SYNs come again after 1, 3, 7 s', () => {
    const requests = requestsOf({ yaml: document(10, 20, [hop]) + timeline, seed: 1 });
    const waiting = requests.filter(
      ({ sentAt }) => sentAt >= from * 1e6 && sentAt < (from + lasts) * 1e6,
    );
    expect(waiting).toHaveLength(25);
    const accepts = (from + lasts) * 1e6;
    waiting.sort((one, other) => one.sentAt - other.sentAt);
    waiting.forEach(({ sentAt, doneAt }, index) => {
      const again = [1e6, 3e6, 7e6].map((after) => sentAt + after).find((at) => at >= accepts);
      expect(doneAt - 5_000, `request ${index}`).toBe(index <= backlog ? accepts : again);
    });
  });

  it('whoever has less patience gives up then; the kernel does after 127 s', () => {
    const impatient = document(10, 20, [hop], 'connectTimeout: 2s') + timeline;
    const requests = requestsOf({ yaml: impatient, seed: 1 });
    const failed = requests.filter((one) => !isOk(one));
    expect(failed.length).toBeGreaterThan(5);
    expect(new Set(seconds(failed))).toEqual(new Set([2]));
    const long = timeline.replace(`lasts: ${lasts}s`, 'lasts: 300s');
    const patient = document(1, 200, [hop], 'connectTimeout: 1000s') + long;
    const gone = requestsOf({ yaml: patient, seed: 1 }).filter((one) => !isOk(one));
    expect(gone.length).toBeGreaterThan(50);
    expect(new Set(seconds(gone))).toEqual(new Set([127]));
  });
});

describe('ports', () => {
  const apigw = (each: number): string =>
    '{ name: apigw, kind: gateway, ephemeralPorts: 50, ' +
    `pool: { requestsPerConnectionMax: ${each} } }`;
  const app = '{ name: app, kind: app, serviceTime: 5ms }';

  it('run out where every connection leaves one in TIME_WAIT, and come back a minute later', () => {
    const requests = requestsOf({ yaml: document(10, 120, [apigw(1), app]), seed: 1 });
    // The first minute's 50 ports, and the same ones in the next; an error is a 502 at once.
    const answered = requests.filter(isOk).map(({ sentAt }) => sentAt / 1e6);
    expect(answered.filter((at) => at < 60)).toHaveLength(50);
    expect(Math.max(...answered.filter((at) => at < 60))).toBeLessThan(5.2);
    expect(answered.filter((at) => at >= 60)).toHaveLength(50);
    const refused = requests.filter((one) => !isOk(one));
    expect(new Set(refused.map(({ outcome }) => outcome))).toEqual(new Set([502]));
  });

  it('suffice where connections are kept', () => {
    const requests = requestsOf({ yaml: document(10, 120, [apigw(0), app]), seed: 1 });
    expect(requests.filter((one) => !isOk(one))).toEqual([]);
  });
});

it('a balancer that forgot an idle flow answers its next request with RST', () => {
  const yaml = `name: forgotten
duration: 100s
hops:
  - name: users
    kind: clients
    count: 1
    pool: { connectionsMax: 1, idleTimeout: 0s }
    retry: { attemptsMax: 1 }
    workload: { kind: closed, thinkTime: 7s, startWithin: 0s }
  - { name: nlb, kind: l4-balancer, idleTimeout: 6s }
  - { name: app, kind: app, serviceTime: 0s, keepAliveTimeout: 1h }
`;
  const of = (text: string) => {
    const { links, clients } = live({ yaml: text, seed: 1 }).simulation.measured();
    return { links: links.slice(0, 2), requests: clients[0]?.requests };
  };
  // 15 requests: each but the first finds its connection dead, and is sent again on a new one.
  const forgotten = of(yaml);
  expect(forgotten.requests).toMatchObject({ answered: 15, failed: 0, retries: 14 });
  expect(forgotten.links).toMatchObject([
    { opened: 15, closed: 14, closedBy: { idle_timeout: 14 } },
    // The app is not told: it keeps what its client has lost.
    { opened: 15, closed: 0, closedBy: {} },
  ]);
  // Ten seconds after its last answer the app closes by itself, and the user is not told either.
  expect(of(yaml.replace('keepAliveTimeout: 1h', 'keepAliveTimeout: 10s')).links).toMatchObject([
    { opened: 15, closed: 14, closedBy: { idle_timeout: 14 } },
    { opened: 15, closed: 13, closedBy: { idle_timeout: 13 } },
  ]);
  const kept = of(yaml.replace('idleTimeout: 6s', 'idleTimeout: 8s'));
  expect(kept.requests).toMatchObject({ answered: 15, failed: 0, retries: 0 });
  expect(kept.links).toMatchObject([{ opened: 1 }, { opened: 1 }]);
});

it('work for clients that left while their request lay unread is done, counted as zombie', () => {
  const yaml = (whileHeld: string): string => `name: zombies
duration: 60s
hops:
  - name: users
    kind: clients
    count: 30
    pool: { connectionsMax: 1 }
    timeout: 1s
    workload: { kind: closed, thinkTime: exponential(500ms) }
  - { name: queue, kind: connection-queue, activeMax: 2, whileHeld: ${whileHeld} }
  - { name: app, kind: app, serviceTime: 200ms, keepAliveTimeout: 300ms }
`;
  const of = (whileHeld: string) => {
    let served = 0;
    const lived = live({ yaml: yaml(whileHeld), seed: 1 });
    const { queues, stations, clients } = lived.simulation.measured();
    served += rows(lived, 'clients:users', 'ok').reduce<number>((sum, one) => sum + (one ?? 0), 0);
    return { queue: queues[0], app: stations[0], served, given: clients[0]?.requests.timeouts };
  };
  const unread = of('unread');
  const watched = of('watch');
  expect(unread.given).toBeGreaterThan(100);
  expect(unread.queue?.zombieExchanges).toBeGreaterThan(50);
  expect(watched.queue?.zombieExchanges).toBe(0);
  // The app works for those who get its answer, for zombies, and for who leaves meanwhile.
  const worked = ((unread.app?.load ?? 0) * 60) / 0.2;
  expect(worked).toBeGreaterThan(unread.served + (unread.queue?.zombieExchanges ?? 0) - 3);
});

it('no timer outlives what it was for: the queue of events empties with the system', () => {
  const yaml = `name: timers
duration: 400s
hops:
  - name: clients
    kind: clients
    count: 2000
    timeout: 30s
    pool: { connectionsMax: 2, idleTimeout: 20s }
    workload:
      kind: open
      rate: { shape: steps, steps: [{ at: 0s, value: 500/s }, { at: 100s, value: 0/s }] }
  - { name: apigw, kind: gateway, nodes: 4, pool: { idleTimeout: 20s } }
  - { name: nlb, kind: l4-balancer, idleTimeout: 60s }
  - { name: queue, kind: connection-queue, activeMax: 200, heldTimeout: 50s }
  - { name: nginx, kind: web-server, keepAliveTimeout: 75s, upstreamIdleMax: 4 }
  - { name: app, kind: app, serviceTime: exponential(20ms), keepAliveTimeout: 5s }
  - { name: db, kind: database, serviceTime: exponential(2ms) }
`;
  const pending = new Map<number, number>();
  let engine: { readonly pending: number } | null = null;
  const { simulation } = live({
    yaml,
    seed: 1,
    begun: (one) => {
      engine = one.engine;
    },
    listen: (at) => {
      if (engine !== null) pending.set(Math.floor(at / 1e6), engine.pending);
    },
  });
  const loaded = [...pending].filter(([second]) => second >= 20 && second < 100);
  const open = [...simulation.rows()].filter(({ measure }) => measure === 'open');
  for (const [second, events] of loaded) {
    const sockets = open.filter((row) => row.second === second);
    const connections = sockets.reduce((sum, { value }) => sum + (value ?? 0), 0);
    // An event or two for each connection and each client, not one for each request of 30 s.
    expect(events, `at ${second} s`).toBeLessThan(2 * connections + 2_000);
  }
  expect(loaded.length).toBe(80);
  expect(simulation.engine.pending).toBeLessThan(10);
});
