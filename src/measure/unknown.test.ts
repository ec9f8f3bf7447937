/** Foreign hops, dead processes and other things that nobody can know: null, never 0. */
import { describe, expect, test } from 'vitest';
import { EventKind } from '../model/event.ts';
import { openHeld, openPath } from './test-scenario.ts';
import { measure, ORIGIN, Script } from './test-support.ts';

describe('external clients', () => {
  const script = new Script({ external: true });
  const client = script.at(0).connect('clients->apigw');
  for (let request = 1; request <= 3; request++) {
    const path = openPath(script.at(request * 1_000));
    const ordinal = script.begin(client.acceptor);
    script.begin(path.gateway.connector, { end: client.acceptor, ordinal });
    script.begin(path.behind.acceptor);
    script.at(script.now + 100).end(path.behind.acceptor, 1);
    script.end(path.gateway.connector, 1);
    script.end(client.acceptor, ordinal);
  }
  script.at(20_000).close(client.acceptor, 'peer_fin');
  script.at(30_000).strike();
  const { summary, exchanges } = script.measure();

  test('their connection has one end, and is followed all the same', () => {
    expect(summary.imbalances).toEqual([]);
    expect(summary.links[0]).toMatchObject({
      opened: 1,
      closed: 1,
      closedBy: { peer_fin: 1 },
      exchanges: 3,
      multiplication: 1,
    });
    expect(summary.links[1]).toMatchObject({ opened: 3, multiplication: 3, connectionRatio: 3 });
    expect(exchanges[0]).toMatchObject({ clientGroup: 'clients', client: null, request: null });
  });

  test('what only they know is null', () => {
    expect(summary.clients[0]).toMatchObject({ starved: null, latencyMs: null });
    expect(summary.clients[0]?.attemptsPerSuccess).toBeNull();
  });

  test('in front of a queue: slot use comes from behind it, waiting from nowhere', () => {
    const queue = new Script({ hops: ['clients', 'queue', 'web'], external: true, activeMax: 2 });
    const wire = queue.at(0).connect('clients->queue');
    queue.slot(wire, 'active');
    const behind = queue.relay(wire, 'queue->web');
    queue.at(10).begin(behind.acceptor);
    queue.at(40).end(behind.acceptor, 1);
    queue.at(100).strike();
    const result = queue.measure();
    expect(result.summary.balanced).toBe(true);
    expect(result.summary.queues[0]).toMatchObject({
      slotUtilisation: 0.3,
      slotOccupancy: 0.5,
      hoardedSlotSeconds: null,
      starvedConnections: null,
      overcommit: null,
    });
    expect(result.summary.links[0]?.exchanges).toBe(1);
  });
});

describe('real nginx', () => {
  const script = new Script({ nginx: true, clients: 1 });
  const client = script.at(0).connect('clients->apigw');
  const path = openPath(script);
  const app = script.connect('web->app');
  script.at(10).sent(0, 1);
  script.begin(client.connector, { client: 0, request: 1 });
  script.begin(client.acceptor);
  script.begin(path.gateway.connector, { end: client.acceptor, ordinal: 1 });
  // The app learns from a header whose request it is.
  script.at(20).begin(app.acceptor, { end: path.gateway.connector, ordinal: 1 });
  script.at(40).end(app.acceptor, 1);
  for (const end of [path.gateway.connector, client.acceptor, client.connector]) {
    script.at(script.now + 5).end(end, 1);
  }
  script.done(0, 1, 200);
  script.at(100).strike();
  const { summary, exchanges } = script.measure();

  test('requests are followed through it by their header', () => {
    expect(summary.imbalances).toEqual([]);
    expect(summary.balanced).toBe(true);
    const links = exchanges.filter((row) => row.client === 0 && row.request === 1);
    expect(links.map((row) => row.link).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(exchanges.find((row) => row.link === 4)).toMatchObject({
      parentLink: 1,
      readAt: ORIGIN + 20,
    });
    expect(exchanges.find((row) => row.link === 3)).toMatchObject({ readAt: null, status: 200 });
  });

  test('requests per host are counted at the first hop of ours', () => {
    const { series } = script.measure();
    const host = series.filter((row) => row.scope === 'host:ec2#0');
    expect(host).toEqual([{ second: 0, scope: 'host:ec2#0', measure: 'requests', value: 1 }]);
  });
});

describe('a process that dies', () => {
  test('its ends are closed as the peer saw it, and that is explained', () => {
    const script = new Script({ clients: 1 });
    const client = script.at(0).connect('clients->apigw');
    const held = openHeld(script);
    script.sent(0, 1);
    script.begin(client.connector, { client: 0, request: 1 });
    script.begin(client.acceptor);
    script.begin(held.gateway.connector, { end: client.acceptor, ordinal: 1 });
    script.at(1_000).end(held.gateway.connector, 1, 0, 'reset');
    script.close(held.gateway.connector, 'peer_rst');
    script.end(client.acceptor, 1, 502);
    script.end(client.connector, 1, 502);
    script.done(0, 1, 502);
    script.at(3_000).strike();
    const back = script.instance('queue').process;
    const alive = script.records().filter((row) => row.process !== back || row.at < ORIGIN + 1_000);
    const info = {
      ...script.info,
      kernel: null,
      deaths: [{ process: back, at: ORIGIN + 2_000, reason: 'SIGKILL' }],
    };
    const { summary, connections } = measure(info, alive);
    expect(summary.balanced).toBe(true);
    expect(summary.imbalances.map((one) => one.kind)).toEqual(['process_died', 'process_died']);
    expect(summary.links.find((one) => one.name === 'apigw->nlb')?.closedBy).toEqual({
      process_died: 1,
    });
    expect(connections.find((row) => row.link === 1)?.closedAt).toBe(ORIGIN + 1_000);
    // But a hole in what it told before is still a hole.
    const hole = alive.findIndex((row) => row.process === back && row.kind === EventKind.accepted);
    const written = [0, 1, 2].map((p) => alive.filter((row) => row.process === p).length);
    expect(measure(info, alive.toSpliced(hole, 1), written).summary.balanced).toBe(false);
  });

  test('takes its last events with it: what only its peers know of was closed by its death', () => {
    const script = new Script({ hops: ['clients', 'apigw', 'nlb', 'queue', 'web'] });
    const wire = script.at(900).connect('apigw->nlb');
    const behind = script.relay(wire, 'nlb->queue');
    script.slot(behind, 'held');
    script.at(1_000).close(wire.acceptor, 'peer_rst');
    script.close(behind.connector, 'peer_rst');
    script.close(behind.acceptor, 'peer_rst');
    script.at(3_000).strike();
    const front = script.instance('apigw').process;
    const told = script.records().filter(({ process }) => process !== front);
    const deaths = [{ process: front, at: ORIGIN + 2_000, reason: 'SIGKILL' }];
    const { summary } = measure({ ...script.info, kernel: null, deaths }, told);
    expect(summary.balanced).toBe(true);
    for (const name of ['apigw->nlb', 'nlb->queue']) {
      const { closedBy } = summary.links.find((one) => one.name === name) ?? {};
      expect([name, closedBy]).toEqual([name, { process_died: 1 }]);
    }
  });
});
