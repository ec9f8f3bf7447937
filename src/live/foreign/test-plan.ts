/** A plan of two hosts with a foreign hop on each, for tests of foreign servers. */
import type { Endpoint, Link, RunPlan } from '../../model/run.ts';
import type { Hop, Topology } from '../../model/topology.ts';
import type { ForeignContext } from './server.ts';

/** Links into the hop (traffic and alive check) and out of it. */
export const foreignLinks: readonly [Link, Link, Link] = [
  { index: 0, name: 'nlb->hop', downstream: 'nlb', upstream: 'hop', purpose: 'traffic' },
  { index: 1, name: 'hop->app', downstream: 'hop', upstream: 'app', purpose: 'traffic' },
  { index: 2, name: 'nlb->hop#alive', downstream: 'nlb', upstream: 'hop', purpose: 'alive' },
];

export function foreignContext(hop: Hop, apps: readonly number[] = []): ForeignContext {
  const hosts = Math.max(1, apps.length);
  const instances = ['hop', 'app'].flatMap((name, group) =>
    Array.from({ length: hosts }, (_host, replica) => ({
      index: group * hosts + replica,
      hop: name,
      replica,
      host: `ec2#${replica}`,
      process: group - 1,
    })),
  );
  const plan: RunPlan = { instances, links: foreignLinks, processes: ['back'] };
  const endpoints: Endpoint[] = apps.map((port, replica) => ({
    instance: hosts + replica,
    link: 1,
    address: '127.0.0.1',
    port,
  }));
  const topology: Topology = {
    name: 'test',
    description: '',
    duration: 1_000_000,
    startTimeOfDay: 0,
    starvedAfter: 1_000_000,
    hops: [hop],
    hosts: [{ name: 'ec2', count: hosts, hops: ['hop', 'app'] }],
    timeline: [],
    faults: [],
    processes: [],
    applied: { scale: 1, timeScale: 1 },
  };
  return { topology, plan, endpoints };
}
