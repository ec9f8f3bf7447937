/**
 * A run measured by the simulator itself and by the ledger from its events: the same summary and
 * the same series, to the last number, through healthy runs, collapses and faults.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Fold } from '../measure/fold.ts';
import type { SecondRow } from '../measure/rows.ts';
import { type Measured, summaryOf } from '../measure/strike.ts';
import type { Topology } from '../model/topology.ts';
import { parseTopology } from '../topology/index.ts';
import { type Recorder, Simulation } from './index.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

function topologyOf(file: string, set: readonly string[]): Topology {
  const text = readFileSync(`${EXAMPLES}${file}`, 'utf8');
  const parsed = parseTopology(text, file, { set: [...set], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.topology;
}

/** Values by scope, measure and second. */
type Series = Record<string, Record<string, (number | null)[]>>;

interface Both {
  readonly byEvents: Measured;
  readonly byItself: Measured;
  readonly seriesByEvents: Series;
  readonly seriesByItself: Series;
}

function measureBothWays(topology: Topology, seed: number): Both {
  const counts = [0];
  let fold: Fold | null = null;
  const early: Parameters<Recorder['write']>[] = [];
  const tell = (...row: Parameters<Recorder['write']>): void => {
    if (fold === null) early.push(row);
    else fold.event(0, counts[0] ?? 0, ...row);
    if (fold !== null) counts[0] = (counts[0] ?? 0) + 1;
  };
  const seriesByEvents: Series = {};
  const seriesByItself: Series = {};
  const into =
    (series: Series) =>
    ({ second, scope, measure, value }: SecondRow): void => {
      series[scope] ??= {};
      series[scope][measure] ??= [];
      series[scope][measure][second] = value;
    };
  const simulation = new Simulation({
    topology,
    topologyHash: '',
    version: '',
    seed,
    recorder: { write: tell },
    onSecond: into(seriesByItself),
  });
  fold = new Fold(simulation.info(counts), { onSecond: into(seriesByEvents) });
  for (const row of early) tell(...row);
  while (!simulation.step(100_000));
  simulation.finish();
  fold.finish();
  const byItself = simulation.measured();
  return { byEvents: summaryOf(fold), byItself, seriesByEvents, seriesByItself };
}

/**
 * Where they differ, by path. Sums of the same numbers in another order may do so in the last
 * digit. (Looked for by hand: one `expect` for each of a million numbers took half a minute.)
 */
function differences(one: unknown, other: unknown, path = ''): string[] {
  if (typeof one === 'number' && typeof other === 'number') {
    return Math.abs(one - other) <= 1e-9 * Math.abs(one) ? [] : [`${path}: ${one}, ${other}`];
  }
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) {
    return Object.is(one, other) ? [] : [`${path}: ${one}, ${other}`];
  }
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => {
    const [a, b] = [Reflect.get(one, key), Reflect.get(other, key)];
    return Object.is(a, b) ? [] : differences(a, b, `${path}.${key}`);
  });
}

const FAULTS = `
name: faults
duration: 40s
hops:
  - name: clients
    kind: clients
    count: 60
    timeout: 3s
    postShare: 0.2
    workload: { kind: closed, thinkTime: exponential(100ms) }
    retry: { attemptsMax: 3, backoff: 100ms, on: [timeout, reset, refused, 5xx] }
  - { name: edge, kind: edge, locations: 2 }
  - { name: apigw, kind: gateway, nodes: 3, integrationTimeout: 2s, pool: { idleTimeout: 5s } }
  - name: nlb
    kind: l4-balancer
    idleTimeout: 4s
    healthCheck: { enabled: true, hop: nginx, interval: 2s, unhealthyThreshold: 2 }
    deregistrationDelay: 3s
  - { name: queue, kind: connection-queue, activeMax: 4, heldTimeout: 2s, heldMax: 6 }
  - name: nginx
    kind: web-server
    keepAliveTimeout: 3s
    keepAliveRequests: 50
    upstreamIdleMax: 2
  - { name: app, kind: app, serviceTime: exponential(10ms), keepAliveTimeout: 1s }
  - { name: db, kind: database, serviceTime: exponential(2ms), connectionsMax: 12 }
hosts:
  - { name: ec2, count: 3, hops: [queue, nginx, app] }
timeline:
  - { at: 5s, action: slow, hop: db, factor: 30, lasts: 3s }
  - { at: 10s, action: host-down, hosts: ec2, replica: 1, lasts: 6s }
  - { at: 14s, action: replace-nodes, hop: apigw, count: 2 }
  - { at: 18s, action: reset-connections, hop: queue, share: 0.5 }
  - { at: 20s, action: deregister, hosts: ec2, replica: 2, lasts: 8s }
  - { at: 25s, action: stall, hop: db, lasts: 3s }
  - { at: 30s, action: reset-connections, hop: edge, share: 0.5 }
  - { at: 32s, action: set, path: queue.activeMax, to: 2 }
  - { at: 34s, action: slow-requests, hop: app, share: 0.3, extra: 1s, lasts: 2s }
  - { at: 35s, action: stop-accepting, hop: nginx, lasts: 1500ms }
  - { at: 37s, action: stop-accepting, hop: db, lasts: 2s }
  - { at: 39s, action: stop-accepting, hop: edge, lasts: 5s }
`;

const FAR = ['clients.upstreamDelay=30ms', 'edge.upstreamDelay=7ms'].concat([
  'app.upstreamDelay=1ms',
  'nginx.backlog=1',
  'db.backlog=3',
  'edge.backlog=20',
]);

describe('measures of the simulator itself', () => {
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));
  const findings = readdirSync(`${EXAMPLES}findings`).map((name) => `findings/${name}`);
  for (const file of [...files, ...findings]) {
    it(`are those of the ledger: ${file}`, () => {
      // The others of its family are the same until their faults, minutes later.
      const large = file.startsWith('aws-2021');
      const set = large ? [`duration=${file === 'aws-2021.yaml' ? 5 : 1}s`] : [];
      const { byEvents, byItself, seriesByEvents, seriesByItself } = measureBothWays(
        topologyOf(file, set),
        1,
      );
      expect(byEvents.balanced).toBe(true);
      // Only the ledger lists what is explained; of large groups a sample of clients is followed.
      const explained = { ...byEvents, imbalances: [] };
      const links = byEvents.links.map((link, index) =>
        large ? { ...link, multiplication: byItself.links[index]?.multiplication } : link,
      );
      expect(differences({ ...explained, links }, byItself)).toEqual([]);
      expect(differences(seriesByEvents, seriesByItself)).toEqual([]);
    });
  }

  for (const [whileHeld, far] of [
    ['watch', []],
    ['unread', []],
    ['watch', FAR],
    ['unread', FAR],
  ] as const) {
    it(`are those of the ledger through faults of every kind, ${whileHeld}, ${far.length}`, () => {
      const set = [`queue.whileHeld=${whileHeld}`, ...far];
      const parsed = parseTopology(FAULTS, 'faults.yaml', { set, scale: 1, timeScale: 1 });
      if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
      for (const seed of [1, 2, 3]) {
        const { byEvents, byItself, seriesByEvents, seriesByItself } = measureBothWays(
          parsed.topology,
          seed,
        );
        expect(byEvents.imbalances.filter((one) => !one.explained)).toEqual([]);
        const what = `seed ${seed}`;
        expect(differences({ ...byEvents, imbalances: [] }, byItself), what).toEqual([]);
        expect(differences(seriesByEvents, seriesByItself), what).toEqual([]);
      }
    });
  }

  // What was on its way to a link when its sender gave it up, only the simulator knows of: counts
  // of exchanges there differ by that.
  it.each(['watch', 'unread'])('are those of the ledger for slots behind delays, %s', (held) => {
    const delays = ['clients=30ms', 'apigw=11ms', 'nlb=2ms', 'queue=3ms'];
    const far = delays.map((one) => one.replace('=', '.upstreamDelay='));
    const set = [`queue.whileHeld=${held}`, 'queue.reclaim=idle-yield', ...far];
    const parsed = parseTopology(FAULTS, 'faults.yaml', { set, scale: 1, timeScale: 1 });
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
    const { byEvents, byItself, seriesByEvents, seriesByItself } = measureBothWays(
      parsed.topology,
      1,
    );
    expect(byEvents.imbalances.filter((one) => !one.explained)).toEqual([]);
    expect(byEvents.queues[0]?.hoardedSlotSeconds).toBeGreaterThan(1);
    expect(differences(byEvents.queues, byItself.queues)).toEqual([]);
    const [events, itself] = [seriesByEvents, seriesByItself].map((all) =>
      Object.fromEntries(Object.entries(all).filter(([scope]) => /^hop:queue/.test(scope))),
    );
    expect(differences(events, itself)).toEqual([]);
  });
});
