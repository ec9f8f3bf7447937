import { expect, it } from 'vitest';
import type { Topology } from '../model/topology.ts';
import { parseTopology } from './parse.ts';
import { FAULTS, isFault, parseAction } from './parse-action.ts';

const CHAIN = `
hops:
  - { name: clients, kind: clients }
  - { name: apigw, kind: gateway, nodes: 2 }
  - { name: nlb, kind: l4-balancer }
  - { name: queue, kind: connection-queue }
  - { name: app, kind: app }
hosts:
  - { name: ec2, count: 3, hops: [queue, app] }
`;

function chain(): Topology {
  const parsed = parseTopology(CHAIN, 'chain.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
  return parsed.topology;
}

function problems(action: string, ...words: string[]): readonly string[] {
  const parsed = isFault(action) ? parseAction(chain(), action, words) : { problems: ['no fault'] };
  return 'problems' in parsed ? parsed.problems : [];
}

it('reads what an entry of a timeline may say', () => {
  expect(parseAction(chain(), 'deregister', ['hosts=ec2', 'replica=2', 'lasts=1m'])).toEqual({
    action: { action: 'deregister', hosts: 'ec2', replica: 2, lasts: 60_000_000 },
  });
  expect(parseAction(chain(), 'reset-connections', ['share=0.5', 'hop=apigw'])).toEqual({
    action: { action: 'reset-connections', hop: 'apigw', share: 0.5 },
  });
  expect(FAULTS).toContain('slow-requests');
  expect(FAULTS).not.toContain('set');
});

it('refuses what cannot be, and says what could', () => {
  expect(problems('replace-nodes', 'hop=apigw', 'count=99')).toEqual([
    'count: "apigw" has only 2 nodes (write at most 2)',
  ]);
  expect(problems('deregister', 'hosts=ec2', 'replica=3', 'lasts=1s')).toEqual([
    'replica: "ec2" has 3 hosts, numbered from 0 (write at most 2)',
  ]);
  expect(problems('stall', 'hop=queue', 'lasts=5')).toEqual([
    'lasts: the duration 5 has no unit (write 5s or 5ms)',
    'hop: stall needs app or database, but "queue" is of kind connection-queue (choose from: app)',
  ]);
  expect(problems('slow', 'hop=app', 'factr=2', 'lasts=1s')).toEqual([
    'factor: is missing',
    'factr: unknown (did you mean "factor"?)',
  ]);
});
