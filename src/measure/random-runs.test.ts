/**
 * Random runs of the whole chain against plain counting: whatever clients, gateway, relays and
 * servers did, links and clients add up to what the script did, the books balance, and they no
 * longer do when any one event is missing.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CloseCause } from '../model/close-cause.ts';
import { EVENT_KIND_NAMES } from '../model/event.ts';
import {
  type Chain,
  closePath,
  giveUp,
  openPath,
  pendingAtTheEnd,
  serve,
  yieldAndReturn,
} from './test-scenario.ts';
import { counts, measure, Script } from './test-support.ts';

const MS = 1_000;
const CAUSES: readonly CloseCause[] = ['idle_timeout', 'max_requests', 'drain', 'local_rst'];

interface Command {
  readonly what: 'open' | 'serve' | 'close' | 'give up' | 'refuse' | 'yield' | 'pending';
  readonly which: number;
  readonly decider: number;
  readonly cause: CloseCause;
}

/** What plain counting says. */
interface Tally {
  paths: number;
  held: number;
  served: number;
  clients: number;
  sent: number;
  pending: number;
  refused: number;
  yields: number;
  readonly closedBy: Partial<Record<CloseCause, number>>;
}

interface Session extends Chain {
  readonly number: number;
  requests: number;
}

function play(commands: readonly Command[]): { script: Script; tally: Tally } {
  const script = new Script({ clients: 200, activeMax: 100 });
  const tally: Tally = {
    paths: 0,
    held: 0,
    served: 0,
    clients: 0,
    sent: 0,
    pending: 0,
    refused: 0,
    yields: 0,
    closedBy: {},
  };
  const sessions: Session[] = [];
  for (const command of commands) {
    script.at(script.now + 20 * MS);
    step(script, tally, sessions, command);
  }
  script.at(script.now + 50 * MS).strike();
  return { script, tally };
}

function step(script: Script, tally: Tally, sessions: Session[], command: Command): void {
  const { what, which, decider, cause } = command;
  const session = sessions[which % Math.max(sessions.length, 1)];
  if (what === 'open') {
    const client = script.connect('clients->apigw', { acceptLag: (which % 5) - 2 });
    const rest = { app: script.connect('web->app'), database: script.connect('app->db') };
    const number = tally.clients;
    sessions.push({ client, ...openPath(script), ...rest, number, requests: 0 });
    tally.paths += 1;
    tally.clients += 1;
  } else if (what === 'give up') {
    giveUp(script, tally.clients);
    tally.clients += 1;
    tally.held += 1;
    tally.sent += 1;
  } else if (what === 'refuse') {
    script.refuse('app->db');
    tally.refused += 1;
  } else if (session !== undefined && what === 'close') {
    sessions.splice(sessions.indexOf(session), 1);
    closePath(script, session, decider, cause, cause === 'local_rst' ? 'peer_rst' : 'peer_fin');
    tally.closedBy[cause] = (tally.closedBy[cause] ?? 0) + 1;
  } else if (session !== undefined && what === 'yield') {
    yieldAndReturn(script, session);
    tally.yields += 1;
  } else if (session !== undefined) {
    session.requests += 1;
    const id = { client: session.number, request: session.requests };
    tally.sent += 1;
    if (what === 'serve') {
      serve(script, session, id);
      tally.served += 1;
    } else {
      pendingAtTheEnd(script, session.client, id);
      tally.held += 1;
      tally.pending += 1;
      // HTTP/1.1: nothing else can go over a connection whose answer is owed.
      sessions.splice(sessions.indexOf(session), 1);
    }
  }
}

const commands = fc.array(
  fc.record<Command>({
    what: fc.constantFrom(
      'open',
      'open',
      'serve',
      'serve',
      'serve',
      'close',
      'give up',
      'refuse',
      'yield',
      'pending',
    ),
    which: fc.nat(20),
    decider: fc.nat(5),
    cause: fc.constantFrom(...CAUSES),
  }),
  { minLength: 3, maxLength: 40 },
);

test('random runs balance, and add up to what was done', () => {
  fc.assert(
    fc.property(commands, (list) => {
      const { script, tally } = play(list);
      const { summary, connections, exchanges } = script.measure();
      expect(summary.imbalances.filter((one) => !one.explained)).toEqual([]);
      expect(summary.balanced).toBe(true);
      const [first, gateway, balancer, behind, app, database] = summary.links;
      expect(first).toMatchObject({ opened: tally.clients, exchanges: tally.sent });
      const held = {
        opened: tally.paths + tally.held,
        exchanges: tally.sent,
        closedBy: tally.closedBy,
      };
      expect([gateway, balancer]).toMatchObject([held, held]);
      const served = { opened: tally.paths, exchanges: tally.served };
      expect(behind).toMatchObject({ ...served, closedBy: tally.closedBy });
      expect([app, database]).toMatchObject([served, served]);
      expect(database?.failedConnects).toBe(tally.refused);
      expect(summary.clients[0]?.requests).toMatchObject({
        sent: tally.sent,
        ok: tally.served,
        pending: tally.pending,
        serverErrors5xx: tally.sent - tally.served - tally.pending,
      });
      expect(summary.queues[0]).toMatchObject({
        granted: tally.paths + tally.yields,
        yielded: tally.yields,
        heldMax: expect.any(Number),
      });
      for (const { opened, closed, open } of summary.links) {
        expect(opened).toBe((closed ?? 0) + (open ?? 0));
      }
      const rows = connections.filter((row) => row.outcome !== 'failed');
      expect(rows).toHaveLength(summary.links.reduce((sum, link) => sum + (link.opened ?? 0), 0));
      expect(new Set(rows.map((row) => row.connection)).size).toBe(rows.length);
      const total = summary.links.reduce((sum, link) => sum + (link.exchanges ?? 0), 0);
      expect(exchanges).toHaveLength(total);
    }),
  );
});

test('random runs do not balance without any one event', () => {
  fc.assert(
    fc.property(commands, fc.nat(), (list, pick) => {
      const { script } = play(list);
      const records = script.records();
      const index = pick % records.length;
      const rest = records.toSpliced(index, 1);
      const { summary } = measure(script.info, rest, counts(records));
      expect(summary.balanced, EVENT_KIND_NAMES[records[index]?.kind ?? 0]).toBe(false);
    }),
  );
});
