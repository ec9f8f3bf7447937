import { expect, it } from 'vitest';
import type { ConnectionRow } from '../../src/measure/rows.ts';
import { SlotState } from '../../src/model/event.ts';
import type { Finding } from '../../src/model/summary.ts';
import { encodeConnections, encodeSlots } from '../../src/serve/story/tables.ts';
import { meantIn, timeMeant } from './meant.ts';
import { Snapshot } from './snapshot.ts';
import { SeriesTeller, testStory } from './test-story.ts';

const hoarding: Finding = {
  ...{ kind: 'slot-hoarding', hop: 'queue', severity: 'critical', title: '', remedy: '' },
  evidence: {},
};

function hoarded(values: readonly number[]) {
  const story = testStory({ seconds: values.length });
  const rows = values.map((value, second) => {
    return { second, scope: 'hop:queue', measure: 'hoardedSlotSeconds', value };
  });
  new SeriesTeller(story).tell(rows);
  return story;
}

it('means the stretch around the worst second, and goes to that', () => {
  const story = hoarded([0, 2, 0, 0, 9, 1, ...Array(20).fill(0), 3, 0]);
  const { from, to, worst } = timeMeant(story, hoarding);
  expect([from, to]).toEqual([1e6, 6e6]);
  expect(Math.floor(worst / 1e6)).toBe(4);
});

it('means the whole run where no second stands out', () => {
  const story = hoarded([0, 0, 0, 0]);
  expect(timeMeant(story, hoarding)).toEqual({ from: 0, to: 4e6, worst: 2e6 });
});

it('means who holds a slot without a request, not who works or waits', () => {
  const story = testStory({ seconds: 4 });
  const link = story.face.plan.links.find(({ upstream }) => upstream === 'queue');
  if (link === undefined) throw new Error('the test chain has a queue');
  const rows = [1, 2, 3].map((connection) => {
    const row = { connection, link: link.index, openedAt: 1, closedAt: null, closedBy: null };
    return { ...row, connectorInstance: null, acceptorInstance: null } as ConnectionRow;
  });
  story.frame(encodeConnections(rows, 0));
  const slots = [SlotState.active, SlotState.active, SlotState.held];
  const changes = slots.map((state, at) => ({ connection: at + 1, at: 2, state }));
  story.frame(encodeSlots(changes, 0));
  story.settle();
  const snapshot = new Snapshot(story);
  snapshot.take(1e6, 1_000);
  const isMeant = meantIn(story, snapshot, hoarding);
  const meant = [0, 1, 2].filter((at) => isMeant(at));
  const ids = meant.map((at) => story.connections.id.get(snapshot.index[at] ?? -1));
  expect(ids).toEqual([1, 2]);
});
