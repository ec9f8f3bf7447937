/** A database speaks first: what it says comes through relays of bytes as well. */
import { describe, expect, it } from 'vitest';
import { parseTopology } from '../topology/index.ts';
import { Simulation } from './simulation.ts';

const behind = (relays: string): string => `
name: behind-relays
duration: 2s
hops:
  - { name: users, kind: clients, count: 5, workload: { kind: closed, thinkTime: 50ms } }
  - { name: app, kind: app, serviceTime: 5ms }
${relays}
  - { name: db, kind: database, serviceTime: 2ms }
`;

const BALANCER = '  - { name: nlb, kind: l4-balancer }\n';
const queue = (reclaim: string): string =>
  `  - { name: queue, kind: connection-queue, activeMax: 2, whileHeld: unread, ${reclaim} }\n`;

describe.each([
  ['a balancer', BALANCER],
  ['a queue', queue('reclaim: none')],
  ['a queue that reclaims', queue('reclaim: idle-yield')],
  ['both', BALANCER + queue('reclaim: none')],
])('a database behind %s', (_what, relays) => {
  it('answers every request of the app', () => {
    const parsed = parseTopology(behind(relays), 'x.yaml', { set: [], scale: 1, timeScale: 1 });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    const { topology } = parsed;
    const options = {
      topology,
      topologyHash: '',
      version: '',
      seed: 1,
      recorder: null,
      onSecond: () => {},
    };
    const simulation = new Simulation(options);
    while (!simulation.step(1_000));
    simulation.finish();
    const { balanced, clients } = simulation.measured();
    const { sent = 0, ok = 0, pending = 0 } = clients[0]?.requests ?? {};
    expect(balanced).toBe(true);
    expect(sent).toBeGreaterThan(100);
    expect(ok + pending).toBe(sent);
    expect(pending).toBeLessThanOrEqual(5);
  });
});
