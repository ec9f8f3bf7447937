import { expect, it } from 'vitest';
import type { RunPlan } from '../../model/run.ts';
import { entryLinks } from './entry-links.ts';

/** A chain of hops, each in the process of that number. */
function chain(...hops: readonly (readonly [hop: string, process: number])[]): RunPlan {
  const names = hops.map(([hop]) => hop);
  return {
    processes: ['front', 'back'],
    instances: hops.map(([hop, process], index) => {
      return { index, hop, replica: 0, host: null, process };
    }),
    links: names.slice(1).map((upstream, index) => {
      const downstream = names[index] ?? '';
      return {
        index,
        name: `${downstream}->${upstream}`,
        downstream,
        upstream,
        purpose: 'traffic',
      };
    }),
  };
}

function namesOf(plan: RunPlan, process: number): string[] {
  const entries = entryLinks(plan, process);
  return plan.links.filter((link) => entries.has(link.index)).map((link) => link.name);
}

it('are those from another process that nobody in this one waits behind', () => {
  const plan = chain(['clients', 0], ['edge', 0], ['queue', 1], ['app', 1], ['db', 0]);
  expect(namesOf(plan, 1)).toEqual(['edge->queue']);
  // The clients share the process with the edge, and both wait for the database.
  expect(namesOf(plan, 0)).toEqual([]);
});

it('foreign clients come from outside', () => {
  const plan = chain(['clients', -1], ['edge', 0], ['queue', 1], ['app', 1], ['db', 0]);
  expect(namesOf(plan, 0)).toEqual(['clients->edge']);
});
