/**
 * Clients that vanish, by FIN (they give up) and by RST, while a queue holds their connections
 * and while a server works for them; and connections that vanish in the middle, because a
 * balancer has forgotten them. Who can see it acts; what nobody can see is explained.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type KernelRow, kernelRows } from '../../src/live/hops/test-l4.case.ts';
import type { Measured } from '../../src/measure/strike.ts';
import { OneProcess } from './one-process.ts';
import { type HopDocument, linkOf, only, users } from './pipelines.ts';

const CLIENTS = 10;
const SLOTS = 5;
const HELD = CLIENTS - SLOTS;

/** Long enough that on a busy machine, too, their requests are at the queue before they leave. */
const PATIENCE = '2s';

/** They ask once, all together, and give up after `timeout`; nothing is tried again. */
const once = (timeout: string): HopDocument => {
  const workload = { kind: 'closed', thinkTime: '60s', startWithin: '20ms' };
  return users(CLIENTS, '60s', { timeout, workload, retry: { attemptsMax: 1 } });
};

/**
 * Waits until the kernel's rows of the queue's connections are as the test wants them, and the
 * run has heard of it. Two looks must agree: one can miss rows while others' sockets come and go.
 */
async function until(run: OneProcess, holds: (rows: readonly KernelRow[]) => boolean) {
  const rows = () => [...kernelRows(run.portOf('queue')).values()];
  let looks = 0;
  for (let waited = 0; looks < 2; waited += 20) {
    if (waited > 20_000) throw new Error(`waited in vain for: ${holds}`);
    await sleep(20);
    looks = holds(rows()) ? looks + 1 : 0;
  }
  await run.settled();
}

const left = (rows: readonly KernelRow[]): number =>
  rows.filter(({ state }) => state === 'CLOSE_WAIT').length;

/** What is explained at the strike, by kind. */
const explained = ({ imbalances }: Measured): Record<string, number> =>
  Object.fromEntries(imbalances.map(({ kind, count }) => [kind, count]));

// Side by side: nearly all of the time they wait.
describe.concurrent('clients that vanish', () => {
  type Mode = 'watch' | 'unread';
  /** The built-in app finishes what it has begun (node:http drops it at the client's FIN). */
  const start = (whileHeld: Mode, timeout: string, serviceTime: string) =>
    OneProcess.start({
      hops: [
        once(timeout),
        { name: 'queue', kind: 'connection-queue', activeMax: SLOTS, whileHeld },
        { name: 'app', kind: 'app', serviceTime, implementation: 'builtin' },
      ],
    });

  it('by FIN, watched: no slot, no work; a server at work is left to finish', async () => {
    await using run = await start('watch', PATIENCE, '60s');
    await until(run, (rows) => rows.length === SLOTS && left(rows) === SLOTS);
    const summary = await run.strike();
    expect(only(summary.clients).requests).toMatchObject({ sent: CLIENTS, timeouts: CLIENTS });
    expect(explained(summary)).toEqual({ 'left-while-served': SLOTS });
    expect(only(summary.queues)).toMatchObject({ granted: SLOTS, zombieExchanges: 0 });
    expect(linkOf(summary, 'clients->queue')).toMatchObject({ opened: CLIENTS, open: SLOTS });
    expect(linkOf(summary, 'queue->app')).toMatchObject({ opened: SLOTS, exchanges: SLOTS });
  });

  it('by RST, watched: all of it is over at once, at the server too', async () => {
    await using run = await start('watch', '60s', '60s');
    await until(run, (rows) => rows.length === CLIENTS);
    await run.settled();
    await run.apply({ action: 'reset-connections', hop: 'clients', share: 1 });
    await until(run, (rows) => rows.length === 0);
    const summary = await run.strike();
    expect(only(summary.clients).requests).toMatchObject({
      ...{ sent: CLIENTS, failed: CLIENTS, resets: CLIENTS },
      ...{ answered: 0, timeouts: 0, pending: 0 },
    });
    expect(explained(summary)).toEqual({});
    expect(only(summary.queues)).toMatchObject({ granted: SLOTS, zombieExchanges: 0 });
    expect(linkOf(summary, 'clients->queue').closedBy).toEqual({ local_rst: CLIENTS });
    expect(linkOf(summary, 'queue->app')).toMatchObject({ opened: SLOTS, open: 0 });
  });

  it('by FIN, unread: nobody sees them leave, and the books say so of each', async () => {
    await using run = await start('unread', PATIENCE, '60s');
    await until(run, (rows) => left(rows) === CLIENTS);
    const summary = await run.strike();
    expect(explained(summary)).toEqual({ 'unseen-close': HELD, 'left-while-served': SLOTS });
    expect(only(summary.queues)).toMatchObject({ granted: SLOTS, heldMax: HELD });
    expect(linkOf(summary, 'clients->queue')).toMatchObject({ opened: CLIENTS, open: CLIENTS });
  });

  it('by RST, unread: the kernel forgets them, the queue does not', async () => {
    await using run = await start('unread', '60s', '60s');
    // Those who have a slot are read, and their leaving would be seen: only the others may go.
    await until(run, (rows) => rows.filter(({ unread }) => unread > 0).length === HELD);
    await run.settled();
    await run.apply({ action: 'set', path: 'queue.activeMax', to: 1 });
    await run.apply({ action: 'reset-connections', hop: 'clients', share: 0.5 });
    await until(run, (rows) => rows.length < CLIENTS);
    const summary = await run.strike();
    const { requests } = only(summary.clients);
    expect(requests).toMatchObject({ answered: 0, timeouts: 0, failed: requests.resets });
    expect(requests.resets).toBeGreaterThan(0);
    const { opened, closed } = linkOf(summary, 'clients->queue');
    const unseen = explained(summary)['unseen-close'] ?? 0;
    expect([opened, unseen + (closed ?? 0)]).toEqual([CLIENTS, requests.resets]);
    expect(unseen).toBeGreaterThan(0);
  });

  it('unread: each slot that is free again goes to a request of nobody', async () => {
    await using run = await start('unread', PATIENCE, '4s');
    // From when they have left until the last of them is served, two rounds later.
    await until(run, (rows) => left(rows) >= HELD);
    await until(run, (rows) => rows.length === 0);
    const summary = await run.strike();
    expect(only(summary.clients).requests.timeouts).toBe(CLIENTS);
    expect(only(summary.queues)).toMatchObject({ granted: CLIENTS, zombieExchanges: HELD });
    expect(explained(summary)).toEqual({});
  });

  it('watch: the same, and no work for nobody', async () => {
    // Long enough that a busy machine looks while they have left and are still served.
    await using run = await start('watch', PATIENCE, '5s');
    await until(run, (rows) => left(rows) > 0);
    await until(run, (rows) => rows.length === 0);
    const summary = await run.strike();
    expect(only(summary.clients).requests.timeouts).toBe(CLIENTS);
    expect(only(summary.queues)).toMatchObject({ granted: SLOTS, zombieExchanges: 0 });
    expect(explained(summary)).toEqual({});
  });
});

describe.concurrent('a request that waits unread and times out at its client', () => {
  it.each([
    ['before starvedAfter: nobody has starved', '10s', 0],
    ['after it: its client and its connection have', '500ms', HELD],
  ])('%s', async (_name, starvedAfter, starved) => {
    await using run = await OneProcess.start({
      settings: { starvedAfter },
      hops: [
        once(PATIENCE),
        { name: 'queue', kind: 'connection-queue', activeMax: SLOTS, whileHeld: 'unread' },
        { name: 'app', kind: 'app', serviceTime: '60s', implementation: 'builtin' },
      ],
    });
    await until(run, (rows) => left(rows) === CLIENTS);
    const summary = await run.strike();
    const { served, starved: clients, requests } = only(summary.clients);
    expect([served, requests.timeouts]).toEqual([0, CLIENTS]);
    expect([clients, only(summary.queues).starvedConnections]).toEqual([starved, starved]);
  });
});

describe.concurrent('connections that their balancer has forgotten', () => {
  it('the client is reset when it asks again; the server keeps its side', async () => {
    // The first answers are there long before the balancer forgets, on a busy machine too.
    const workload = { kind: 'closed', thinkTime: '5s', startWithin: '20ms' };
    const balancer = { idleTimeout: '3s', healthCheck: { enabled: false } };
    await using run = await OneProcess.start({
      hops: [
        users(CLIENTS, '5s', { workload, retry: { attemptsMax: 1 } }),
        { name: 'nlb', kind: 'l4-balancer', ...balancer },
        { name: 'queue', kind: 'connection-queue', activeMax: 100 },
        { name: 'app', kind: 'app', keepAliveTimeout: 0 },
      ],
    });
    await run.issued(2 * CLIENTS + 1);
    const summary = await run.strike();
    const { requests } = only(summary.clients);
    // A GET on a connection that turns out to be gone is tried again on a new one.
    expect(requests.failed).toBe(0);
    const { opened, closed, closedBy } = linkOf(summary, 'clients->nlb');
    expect(closed).toBeGreaterThan(0);
    expect(closedBy).toEqual({ idle_timeout: closed });
    // Each of them still has its slot, and nobody will ever ask on it.
    expect(linkOf(summary, 'nlb->queue')).toMatchObject({ opened, closed: 0 });
    expect(only(summary.queues).granted).toBe(opened);
    expect(explained(summary)).toEqual({});
  });
});
