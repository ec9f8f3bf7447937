import { expect, it } from 'vitest';
import { parseTopology } from '../../topology/index.ts';
import { chainOf, Lifelines } from './lifelines.ts';

function namesFor(clients: string): string[] {
  const yaml = `name: who
hops:
  - { kind: clients, ${clients} }
  - { name: nlb, kind: l4-balancer }
  - { name: queue, kind: connection-queue }
  - { name: nginx, kind: web-server }
  - { name: app, kind: app }
hosts: [ { name: ec2, count: 2, hops: [queue, nginx, app] } ]
`;
  const parsed = parseTopology(yaml, 'who.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { topology } = parsed;
  const hops = chainOf(topology, topology.hops[0]?.name ?? '', 'web-server');
  return new Lifelines(topology, hops, [1]).participants.map(({ name }) => name);
}

it("has the incident's names for hops, and clients by their own", () => {
  const others = ['NLB', 'EC2 #1', 'ConnCtrl', 'NGINX'];
  expect(namesFor('name: mobile')).toEqual(['mobile', ...others]);
  expect(namesFor('name: jmeter')).toEqual(['JMETER', ...others]);
  expect(namesFor('name: threads, requestsPerIteration: 1')).toEqual(['JMETER', ...others]);
});
