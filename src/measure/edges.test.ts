/** Single rules, each at its edge. */
import { describe, expect, test } from 'vitest';
import { EventKind, SlotState } from '../model/event.ts';
import { closePath, openHeld, openPath, pendingAtTheEnd } from './test-scenario.ts';
import { measure, Script, type Wire } from './test-support.ts';

const MS = 1_000;

/** One request over both ends of a connection between L7 hops. */
function ask(script: Script, wire: Wire, client: number, request: number): void {
  script.sent(client, request);
  const ordinal = script.begin(wire.connector, { client, request });
  script.begin(wire.acceptor);
  script.at(script.now + 10).end(wire.acceptor, ordinal);
  script.end(wire.connector, ordinal);
  script.done(client, request, 200);
}

describe('causes', () => {
  test('when both ends decide, the earlier one counts', () => {
    for (const first of ['connector', 'acceptor'] as const) {
      const script = new Script({ hops: ['clients', 'apigw'] });
      const wire = script.at(0).connect('clients->apigw');
      script.at(first === 'connector' ? 10 : 20).close(wire.connector, 'client_abort');
      script.at(first === 'connector' ? 20 : 10).close(wire.acceptor, 'idle_timeout');
      script.at(50).strike();
      const expected = first === 'connector' ? 'client_abort' : 'idle_timeout';
      expect(script.measure().summary.links[0]?.closedBy).toEqual({ [expected]: 1 });
    }
  });

  test('a chain that nobody of ours closed says what its ends saw', () => {
    const script = new Script();
    closePath(script.at(10), openPath(script.at(0)), 5, 'peer_rst', 'peer_fin');
    script.at(2_000).strike();
    const links = script.measure().summary.links.slice(1, 4);
    expect(links.map((one) => one.closedBy)).toEqual([
      { peer_fin: 1 },
      { peer_fin: 1 },
      { peer_rst: 1 },
    ]);
  });
});

describe('clients', () => {
  test('an answer after the end of the load is pending, one at the end is not', () => {
    const script = new Script({ hops: ['clients', 'apigw'] });
    const wires = [0, 1].map(() => script.at(0).connect('clients->apigw'));
    wires.forEach(({ connector, acceptor }, client) => {
      script.at(10).sent(client, 1);
      script.begin(connector, { client, request: 1 });
      script.begin(acceptor);
      script.at(100 + client).end(acceptor, 1);
      script.end(connector, 1);
      script.done(client, 1, 200);
    });
    script.at(200).strike(100);
    const { summary } = script.measure();
    expect(summary.balanced).toBe(true);
    expect(summary.clients[0]?.requests).toMatchObject({ sent: 2, answered: 1, ok: 1, pending: 1 });
    expect(summary.clients[0]?.served).toBe(1);
  });

  test('latency counts from the intended start', () => {
    const script = new Script({ hops: ['clients', 'apigw'] });
    const wire = script.at(0).connect('clients->apigw');
    script.at(50 * MS).sent(0, 1, 10 * MS);
    script.begin(wire.connector, { client: 0, request: 1 });
    script.begin(wire.acceptor);
    script.at(60 * MS).end(wire.acceptor, 1);
    script.end(wire.connector, 1);
    script.done(0, 1, 200);
    script.at(100 * MS).strike();
    expect(script.measure().summary.clients[0]?.latencyMs?.p50).toBeCloseTo(50, 6);
  });

  test('multiplication needs two requests on the client connection', () => {
    for (const requests of [1, 2]) {
      const script = new Script({ hops: ['clients', 'apigw'] });
      const wire = script.at(0).connect('clients->apigw');
      for (let request = 1; request <= requests; request++) ask(script, wire, 0, request);
      script.at(100).strike();
      const { multiplication } = script.measure().summary.links[0] ?? {};
      expect(multiplication).toBe(requests === 2 ? 1 : null);
    }
  });
});

describe('queue', () => {
  test('occupancy is over the slots of all hosts', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], hosts: 2, activeMax: 2 });
    const wire = script.at(0).connect('clients->queue', { to: 1 });
    script.slot(wire, 'active');
    script.relay(wire, 'queue->web');
    script.at(100).strike();
    const { summary } = script.measure();
    expect(summary.balanced).toBe(true);
    expect(summary.queues[0]?.slotOccupancy).toBe(0.25);
    expect(summary.queues[0]?.slotUtilisation).toBe(0);
  });

  test('a slot is hoarded only where somebody waits at the same host', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], hosts: 2, activeMax: 1 });
    const taken = script.at(0).connect('clients->queue', { to: 1 });
    script.slot(taken, 'active');
    script.relay(taken, 'queue->web');
    const waiting = script.connect('clients->queue', { to: 0 });
    script.slot(waiting, 'held');
    script.sent(0, 1);
    script.begin(waiting.connector, { client: 0, request: 1 });
    script.at(2_000 * MS).strike();
    expect(script.measure().summary.queues[0]?.hoardedSlotSeconds).toBe(0);
  });

  test('an exchange in flight before its way to the queue was known keeps the slot busy', () => {
    const script = new Script({ activeMax: 1 });
    const client = script.at(0).connect('clients->apigw');
    const gateway = script.connect('apigw->nlb');
    script.sent(0, 1);
    script.begin(client.connector, { client: 0, request: 1 });
    script.begin(client.acceptor);
    script.begin(gateway.connector, { end: client.acceptor, ordinal: 1 });
    // The queue accepts at 50 and gives a slot at 60; the balancer hears of it at 100 only.
    const balancer = script.at(100).relay(gateway, 'nlb->queue', 0, -50);
    script.at(60).slot(balancer, 'active');
    const behind = script.at(110).relay(balancer, 'queue->web');
    script.at(120).begin(behind.acceptor);
    script.at(200).end(behind.acceptor, 1);
    script.end(gateway.connector, 1);
    script.end(client.acceptor, 1);
    script.end(client.connector, 1);
    script.done(0, 1, 200);
    script.at(260).strike();
    const { summary, connections } = script.measure();
    expect(summary.imbalances).toEqual([]);
    expect(summary.queues[0]?.slotUtilisation).toBeCloseTo((200 - 60) / (260 - 60), 12);
    expect(connections.find((row) => row.slotTime === 200)?.slotBusyTime).toBe(140);
  });

  test('before real nginx, a request that waits after a yield has not reached it', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], nginx: true });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'active');
    script.relay(wire, 'queue->web');
    script.at(10).sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    script.at(20).end(wire.connector, 1);
    script.done(0, 1, 200);
    script.at(30).slot(wire, 'yielded');
    script.at(40).sent(0, 2);
    script.begin(wire.connector, { client: 0, request: 2 });
    script.slot(wire, 'held');
    script.at(2_000 * MS).strike();
    const { summary } = script.measure();
    expect(summary.balanced).toBe(true);
    expect(summary.links.map((link) => link.exchanges)).toEqual([2, 1]);
    expect(summary.queues[0]).toMatchObject({ starvedConnections: 1, overcommit: 0 });
    expect(summary.clients[0]?.starved).toBe(1);
  });

  test('before real nginx, a slow answer is not a wait', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], nginx: true });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'held');
    script.sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    script.at(500 * MS).slot(wire, 'active');
    script.relay(wire, 'queue->web');
    script.at(3_000 * MS).end(wire.connector, 1);
    script.done(0, 1, 200);
    script.at(3_100 * MS).strike();
    const { summary } = script.measure();
    expect(summary.clients[0]?.starved).toBe(0);
    expect(summary.queues[0]?.starvedConnections).toBe(0);
  });

  test.each([
    ['before it was read: a zombie', 100, 1],
    ['while it is served: not one', 300, 0],
  ])('a client gives up its request %s', (_when, gaveUpAt, zombies) => {
    const script = new Script({ hops: ['clients', 'queue', 'web'] });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'held');
    script.sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    const giveUp = (then: Script): void => {
      then.end(wire.connector, 1, 0, 'timeout');
      then.done(0, 1, 'timeout');
    };
    if (gaveUpAt < 200) giveUp(script.at(gaveUpAt));
    script.at(200).slot(wire, 'active');
    const behind = script.relay(wire, 'queue->web');
    script.begin(behind.acceptor);
    if (gaveUpAt > 200) giveUp(script.at(gaveUpAt));
    script.at(400).end(behind.acceptor, 1);
    script.at(500).strike();
    expect(script.measure().summary.queues[0]?.zombieExchanges).toBe(zombies);
  });

  test('relays nothing without a slot', () => {
    const script = new Script({ hops: ['clients', 'queue', 'web'] });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'held');
    script.relay(wire, 'queue->web');
    script.at(100).strike();
    const kinds = script.measure().summary.imbalances.map((one) => one.kind);
    expect(kinds).toContain('paired-without-slot');
  });
});

describe('books', () => {
  const held = (whileHeld: 'unread' | 'watch'): Script => {
    const script = new Script({ whileHeld });
    const { gateway } = openHeld(script.at(0));
    script.at(10).close(gateway.connector, 'client_abort');
    script.at(100).strike();
    return script;
  };

  test('a client that left while it was served is no mistake; one that nobody serves is', () => {
    const left = (served: boolean): Script => {
      const script = new Script({ hops: ['clients', 'web'] });
      const wire = script.at(0).connect('clients->web');
      script.sent(0, 1);
      script.begin(wire.connector, { client: 0, request: 1 });
      const ordinal = script.at(1).begin(wire.acceptor);
      if (!served) script.at(5).end(wire.acceptor, ordinal);
      script.at(10).end(wire.connector, 1, 0, 'timeout');
      script.done(0, 1, 'timeout');
      script.close(wire.connector, 'request_timeout');
      script.at(100).strike();
      return script;
    };
    expect(left(true).measure().summary).toMatchObject({
      balanced: true,
      imbalances: [{ kind: 'left-while-served', explained: true }],
    });
    expect(left(false).measure().summary).toMatchObject({
      balanced: false,
      imbalances: [{ kind: 'half-closed', explained: false }],
    });
  });

  test.each([
    ['ours, at work', false, true, true],
    ['ours, idle', false, false, false],
    ['foreign, open', true, true, true],
    ['foreign, closed', true, false, false],
  ])('the same behind relays, by their server: %s', (_name, nginx, works, balanced) => {
    const script = new Script({ hops: ['clients', 'queue', 'web'], nginx });
    const wire = script.at(0).connect('clients->queue');
    script.slot(wire, 'held');
    script.slot(wire, 'active');
    const behind = script.relay(wire, 'queue->web');
    script.sent(0, 1);
    script.begin(wire.connector, { client: 0, request: 1 });
    if (!nginx) script.begin(behind.acceptor);
    if (!works && !nginx) script.at(5).end(behind.acceptor, 1);
    if (!works && nginx) script.at(5).closeWire(behind, 'acceptor', 'idle_timeout');
    script.at(10).end(wire.connector, 1, 0, 'timeout');
    script.done(0, 1, 'timeout');
    script.close(wire.connector, 'request_timeout');
    script.at(100).strike();
    const kind = balanced ? 'left-while-served' : 'half-closed';
    expect(script.measure().summary).toMatchObject({ balanced, imbalances: [{ kind }] });
  });

  test('a client that left is unseen only where held sockets are not read', () => {
    expect(held('unread').measure().summary).toMatchObject({
      balanced: true,
      imbalances: [{ kind: 'unseen-close', explained: true }],
    });
    expect(held('watch').measure().summary).toMatchObject({
      balanced: false,
      imbalances: [{ kind: 'half-closed', explained: false }],
    });
    const script = new Script();
    const { gateway } = openPath(script.at(0));
    script.at(10).close(gateway.connector, 'client_abort');
    script.at(100).strike();
    expect(script.measure().summary.balanced).toBe(false);
  });

  test('the census is believed in every number', () => {
    const script = new Script();
    const client = script.at(0).connect('clients->apigw');
    openPath(script);
    pendingAtTheEnd(script, client, { client: 0, request: 1 });
    script.at(100).strike();
    const records = script.records();
    expect(measure(script.info, records).summary.balanced).toBe(true);
    records.forEach((record, index) => {
      if (record.kind !== EventKind.census && record.kind !== EventKind.censusDone) return;
      const wrong = [{ ...record, a: record.a + 1 }];
      if (record.b === SlotState.held) wrong.push({ ...record, b: SlotState.active });
      for (const row of wrong) {
        expect(measure(script.info, records.toSpliced(index, 1, row)).summary.balanced).toBe(false);
      }
    });
  });

  test('a child may be told just before its parent, as clocks of processes differ a little', () => {
    const script = new Script({ nginx: true });
    const path = openPath(script.at(0));
    const app = script.connect('web->app');
    const client = script.connect('clients->apigw');
    script.at(100).sent(0, 1);
    script.begin(client.connector, { client: 0, request: 1 });
    script.begin(client.acceptor);
    script.at(98).begin(app.acceptor, { end: path.gateway.connector, ordinal: 1 });
    script.at(100).begin(path.gateway.connector, { end: client.acceptor, ordinal: 1 });
    script.at(150).end(app.acceptor, 1);
    for (const end of [path.gateway.connector, client.acceptor, client.connector]) {
      script.at(160).end(end, 1);
    }
    script.done(0, 1, 200);
    script.at(200).strike();
    const { summary, exchanges } = script.measure();
    expect(summary.imbalances).toEqual([]);
    expect(exchanges.find((row) => row.link === 4)).toMatchObject({ client: 0, request: 1 });
  });

  test('a parent that does not exist is not taken for granted', () => {
    const script = new Script({ nginx: true });
    const app = script.at(0).connect('web->app');
    const path = openPath(script);
    script.at(10).begin(app.acceptor, { end: path.gateway.connector, ordinal: 9 });
    script.at(20).end(app.acceptor, 1);
    script.at(100).strike();
    expect(script.measure().summary.imbalances).toMatchObject([{ kind: 'parent-unknown' }]);
  });
});
