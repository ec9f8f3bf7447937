import { describe, expect, it } from 'vitest';
import { topologyHash } from './hash.ts';
import { parseTopology } from './parse.ts';
import { AS_WRITTEN, CHAIN, hopOf, topologyOf } from './test-support.ts';

describe('a short document', () => {
  const topology = topologyOf(CHAIN);

  it('has every setting written out', () => {
    expect(topology.duration).toBe(60_000_000);
    expect(hopOf(topology, 'connection-queue')).toEqual({
      name: 'queue',
      kind: 'connection-queue',
      implementation: 'builtin',
      upstream: 'nginx',
      listen: null,
      upstreamDelay: 0,
      backlog: 4_096,
      ephemeralPorts: 28_232,
      activeMax: 15,
      heldMax: 16_384,
      heldTimeout: 0,
      order: 'fifo',
      reclaim: 'none',
      reclaimAfter: 5_000,
      whileHeld: 'watch',
    });
    expect(hopOf(topology, 'gateway')).toMatchObject({
      nodes: 8,
      poolsPerNode: 1,
      spread: 'request',
      pool: { connectionsMax: 0, waitersMax: 0, idleTimeout: 60_000_000, reuse: 'lifo' },
      throttle: { ratePerSecond: 10_000, burst: 5_000 },
      integrationTimeout: 29_000_000,
    });
    expect(hopOf(topology, 'web-server')).toMatchObject({
      keepAliveTimeout: 75_000_000,
      keepAliveRequests: 1_000,
      upstreamIdleMax: 0,
    });
    expect(hopOf(topology, 'clients').workload).toEqual({
      kind: 'closed',
      thinkTime: { kind: 'constant', value: 1_000_000 },
      awake: { shape: 'constant', value: 1 },
      startWithin: 1_000_000,
    });
  });

  it('is a chain: each hop leads to the next, the last to none', () => {
    expect(topology.hops.map((hop) => hop.upstream)).toEqual([
      ...['apigw', 'nlb', 'queue', 'nginx', 'app', 'db', null],
    ]);
  });

  it('checks the health of the web server, past the queue', () => {
    expect(hopOf(topology, 'l4-balancer').healthCheck.hop).toBe('nginx');
  });

  it('checks no database behind a balancer', () => {
    const behind = CHAIN.replace(
      '  - name: db',
      '  - { name: l4, kind: l4-balancer }\n  - name: db',
    );
    const [nlb, l4] = topologyOf(behind).hops.filter((hop) => hop.kind === 'l4-balancer');
    expect([nlb?.healthCheck.enabled, l4?.healthCheck.enabled]).toEqual([true, false]);
  });

  it('is named after its file when it has no name', () => {
    const parsed = parseTopology(CHAIN.replace('name: chain\n', ''), 'a/b/my.yaml', AS_WRITTEN);
    expect('topology' in parsed && parsed.topology.name).toBe('my');
  });

  it('has queries only with a database', () => {
    const alone = CHAIN.replace(/ {2}- name: db\n {4}kind: database\n/, '');
    expect(hopOf(topology, 'app').queriesPerRequest).toBe(1);
    expect(hopOf(topologyOf(alone), 'app').queriesPerRequest).toBe(0);
  });

  it('has clients that skip other clients on the way upstream', () => {
    const two = CHAIN.replace('hops:\n', 'hops:\n  - { name: others, kind: clients }\n');
    expect(topologyOf(two).hops[0]?.upstream).toBe('apigw');
  });

  it('keeps entries of the timeline at equal times in their order, with typed values', () => {
    const text = `${CHAIN}timeline:
  - { at: 20s, action: mark, text: later }
  - { at: 1s, action: set, path: db.serviceTime, to: exponential(3ms) }
  - { at: 1s, action: set, path: apigw.throttle.ratePerSecond, to: 120/min }
`;
    expect(topologyOf(text).timeline).toEqual([
      {
        at: 1_000_000,
        text: null,
        action: 'set',
        path: 'db.serviceTime',
        to: { kind: 'exponential', mean: 3_000 },
      },
      { at: 1_000_000, text: null, action: 'set', path: 'apigw.throttle.ratePerSecond', to: 2 },
      { at: 20_000_000, text: 'later', action: 'mark' },
    ]);
  });
});

describe('habits', () => {
  const withHabit = (extra: string): string =>
    CHAIN.replace('kind: clients\n', `kind: clients\n    ${extra}\n`);

  it.each([
    ['ios', 6, 60_000_000],
    ['okhttp', 5, 300_000_000],
    ['embedded', 1, 60_000_000],
    ['jmeter', 1, 60_000_000],
    ['browser', 6, 300_000_000],
  ])('%s', (habit, connectionsMax, idleTimeout) => {
    const { pool } = hopOf(topologyOf(withHabit(`habit: ${habit}`)), 'clients');
    expect(pool).toMatchObject({ connectionsMax, idleTimeout });
  });

  it('what is set wins, and what --set sets wins over that', () => {
    const text = withHabit('habit: okhttp\n    pool: { connectionsMax: 2 }');
    expect(hopOf(topologyOf(text), 'clients').pool).toMatchObject({
      connectionsMax: 2,
      idleTimeout: 300_000_000,
    });
    const set = ['clients.pool.connectionsMax=3', 'clients.habit=ios'];
    expect(hopOf(topologyOf(text, { set }), 'clients').pool).toMatchObject({
      connectionsMax: 3,
      idleTimeout: 60_000_000,
    });
  });
});

describe('the hash', () => {
  it('does not depend on how a document is written', () => {
    const other = CHAIN.replace('kind: gateway', 'kind: gateway # eight\n    nodes: 8').replace(
      'name: clients\n    kind: clients',
      'kind: clients\n    name: clients\n    timeout: 1m',
    );
    expect(topologyHash(topologyOf(other))).toBe(topologyHash(topologyOf(CHAIN)));
  });

  it('depends on every setting', () => {
    const sets = ['apigw.nodes=9', 'starvedAfter=2s', 'ec2.count=4', 'app.serviceTime=11ms'];
    const hashes = sets.map((one) => topologyHash(topologyOf(CHAIN, { set: [one] })));
    hashes.push(topologyHash(topologyOf(CHAIN)));
    hashes.push(topologyHash(topologyOf(CHAIN, { scale: 0.5 })));
    hashes.push(topologyHash(topologyOf(CHAIN, { timeScale: 0.5 })));
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });
});
