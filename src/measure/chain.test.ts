/** The whole chain: who carried what, who closed whom, and what cannot be known. */
import { describe, expect, test } from 'vitest';
import { busyRun, openHeld, openPath, serve } from './test-scenario.ts';
import { type EndRef, type Result, Script } from './test-support.ts';
import { trace, traceConnection } from './trace.ts';

const MS = 1_000;

function link(result: Result, name: string) {
  const found = result.summary.links.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

describe('the incident: one client connection, three requests, three gateway connections', () => {
  const script = new Script({ clients: 8 });
  const client = script.at(0).connect('clients->apigw', { acceptLag: -3 });
  const app = script.connect('web->app');
  const database = script.connect('app->db');
  const paths = [1, 2, 3].map((request) => {
    const path = openPath(script.at(request * 100 * MS));
    const chain = { client, ...path, app, database };
    serve(script.at(request * 100 * MS + 5), chain, { client: 7, request });
    return path;
  });
  script.at(1_000 * MS).strike();
  const result = script.measure();

  test('multiplication is 3 behind the gateway, on links without an L7 end too', () => {
    expect(result.summary.imbalances).toEqual([]);
    expect(result.summary.balanced).toBe(true);
    expect(link(result, 'clients->apigw').multiplication).toBe(1);
    for (const name of ['apigw->nlb', 'nlb->queue', 'queue->web']) {
      expect(link(result, name)).toMatchObject({
        opened: 3,
        exchanges: 3,
        requestsPerNewConnection: 1,
        multiplication: 3,
        connectionRatio: 3,
      });
    }
    expect(link(result, 'web->app')).toMatchObject({ exchanges: 3, multiplication: 1 });
    expect(link(result, 'app->db').requestsPerNewConnection).toBe(3);
  });

  test('request 3 of client 7 can be followed on every link', () => {
    const steps = trace(result.exchanges, 'clients', 7, 3);
    const names = steps.map((step) => script.info.plan.links[step.link]?.name);
    expect(names).toEqual(script.info.plan.links.map((one) => one.name));
    expect(steps.map((step) => step.ordinal)).toEqual([3, 1, 1, 1, 3, 3]);
    expect(steps.every((step) => step.status === 200 && step.attempt === 1)).toBe(true);
    // The connection on the queue's link is the one that the third path opened.
    const row = result.connections.find((one) => one.connection === steps[2]?.connection);
    const events = script.events.filter(
      (event) => event.end === paths[2]?.balancer.acceptor.number,
    );
    expect(events.some((event) => event.b === row?.connectorAddress)).toBe(true);
    expect(trace(result.exchanges, 'clients', 7, 4)).toEqual([]);
  });

  test('children name their parents', () => {
    const first = result.exchanges.find((row) => row.link === 0 && row.ordinal === 1);
    const next = result.exchanges.find(
      (row) =>
        row.link === 1 && row.parentConnection === first?.connection && row.parentOrdinal === 1,
    );
    expect(next).toMatchObject({ parentLink: 0, clientGroup: 'clients', client: 7, request: 1 });
    expect(traceConnection(result.exchanges, first?.connection ?? 0, 3)).toEqual(
      trace(result.exchanges, 'clients', 7, 3),
    );
  });
});

describe('a busy run', () => {
  const result = busyRun().measure();

  test('the web server’s max_requests is the cause on every link that passed it on', () => {
    for (const name of ['apigw->nlb', 'nlb->queue', 'queue->web']) {
      expect(link(result, name).closedBy).toEqual({ max_requests: 1 });
    }
    expect(link(result, 'web->app').closedBy).toEqual({ idle_timeout: 1 });
    expect(link(result, 'clients->apigw').closedBy).toEqual({ client_abort: 1 });
    // Opened at 10 ms, closed by the last end 600 us after 3 s.
    const life = link(result, 'apigw->nlb').lifeMs.max_requests?.p50 ?? 0;
    expect(Math.abs(life - 2_990.5) / 2_990.5).toBeLessThan(0.004);
  });

  test('opened = closed + open on every link', () => {
    for (const { opened, closed, open } of result.summary.links) {
      expect(opened).toBe((closed ?? 0) + (open ?? 0));
    }
    expect(link(result, 'apigw->nlb')).toMatchObject({ opened: 3, closed: 1, open: 2 });
    expect(link(result, 'apigw->nlb').failedConnects).toBe(1);
  });

  test('clients: by the end of the load, from the intended start', () => {
    const [clients] = result.summary.clients;
    expect(clients?.requests).toEqual({
      sent: 5,
      answered: 3,
      failed: 1,
      pending: 1,
      ok: 2,
      throttled429: 0,
      serverErrors5xx: 1,
      timeouts: 1,
      resets: 0,
      retries: 1,
    });
    expect(clients?.attemptsPerSuccess).toBe(6 / 2);
    // Client 1 waited 1.5 s at the queue; client 0's last request waited 1.1 s.
    expect(clients).toMatchObject({ served: 2, starved: 2 });
  });

  test('the queue: slots, yields, and who starved', () => {
    const [queue] = result.summary.queues;
    // A slot from 10 ms to its close at 3,000.2 ms, but for 20 ms after it yielded.
    const held = 3_000.2 - 10 - 20;
    expect(queue?.slotOccupancy).toBeCloseTo(held / 4_900, 9);
    // In flight at the gateway: 9.45 ms of each of two requests.
    expect(queue?.slotUtilisation).toBeCloseTo((2 * (10 - 0.1 - 0.05)) / held, 4);
    expect(queue).toMatchObject({ granted: 2, yielded: 1, starvedConnections: 2, heldMax: 2 });
    // Hoarded while the given-up request waited: from 60 ms for 1,500 ms.
    expect(queue?.hoardedSlotSeconds).toBeCloseTo(1.5, 9);
  });
});

describe('what a request waits for', () => {
  /** One held connection that gets its slot after `wait`. */
  function waited(wait: number): Result {
    const script = new Script({ hops: ['clients', 'queue', 'web'], clients: 1 });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'held');
    script.sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    script.at(wait).slot(wire, 'active');
    const behind = script.relay(wire, 'queue->web');
    script.begin(behind.acceptor);
    script.at(wait + 10).end(behind.acceptor, 1);
    script.end(wire.connector, 1);
    script.done(0, 1, 200);
    script.at(wait + 20).strike();
    return script.measure();
  }

  test('starved means longer than starvedAfter, not as long', () => {
    expect(waited(1_000_000).summary.queues[0]?.starvedConnections).toBe(0);
    expect(waited(1_000_000).summary.clients[0]?.starved).toBe(0);
    const late = waited(1_000_001);
    expect(late.summary.queues[0]?.starvedConnections).toBe(1);
    expect(late.summary.clients[0]).toMatchObject({ starved: 1, served: 1 });
    expect(late.connections.find((row) => row.waitedMax === 1_000_001)).toBeDefined();
  });

  test('a request behind the queue starts there when its connection has a slot', () => {
    const { exchanges } = waited(500);
    const starts = exchanges.map((row) => [row.link, row.startedAt - 5_000_000]);
    expect(starts.sort()).toEqual([
      [0, 0],
      [1, 500],
    ]);
  });

  test('a response that goes on after its connection yielded is overcommit', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], clients: 1 });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'active');
    const behind = script.relay(wire, 'queue->web');
    script.at(10).sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    script.at(20).begin(behind.acceptor);
    script.at(30).slot(wire, 'yielded');
    script.at(50).end(behind.acceptor, 1);
    script.at(60).end(wire.connector, 1);
    script.done(0, 1, 200);
    script.at(100).strike();
    const { summary } = script.measure();
    expect(summary.balanced).toBe(true);
    expect(summary.queues[0]).toMatchObject({ yielded: 1, overcommit: 1, starvedConnections: 0 });
    expect(summary.queues[0]?.slotUtilisation).toBeCloseTo(20 / 30, 12);
  });

  test('a request of a client that left is replayed, and still attributed', () => {
    const script = new Script({ clients: 1 });
    const client = script.at(0).connect('clients->apigw');
    const app = script.connect('web->app');
    const held = openHeld(script);
    script.sent(0, 1);
    script.begin(client.connector, { client: 0, request: 1 });
    script.begin(client.acceptor);
    script.begin(held.gateway.connector, { end: client.acceptor, ordinal: 1 });
    script.at(100).end(held.gateway.connector, 1, 0, 'timeout');
    script.close(held.gateway.connector, 'request_timeout');
    script.end(client.acceptor, 1, 504);
    script.end(client.connector, 1, 504);
    script.done(0, 1, 504);
    script.at(5_000).slot(held.balancer, 'active');
    const behind = script.relay(held.balancer, 'queue->web');
    script.begin(behind.acceptor);
    script.begin(app.connector, { end: behind.acceptor, ordinal: 1 });
    script.begin(app.acceptor);
    for (const end of [app.acceptor, app.connector, behind.acceptor]) script.at(6_000).end(end, 1);
    const rest: EndRef[] = [behind.acceptor, behind.connector, held.balancer.acceptor];
    for (const end of [...rest, held.balancer.connector, held.gateway.acceptor]) {
      script.at(script.now + 10).close(end, 'peer_fin');
    }
    script.at(7_000).strike();
    const result = script.measure();
    expect(result.summary.imbalances).toEqual([]);
    expect(trace(result.exchanges, 'clients', 0, 1).map((step) => step.link)).toEqual([
      0, 1, 2, 3, 4,
    ]);
    expect(link(result, 'queue->web')).toMatchObject({
      exchanges: 1,
      closedBy: { request_timeout: 1 },
    });
  });
});
