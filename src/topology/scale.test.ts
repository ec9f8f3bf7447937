import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Topology } from '../model/topology.ts';
import { eachSetting, settingsOf } from './catalog/catalog.ts';
import { parseTopology } from './parse.ts';
import { formatProblems } from './problem.ts';
import { scaleReplicas, scaleTopology } from './scale.ts';
import { timeScaleTopology } from './time-scale.ts';

const TEXT = `name: scaled
duration: 2m
startTimeOfDay: "06:00"
starvedAfter: 1s
hops:
  - name: users
    kind: clients
    count: 660
    upstream: edge
    workload:
      thinkTime: lognormal(median 1s, p99 4s)
      awake: { shape: diurnal, peak: 1, trough: 0.5, peakAt: "12:00", period: 24h }
  - name: arrivals
    kind: clients
    count: 1
    upstream: edge
    workload:
      kind: open
      rate: { shape: steps, steps: [{ at: 0, value: 66/s }, { at: 10s, value: 660/s }] }
  - { name: edge, kind: edge, locations: 4 }
  - { name: apigw, kind: gateway, nodes: 20, throttle: { ratePerSecond: 6600/s, burst: 660 } }
  - { name: nlb, kind: l4-balancer }
  - { name: queue, kind: connection-queue, heldTimeout: 0, reclaimAfter: 5ms }
  - { name: app, kind: app, serviceTime: "uniform(2ms, 4ms)" }
  - name: db
    kind: database
    connectionsMax: 660
    concurrencyMax: 132
    serviceTime: exponential(1ms)
hosts:
  - { name: ec2, count: 66, hops: [queue, app] }
timeline:
  - { at: 10s, action: set, path: apigw.throttle.ratePerSecond, to: 660/s }
  - { at: 10s, action: set, path: db.serviceTime, to: exponential(8ms) }
  - { at: 20s, action: stall, hop: db, lasts: 4s }
  - { at: 30s, action: replace-nodes, hop: apigw, count: 10 }
  - { at: 40s, action: host-down, hosts: ec2, replica: 65, lasts: 10s }
  - { at: 50s, action: set, path: queue.activeMax, to: 30 }
`;

function parse(): Topology {
  const parsed = parseTopology(TEXT, 'scaled.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(formatProblems(parsed.problems));
  return parsed.topology;
}

/** All settings of all hops by path. */
function values(topology: Topology): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const hop of topology.hops) {
    eachSetting(settingsOf(hop), hop, (path, _setting, value) => {
      all[[hop.name, ...path].join('.')] = value;
    });
  }
  return all;
}

/** Paths whose values differ, with the new value. */
function changed(before: Topology, after: Topology): Record<string, unknown> {
  const old = values(before);
  const entries = Object.entries(values(after)).filter(
    ([path, value]) => JSON.stringify(value) !== JSON.stringify(old[path]),
  );
  return Object.fromEntries(entries);
}

describe('--scale', () => {
  it.each([
    [66, 0.1, 7],
    [66, 0.01, 2],
    [66, 1.5, 99],
    [1, 0.1, 1],
    [1, 0.9, 1],
    [2, 0.1, 2],
    [30, 0.1, 3],
    [3, 2, 6],
  ])('%d replicas x %d are %d', (count, factor, expected) => {
    expect(scaleReplicas(count, factor)).toBe(expected);
  });

  it('a half: hosts and nodes rounded up, load and capacity by the ratio of hosts', () => {
    const before = parse();
    // 66 hosts x 0.5 = 33: the ratio is exactly a half.
    const { topology: after, effective, warnings } = scaleTopology(before, 0.5);
    expect(after.hosts[0]?.count).toBe(33);
    expect(changed(before, after)).toEqual({
      'users.count': 330,
      'arrivals.workload.rate': {
        shape: 'steps',
        steps: [
          { at: 0, value: 33 },
          { at: 10_000_000, value: 330 },
        ],
      },
      'edge.locations': 2,
      'apigw.nodes': 10,
      'apigw.throttle.ratePerSecond': 3_300,
      'apigw.throttle.burst': 330,
      'db.connectionsMax': 330,
      'db.concurrencyMax': 66,
      'db.preparedStatementsMax': 8_191,
    });
    expect(effective).toContainEqual({
      path: 'apigw.throttle.ratePerSecond',
      from: '6600/s',
      to: '3300/s',
    });
    expect(effective).toContainEqual({ path: 'ec2.count', from: '66', to: '33' });
    // One client of open arrivals cannot be halved: twice as many per host as before.
    expect(warnings).toEqual([
      '--scale shifts the clients of arrivals per host by +100 % (1 -> 1, hosts 66 -> 33)',
    ]);
  });

  it('follows the ratio of hosts that comes out, not the factor', () => {
    const before = parse();
    const after = scaleTopology(before, 0.1).topology;
    const ratio = 7 / 66;
    expect(values(after)['apigw.throttle.ratePerSecond']).toBe(6_600 * ratio);
    expect(values(after)['users.count']).toBe(70);
    expect(values(after)['db.concurrencyMax']).toBe(14);
  });

  it('warns when connections per host shift', () => {
    const { warnings } = scaleTopology(parse(), 0.02);
    // 66 -> 2 hosts is 0.03; 20 -> 2 nodes is 0.1; 4 -> 2 locations is 0.5.
    expect(warnings).toContain(
      '--scale shifts the nodes of apigw per host by +230 % (20 -> 2, hosts 66 -> 2)',
    );
    expect(warnings).toContain(
      '--scale shifts the locations of edge per host by +1550 % (4 -> 2, hosts 66 -> 2)',
    );
  });

  it('scales the timeline', () => {
    const [throttle, slow, , nodes, down, slots] = scaleTopology(parse(), 0.5).topology.timeline;
    expect(throttle).toMatchObject({ to: 330 });
    expect(slow).toMatchObject({ to: { kind: 'exponential', mean: 8_000 } });
    expect(nodes).toMatchObject({ count: 5 });
    expect(down).toMatchObject({ replica: 32 });
    expect(slots).toMatchObject({ to: 30 });
  });

  it('never makes one of several, nor none of any', () => {
    const before = parse();
    const factor = fc.double({ min: 1e-6, max: 3, noNaN: true });
    fc.assert(
      fc.property(factor, (one) => {
        const after = scaleTopology(before, one).topology;
        expect(after.hosts[0]?.count).toBeGreaterThanOrEqual(2);
        const all = values(after);
        for (const path of ['edge.locations', 'apigw.nodes']) {
          expect(all[path]).toBeGreaterThanOrEqual(2);
        }
        for (const path of ['users.count', 'db.concurrencyMax', 'db.connectionsMax']) {
          expect(all[path]).toBeGreaterThanOrEqual(1);
          expect(Number.isInteger(all[path])).toBe(true);
        }
      }),
    );
  });

  it('is remembered', () => {
    const twice = scaleTopology(scaleTopology(parse(), 0.5).topology, 0.5).topology;
    expect(twice.applied).toEqual({ scale: 0.25, timeScale: 1 });
  });
});

describe('--time-scale', () => {
  it('a quarter: durations x 0.25, rates / 0.25, the rest as it was', () => {
    const before = parse();
    const after = timeScaleTopology(before, 0.25);
    expect(after).toMatchObject({
      name: 'scaled',
      duration: 30_000_000,
      startTimeOfDay: 5_400_000_000,
      starvedAfter: 250_000,
      hosts: before.hosts,
      applied: { scale: 1, timeScale: 0.25 },
    });
    expect(values(after)).toMatchObject({
      'users.count': 660,
      'users.workload.thinkTime': { kind: 'lognormal', median: 250_000, p99: 1_000_000 },
      'users.workload.awake': {
        shape: 'diurnal',
        peak: 1,
        trough: 0.5,
        peakAt: 10_800_000_000,
        period: 21_600_000_000,
      },
      'users.timeout': 15_000_000,
      'users.pool.idleTimeout': 15_000_000,
      'users.retry.backoff': 25_000,
      'arrivals.workload.rate': {
        shape: 'steps',
        steps: [
          { at: 0, value: 264 },
          { at: 2_500_000, value: 2_640 },
        ],
      },
      'apigw.throttle.ratePerSecond': 26_400,
      'apigw.throttle.burst': 660,
      'nlb.idleTimeout': 87_500_000,
      'nlb.healthCheck.interval': 7_500_000,
      'nlb.deregistrationDelay': 75_000_000,
      'queue.activeMax': 15,
      'queue.heldTimeout': 0,
      'queue.reclaimAfter': 1_250,
      'app.serviceTime': { kind: 'uniform', min: 500, max: 1_000 },
      'app.pool.evict': 250_000,
      'db.serviceTime': { kind: 'exponential', mean: 250 },
      'db.concurrencyMax': 132,
    });
    expect(after.timeline).toMatchObject([
      { at: 2_500_000, to: 2_640 },
      { at: 2_500_000, to: { kind: 'exponential', mean: 2_000 } },
      { at: 5_000_000, lasts: 1_000_000 },
      { at: 7_500_000, count: 10 },
      { at: 10_000_000, lasts: 2_500_000 },
      { at: 12_500_000, to: 30 },
    ]);
  });

  it('changes every setting that has a unit of time, and only those', () => {
    const before = parse();
    const after = timeScaleTopology(before, 3);
    const timed = new Set<string>();
    for (const hop of before.hops) {
      eachSetting(settingsOf(hop), hop, (path, setting, value) => {
        const constant = setting.format(value) === '0';
        const shape = path.at(-1) === 'awake' && JSON.stringify(value).includes('peakAt');
        if ((setting.unit === 'duration' || setting.unit === 'rate' || shape) && !constant) {
          timed.add([hop.name, ...path].join('.'));
        }
      });
    }
    expect(Object.keys(changed(before, after)).sort()).toEqual([...timed].sort());
  });

  it('never makes a duration 0, which would mean "never"', () => {
    const all = values(timeScaleTopology(parse(), 1e-6));
    expect(all['queue.reclaimAfter']).toBe(1);
    expect(all['queue.heldTimeout']).toBe(0);
  });

  it('and back gives the same durations', () => {
    const before = parse();
    const back = timeScaleTopology(timeScaleTopology(before, 4), 0.25);
    expect(back).toEqual(before);
  });
});
