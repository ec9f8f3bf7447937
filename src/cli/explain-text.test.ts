import { expect, it } from 'vitest';
import { explain } from '../explain/explain.ts';
import { parseTopology } from '../topology/index.ts';
import { explainText } from './explain-text.ts';

it('says in words what is practically never seen, and leaves the formula its numbers', () => {
  const yaml = `name: rare
duration: 20s
hops:
  - { name: users, kind: clients, workload: { kind: closed, thinkTime: exponential(10ms) } }
  - { name: app, kind: app, serviceTime: 1ms }
`;
  const parsed = parseTopology(yaml, 'rare.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const answers = explain(parsed.topology).map((one) => ({ ...one, simulated: null }));
  const opened = answers.find(({ quantity }) => quantity === 'newConnectionsPerSecond');
  expect(opened?.value).toBeGreaterThan(0);
  expect(opened?.value).toBeLessThan(1e-100);
  const text = explainText({ name: 'rare', hash: '' }, answers, null);
  expect(text).toMatch(/new connections \/ s +practically none +exact/);
  expect(text).toMatch(/requests per new connection +practically endless +exact/);
  expect(text).toMatch(/users->app: .*P \d\.\d+e-\d{3}/);
});
