import { expect, test } from 'vitest';
import { makePlan } from '../model/plan.ts';
import { parseTopology } from './parse.ts';
import { processPerHop } from './process-per-hop.ts';

const DOCUMENT = `
name: small
hops:
  - { name: clients, kind: clients }
  - { name: alb, kind: l7-balancer, healthCheck: { hop: app } }
  - { name: web, kind: web-server, implementation: nginx }
  - { name: app, kind: app }
  - { name: db, kind: database, implementation: mariadb }
hosts: [{ name: ec2, count: 3, hops: [web, app] }]
processes: [{ name: one, hops: [clients, alb] }]
`;

test('each hop of ours has a process of its own, which all of its replicas share', () => {
  const parsed = parseTopology(DOCUMENT, 'small.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error('the document is not accepted');
  const { topology } = parsed;
  expect(makePlan(topology, { externalClients: false }).processes).toEqual(['one', 'back']);
  const plan = makePlan(processPerHop(topology), { externalClients: false });
  expect(plan.processes).toEqual(['clients', 'alb', 'app']);
  const placed = plan.instances.map(({ hop, process }) => [hop, plan.processes[process] ?? null]);
  expect(placed).toEqual([
    ['clients', 'clients'],
    ['alb', 'alb'],
    ...Array.from({ length: 3 }, () => ['web', null]),
    ...Array.from({ length: 3 }, () => ['app', 'app']),
    ['db', null],
  ]);
});
