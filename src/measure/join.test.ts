/** Ends joined into connections, whatever order their processes speak in. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventKind, packAddress } from '../model/event.ts';
import type { EventRecord } from '../stream/event-list.ts';
import { measure, numbered, Script } from './test-support.ts';

const SERVER = packAddress('127.0.0.1', 80);
const portOf = (port: number): number => packAddress('127.0.0.1', port);

interface Life {
  readonly port: number;
  readonly bytes: number;
}

/** Each side tells of the same connections in its own time; only its own order is kept. */
function tell(lives: readonly Life[], acceptLag: number): EventRecord[] {
  const script = new Script({ hops: ['clients', 'apigw'] });
  const [connector, acceptor] = [script.instance('clients'), script.instance('apigw')];
  lives.forEach(({ port, bytes }, index) => {
    const end = index + 1;
    script.at(1_000 + index * 10);
    script.emit(connector, EventKind.connectStarted, end, 0, SERVER, 0, 0);
    script.emit(connector, EventKind.connected, end, 0, portOf(port), SERVER, 0);
    script.at(1_005 + index * 10).emit(connector, EventKind.closed, end, 0, 1, 0, bytes);
    script.at(1_001 + index * 10 + acceptLag);
    script.emit(acceptor, EventKind.accepted, end, 0, SERVER, portOf(port), 0);
    script.at(1_006 + index * 10 + acceptLag).emit(acceptor, EventKind.closed, end, 0, 9, bytes, 0);
  });
  return script.at(10_000).records();
}

describe('join', () => {
  const info = new Script({ hops: ['clients', 'apigw'] }).info;
  const life = fc.record({ port: fc.integer({ min: 1, max: 4 }), bytes: fc.nat(1_000_000) });

  test('the n-th incarnation at one end is the n-th at the other, never by time', () => {
    const lives = fc.array(life, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(lives, fc.integer({ min: -900, max: 900 }), (all, lag) => {
        const { connections, summary } = measure(info, tell(all, lag));
        expect(connections).toHaveLength(all.length);
        expect(summary.links[0]).toMatchObject({ opened: all.length, closed: all.length, open: 0 });
        expect(summary.imbalances).toEqual([]);
        // Both ends of a row must speak of the same bytes: the acceptor is asked by address.
        const seen = connections.map((row) => [row.connectorAddress, row.bytesUp]);
        const sort = (rows: unknown[][]): string[] => rows.map(String).sort();
        expect(sort(seen)).toEqual(sort(all.map((one) => [portOf(one.port), one.bytes])));
        for (const row of connections) {
          expect(row.connectorInstance).not.toBeNull();
          expect(row.acceptorInstance).not.toBeNull();
          const spread = (row.closedAt ?? 0) - (row.openedAt ?? 0);
          expect(spread).toBe(Math.max(5, 6 + lag) - Math.min(0, 1 + lag));
        }
      }),
    );
  });

  test('accepted from a connect that was given up: no partner of a later one', () => {
    // The listener was so late that the first connect had timed out; the port was used again.
    const script = new Script({ hops: ['clients', 'apigw'] });
    const [connector, acceptor] = [script.instance('clients'), script.instance('apigw')];
    const accepted = (end: number) =>
      script.emit(acceptor, EventKind.accepted, end, 0, SERVER, portOf(1), 0);
    const close = (end: number) => {
      script.emit(connector, EventKind.closed, end, 0, 1, 0, 9);
      script.emit(acceptor, EventKind.closed, end, 0, 9, 9, 0);
    };
    script.at(0).emit(connector, EventKind.connectStarted, 1, 0, SERVER, 0, 0);
    script.at(1_000_000).emit(connector, EventKind.closed, 1, 0, 1, 0, 0);
    script.at(1_100_000);
    accepted(1);
    script.emit(acceptor, EventKind.closed, 1, 0, 9, 0, 0);
    for (const end of [2, 3]) {
      script.at(end * 1_200_000).emit(connector, EventKind.connectStarted, end, 0, SERVER, 0, 0);
      script.emit(connector, EventKind.connected, end, 0, portOf(1), SERVER, 0);
      accepted(end);
      script.at(end * 1_200_000 + 10);
      close(end);
    }
    script.at(5_000_000).strike();
    const { summary, connections } = script.measure();
    expect(summary.imbalances).toMatchObject([{ kind: 'accepted-after-abort', count: 1 }]);
    expect(summary.balanced).toBe(true);
    const lives = connections.map((row) => (row.closedAt ?? 0) - (row.openedAt ?? 0));
    expect(lives.filter((life) => life === 10)).toHaveLength(2);
  });

  test('an accept without a tuple is a class of its own, and no second connection', () => {
    const rows = tell([{ port: 1, bytes: 5 }], 0).map((row) =>
      row.kind === EventKind.accepted ? { ...row, b: 0 } : row,
    );
    const { summary, connections } = measure(info, rows);
    expect(connections).toHaveLength(1);
    expect(summary.links[0]).toMatchObject({ opened: 1, closed: 1, acceptsWithoutTuple: 1 });
    expect(summary.imbalances).toMatchObject([{ kind: 'accept-without-tuple', explained: true }]);
    expect(summary.balanced).toBeNull();
  });

  test('a connection that only one side knows is named', () => {
    const rows = tell([{ port: 4711, bytes: 5 }], 0).filter((row) => row.process === 0);
    const { summary } = measure(info, numbered(rows));
    expect(summary.balanced).toBe(false);
    expect(summary.imbalances[0]).toMatchObject({ kind: 'one-ended', link: 'clients->apigw' });
    expect(summary.imbalances[0]?.examples[0]).toContain('127.0.0.1:4711');
  });

  test('a failed connect is not opened', () => {
    const script = new Script({ hops: ['clients', 'apigw'] });
    script.at(5).refuse('clients->apigw');
    script.at(50).strike();
    const { summary, connections } = script.measure();
    expect(summary.links[0]).toMatchObject({ opened: 0, closed: 0, open: 0, failedConnects: 1 });
    expect(connections).toMatchObject([
      { outcome: 'failed', openedAt: null, closedBy: 'peer_rst' },
    ]);
    expect(summary.balanced).toBe(true);
  });
});
