import { expect, test } from 'vitest';
import { parseTopology } from '../topology/index.ts';
import { simulatedOnly } from './simulated-only.ts';

function notesOf(app: string, timeline = ''): string[] {
  const yaml = `hops:
  - { name: clients, kind: clients, count: 1 }
  - { name: app, kind: app${app} }
${timeline}`;
  const parsed = parseTopology(yaml, 'x.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return simulatedOnly(parsed.topology);
}

test('a live run is told what it cannot do, and nothing where it can do all', () => {
  expect(notesOf('')).toEqual([]);
  expect(notesOf(', backlog: 5')).toEqual([]);
  expect(notesOf(', upstreamDelay: 1ms')).toEqual([
    expect.stringMatching(/simulated only.*app.upstreamDelay/),
  ]);
  expect(notesOf(', ephemeralPorts: 5')).toEqual([
    expect.stringMatching(/simulated only.*app.ephemeralPorts/),
  ]);
  const stop = 'timeline: [{ at: 1s, action: stop-accepting, hop: app, lasts: 1s }]\n';
  expect(notesOf('', stop)).toEqual([expect.stringMatching(/simulated only.*stop-accepting/)]);
});
