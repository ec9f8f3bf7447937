import { describe, expect, it } from 'vitest';
import type { Finding } from '../../model/summary.ts';
import { parseTopology } from '../../topology/index.ts';
import { testRun } from '../test-run.ts';
import { perConnection } from './calm.ts';
import { flagsOf, momentsOf } from './moments.ts';
import { remedyCommand } from './remedy.ts';
import { storyOf } from './story.ts';

const AS_WRITTEN = { set: [], scale: 1, timeScale: 1 };

const finding = (more: Partial<Finding>): Finding => ({
  kind: 'slot-hoarding',
  hop: 'queue',
  severity: 'critical',
  title: '15 slots were busy 3 % of the time',
  evidence: {},
  remedy: 'Let the queue take idle slots back (queue.reclaim: idle-yield), or more slots.',
  ...more,
});

describe('story', () => {
  it('leads with the gravest finding, or with what succeeded', () => {
    expect(storyOf(testRun({}, [finding({})])).lead).toBe('15 slots were busy 3 % of the time');
    const lead = storyOf(testRun({}, [finding({ severity: 'info' })])).lead;
    expect(lead).toBe('No trouble was found: 99 % of 1,000 requests succeeded.');
  });

  it('says of one request what was, of many what were', () => {
    const run = testRun();
    const [clients] = run.summary.clients;
    if (clients === undefined) throw new Error('no clients');
    const one = { ...clients, requests: { ...clients.requests, pending: 1, serverErrors5xx: 1 } };
    const [what] = storyOf({ ...run, summary: { ...run.summary, clients: [one] } }).what;
    expect(what).toContain('1 was answered 5xx, 6 got no answer, 1 was still waiting at the end.');
  });

  it('tells what happened in figures of the summary and the series', () => {
    const { what } = storyOf(testRun());
    expect(what[0]).toBe(
      '4 clients sent 1,000 requests in 40 simulated seconds: 987 (99 %) succeeded, 3 were ' +
        'answered 5xx, 6 got no answer, 4 were still waiting at the end. 1 retry came on top.',
    );
    expect(what[1]).toContain('1 of 4 clients of clients had a request that waited unread');
    expect(what[1]).toContain('one in a hundred 2.5 s or more');
    expect(what[2]).toBe(
      'In the calm (0:02 to 0:20) each new connection on apigw->nlb carried 80 requests; in the ' +
        'worst 10 seconds (from 0:20) 4.',
    );
  });

  it('measures the calm from a note, and knows none without a fault', () => {
    const marks = [
      { at: 11_000_000, text: 'calm', kind: 'note' },
      { at: 21_000_000, text: 'stall', kind: 'fault' },
    ] as const;
    expect(perConnection(testRun({ marks }))).toMatchObject({
      calm: { from: 10, to: 20, ratio: 80 },
      worst: { from: 20, to: 30, ratio: 4 },
    });
    const unmarked = testRun({ marks: [] });
    expect(perConnection(unmarked)).toMatchObject({ all: 11.1, calm: null, worst: null });
    expect(storyOf(unmarked).unknown.join()).toContain('nothing here can be called the normal');
    const atOnce = testRun({ marks: [{ at: 4_000_000, text: 'stall', kind: 'fault' }] });
    expect(perConnection(atOnce)?.calm).toBeNull();
  });

  it('orders what was done and what was seen, and gives the same flag to one second', () => {
    const run = testRun({
      marks: [
        { at: 1_000_000, text: 'load begins', kind: 'phase' },
        { at: 21_000_000, text: 'stall', kind: 'fault' },
        { at: 21_000_000, text: 'surge', kind: 'note' },
        { at: 36_000_000, text: 'throttle off', kind: 'set' },
      ],
    });
    expect(flagsOf(run)).toEqual([
      { number: 1, second: 20, texts: ['stall', 'surge'] },
      { number: 2, second: 35, texts: ['throttle off'] },
    ]);
    expect(momentsOf(run).map(({ second, flag }) => [second, flag])).toEqual([
      [20, 1],
      [20, null],
      [31, null],
      [35, 2],
    ]);
    // The summary of this run has no queue: then nothing is said of its waiting.
    expect(momentsOf(run).map(({ text }) => text)).not.toContain('waits for a slot');
  });

  it('tells who waited at a queue, from when to when', () => {
    const run = testRun();
    const queue = {
      ...{ name: 'queue', activeMax: 15, heldMax: 9, slotUtilisation: 0.1, slotOccupancy: 1 },
      ...{ hoardedSlotSeconds: 1, starvedConnections: 1, granted: 1, yielded: 0 },
      ...{ overcommit: null, zombieExchanges: null },
    };
    const seen = momentsOf({ ...run, summary: { ...run.summary, queues: [queue] } });
    expect(seen.filter(({ text }) => text.includes('queue'))).toMatchObject([
      { second: 22, text: 'the first request waits for a slot of queue' },
      { second: 29, text: '9 requests wait for 60 slots of queue, the most of the run' },
      { second: 30, text: 'nobody waits for queue any more' },
    ]);
  });

  it('gives a command only for a setting that the topology takes', () => {
    const yaml = 'hops: [{ name: c, kind: clients }, { name: queue, kind: connection-queue }, ';
    const parsed = parseTopology(`${yaml}{ name: a, kind: app }]`, 'x.yaml', AS_WRITTEN);
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    const { info } = testRun({ topology: parsed.topology });
    const text = (remedy: string): string | null => remedyCommand(remedy, info);
    expect(text('(queue.reclaim: idle-yield)')).toBe(
      'waterhammer simulate topology.yaml --set queue.reclaim=idle-yield',
    );
    expect(text('(queue.reclaim: nonsense)')).toBeNull();
    expect(text('(nobody.reclaim: idle-yield)')).toBeNull();
    expect(text('Limit requests.')).toBeNull();
    expect(remedyCommand('(queue.activeMax: 20)', { ...info, engine: 'live' })).toBe(
      'waterhammer run topology.yaml --set queue.activeMax=20',
    );
  });
});
