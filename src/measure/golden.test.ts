/** The golden connections: numbers of DESIGN.md and of the facts, worked out by hand. */
import { describe, expect, test } from 'vitest';
import { Script } from './test-support.ts';

const MS = 1_000;
const CYCLE = 205 * MS;
const CYCLES = 100;

/** 60 clients, 15 slots: 15 are answered every 205 ms after 5 ms, 45 wait from the start. */
function golden(): Script {
  const script = new Script({ hops: ['clients', 'queue', 'web'], clients: 60, activeMax: 15 });
  for (let client = 0; client < 60; client++) {
    const wire = script.at(0).connect('clients->queue');
    if (client >= 15) {
      script.slot(wire, 'held');
      script.sent(client, 1);
      script.begin(wire.connector, { client, request: 1 });
      continue;
    }
    script.slot(wire, 'active');
    const behind = script.relay(wire, 'queue->web');
    for (let request = 1; request <= CYCLES; request++) {
      const at = (request - 1) * CYCLE;
      script.at(at).sent(client, request);
      const ordinal = script.begin(wire.connector, { client, request });
      script.at(at + 1 * MS).begin(behind.acceptor);
      script.at(at + 4 * MS).end(behind.acceptor, ordinal);
      script.at(at + 5 * MS).end(wire.connector, ordinal);
      script.done(client, request, 200);
    }
  }
  script.at(CYCLES * CYCLE).strike();
  return script;
}

describe('golden connections', () => {
  const { summary, connections, exchanges, series } = golden().measure();

  test('the books balance', () => {
    expect(summary.imbalances).toEqual([]);
    expect(summary.balanced).toBe(true);
    expect(summary.durationSeconds).toBe(20.5);
  });

  test('15 served, 45 starved, 45 pending, none failed', () => {
    const [clients] = summary.clients;
    expect(clients).toMatchObject({ served: 15, starved: 45, count: 60 });
    expect(clients?.requests).toMatchObject({
      sent: 15 * CYCLES + 45,
      answered: 15 * CYCLES,
      ok: 15 * CYCLES,
      failed: 0,
      pending: 45,
      retries: 0,
    });
    expect(clients?.goodputPerSecond).toBeCloseTo(1_500 / 20.5, 9);
    expect(clients?.attemptsPerSuccess).toBe((1_500 + 45) / 1_500);
    expect(clients?.latencyMs?.p50).toBeCloseTo(5, 1);
  });

  test('slots are all taken, hardly used, and hoarded', () => {
    const [queue] = summary.queues;
    expect(queue?.slotOccupancy).toBe(1);
    expect(queue?.slotUtilisation).toBeCloseTo(5 / 205, 12);
    // 15 slots idle for 200 of every 205 ms while 45 wait: 15 x 100 x 0.2 s.
    expect(queue?.hoardedSlotSeconds).toBeCloseTo(300, 9);
    expect(queue).toMatchObject({
      starvedConnections: 45,
      heldMax: 45,
      granted: 15,
      yielded: 0,
      overcommit: 0,
    });
  });

  test('links: what waits in the queue has not reached the web server', () => {
    expect(summary.links).toMatchObject([
      { name: 'clients->queue', opened: 60, closed: 0, open: 60, exchanges: 1_545 },
      { name: 'queue->web', opened: 15, closed: 0, open: 15, exchanges: 1_500 },
    ]);
    expect(summary.links[1]).toMatchObject({
      requestsPerNewConnection: 100,
      multiplication: 1,
      connectionRatio: 0.25,
    });
    expect(exchanges).toHaveLength(1_545 + 1_500);
    expect(connections.filter((row) => row.waitedMax === 20_500_000)).toHaveLength(45);
    const served = connections.find((row) => row.slotTime === 20_500_000);
    expect(served?.slotBusyTime).toBe(CYCLES * 5 * MS);
  });

  test('series add up to the totals', () => {
    const sum = (scope: string, measure: string): number =>
      series
        .filter((row) => row.scope === scope && row.measure === measure)
        .reduce((total, row) => total + (row.value ?? 0), 0);
    expect(sum('link:queue->web', 'exchanges')).toBe(1_500);
    expect(sum('link:clients->queue', 'opened')).toBe(60);
    expect(sum('clients:clients', 'answered')).toBe(1_500);
    expect(sum('hop:queue', 'hoardedSlotSeconds')).toBeCloseTo(300, 9);
    expect(sum('host:ec2#0', 'requests')).toBe(1_500);
    const at = (second: number, scope: string, measure: string) =>
      series.find((r) => r.second === second && r.scope === scope && r.measure === measure)?.value;
    expect(at(3, 'hop:queue', 'active')).toBe(15);
    expect(at(3, 'hop:queue', 'waiting')).toBe(45);
    expect(at(3, 'clients:clients', 'pending')).toBe(45);
    expect(at(3, 'link:queue->web', 'open')).toBe(15);
    expect(at(0, 'link:queue->web', 'requestsPerNewConnection60s')).toBe(100);
    expect(at(3, 'link:queue->web', 'requestsPerNewConnection')).toBeNull();
  });
});
