/**
 * A server that lets in and closes at once: the request breaks, as on a real socket. Once it
 * asked for the next connection within the same instant, and simulated time stood still for ever.
 */
import { expect, it } from 'vitest';
import { parseTopology } from '../../topology/index.ts';
import { Simulation } from '../simulation.ts';

/** nginx counts both of its sides: with two it serves one request, and closes whom it accepts. */
const chain = (workerConnections: number): string => `name: full
duration: 10s
hops:
  - { name: users, kind: clients, count: 20, workload: { kind: open, rate: 10/s } }
  - { name: nginx, kind: web-server, workerConnections: ${workerConnections} }
  - { name: app, kind: app, serviceTime: 200ms }
`;
/** A hundred times what a request of this chain tells. */
const EVENTS_PER_INSTANT_MAX = 2_000;

// With one it closes even the first as an idle one, though its request has come within the
// instant: that is not read any more.
it.each([
  [1, 0],
  [2, 20],
])(
  'with room for %i it breaks the requests that it closes upon, and time goes on',
  (room, served) => {
    const parsed = parseTopology(chain(room), 'full.yaml', { set: [], scale: 1, timeScale: 1 });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    let last = -1;
    let within = 0;
    const simulation = new Simulation({
      ...{ topology: parsed.topology, topologyHash: '', version: '', seed: 1 },
      recorder: {
        write: (at) => {
          within = at === last ? within + 1 : 0;
          last = at;
          if (within > EVENTS_PER_INSTANT_MAX) throw new Error(`time stands still at ${at}`);
        },
      },
      onSecond: () => {},
    });
    while (!simulation.step(1_000));
    simulation.finish();
    const { clients, balanced, imbalances } = simulation.measured();
    const requests = clients[0]?.requests;
    expect(simulation.now).toBe(10_000_000);
    expect(requests?.resets).toBeGreaterThan(50);
    expect(requests?.ok).toBeGreaterThanOrEqual(served);
    expect(imbalances).toEqual([]);
    expect(balanced).toBe(true);
  },
);
