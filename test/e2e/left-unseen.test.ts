/**
 * Clients that give up while a queue holds them unread: nobody tells the queue. Their
 * connections stay in its line, the books say so and still balance; a queue that watches has
 * none of them.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/run-cli.ts';
import { linkOf, only, summaryOf } from './pipelines.ts';

const impatient = [
  path.join(projectRoot, 'examples', 'golden-connections.yaml'),
  ...['--duration', '4s', '--set', 'clients.timeout=1s'],
];

describe('clients that give up while they are held', () => {
  // Side by side, here and below: they wait for nearly all of the time.
  it.concurrent('unread: each stays in line, unseen, and the books explain every one', async () => {
    const summary = await summaryOf(impatient);
    expect(summary.balanced).toBe(true);
    const clients = only(summary.clients);
    expect(clients.served).toBe(15);
    const left = clients.requests.timeouts;
    expect(left).toBeGreaterThan(45);
    const unseen = only(summary.imbalances.filter(({ kind }) => kind === 'unseen-close'));
    expect(unseen).toMatchObject({ explained: true, count: left, link: 'clients->queue' });
    // Golden, dead, or just come: everybody who ever came is still there.
    const link = linkOf(summary, 'clients->queue');
    expect(link.opened).toBe(15 + left + clients.requests.pending);
    expect(only(summary.queues).heldMax).toBe((link.opened ?? 0) - 15);
  });

  it.concurrent('watch: each is seen to leave', async () => {
    const summary = await summaryOf([...impatient, '--set', 'queue.whileHeld=watch']);
    expect(summary.balanced).toBe(true);
    expect(only(summary.clients).requests.timeouts).toBeGreaterThan(45);
    expect(summary.imbalances).toEqual([]);
    expect(only(summary.queues).heldMax).toBeLessThan(60);
  });

  it('unread: the server works for those who left; watch: for hardly any', async () => {
    const rotating = [
      'clients.count=20',
      'queue.activeMax=1',
      'queue.reclaim=idle-yield',
      'app.serviceTime=170ms',
      // It finishes what it has begun; node:http drops it, sometimes before it has begun.
      'app.implementation=builtin',
    ].flatMap((one) => ['--set', one]);
    const zombies = async (whileHeld: string): Promise<number> => {
      const chosen = ['--set', `queue.whileHeld=${whileHeld}`];
      const summary = await summaryOf([...impatient, ...rotating, ...chosen]);
      expect(summary.balanced).toBe(true);
      expect(only(summary.clients).requests.timeouts).toBeGreaterThan(20);
      return only(summary.queues).zombieExchanges ?? -1;
    };
    const [unread, watch] = await Promise.all([zombies('unread'), zombies('watch')]);
    // Those who gave up in the first second are served in the second; watched ones can only
    // leave in the moment between their slot and their server.
    expect(unread).toBeGreaterThan(8);
    expect(watch).toBeGreaterThanOrEqual(0);
    expect(watch).toBeLessThan(unread / 2);
  });
});
