import { describe, expect, it } from 'vitest';
import { CHAIN, hopOf, problemsOf, topologyOf } from './test-support.ts';

describe('--set', () => {
  it('changes hops, hosts and the document, in order', () => {
    const set = [
      'queue.reclaim=idle-yield',
      'ec2.count=5',
      'duration=5s',
      'app.pool.max=7',
      'app.pool.max=8',
      'clients.workload.kind=open',
      'clients.rate={shape: steps, steps: [{at: 0, value: 3/s}]}',
      'clients.retry.on=[timeout, 5xx]',
      'apigw.listen=127.0.0.1:8080',
    ];
    const topology = topologyOf(CHAIN, { set });
    expect(hopOf(topology, 'connection-queue').reclaim).toBe('idle-yield');
    expect(topology.hosts[0]?.count).toBe(5);
    expect(topology.duration).toBe(5_000_000);
    expect(hopOf(topology, 'app').pool).toMatchObject({ min: 0, max: 8 });
    expect(hopOf(topology, 'clients').workload).toMatchObject({
      rate: { shape: 'steps', steps: [{ at: 0, value: 3 }] },
    });
    expect(hopOf(topology, 'clients').retry.on).toEqual(['timeout', '5xx']);
    expect(hopOf(topology, 'gateway').listen).toBe('127.0.0.1:8080');
  });

  it('does not reach another hop through a shared alias', () => {
    const text = `hops:
  - { name: a, kind: clients, pool: &p { connectionsMax: 2 } }
  - { name: b, kind: clients, pool: *p }
  - { name: app, kind: app }
`;
    const topology = topologyOf(text, { set: ['a.pool.connectionsMax=9'] });
    const counts = topology.hops.map(
      (hop) => 'pool' in hop && 'reuse' in hop.pool && hop.pool.connectionsMax,
    );
    expect(counts).toEqual([9, 2, false]);
  });

  it.each([
    ['queue.activeMx=3', 1, 'did you mean "queue.activeMax"?'],
    ['queue.activeMax=x', 17, null],
    ['quue.activeMax=3', 1, 'did you mean "queue"?'],
    ['apigw.idleTimeout=3s', 1, 'did you mean "apigw.pool.idleTimeout"?'],
    ['apigw.pool.idleTimeout=3', 24, 'write 3s or 3ms'],
    ['apigw.pool=3', 1, null],
    ['app.pool.max.x=3', 1, 'write app.pool.max=...'],
    ['durtion=3s', 1, 'did you mean "duration"?'],
    ['duration=3', 10, 'write 3s or 3ms'],
    ['ec2.size=3', 1, 'write ec2.count'],
    ['ec2.count=0', 11, 'write a number from 1 to 10000'],
    ['queue=3', 1, 'write queue.<setting>=...'],
    ['queue.activeMax', 1, 'write <hop>.<setting>=<value>, such as queue.activeMax=20'],
    ['queue.activeMax=', 17, null],
    ['queue.activeMax=[', 17, null],
    ['queue.name=x', 1, null],
    ['queue.__proto__=x', 1, null],
    ['clients.rate=5/s', 1, '"rate" belongs to clients.workload.kind=open'],
    ['nlb.healthCheck.hop=apigw', 21, null],
    ['clients.startWithin=thinktme', 21, 'did you mean "thinkTime"?'],
    ['clients.startWithin=soon', 21, 'write 5s or thinkTime'],
    ['clients.startWithin=-5s', 21, null],
  ])('refuses %s', (text, column, suggestion) => {
    const problems = problemsOf(CHAIN, { set: [text] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ file: '--set', line: 1, column, lineText: text });
    if (suggestion !== null) expect(problems[0]?.suggestion).toBe(suggestion);
  });

  it.each(['thinkTime', 4_000_000])('lets users start within %s, at any pace', (startWithin) => {
    const written = startWithin === 'thinkTime' ? startWithin : '8s';
    const set = [`clients.startWithin=${written}`];
    const { workload } = hopOf(topologyOf(CHAIN, { set, timeScale: 0.5 }), 'clients');
    expect(workload).toMatchObject({ startWithin });
  });

  it('reports bad options beside what is wrong in the document', () => {
    const text = CHAIN.replace('kind: gateway', 'kind: gatway');
    const problems = problemsOf(text, { set: ['nope'], scale: 0, timeScale: Number.NaN });
    expect(problems.map((one) => one.file)).toEqual([
      ...['chain.yaml', '--set', '--scale', '--time-scale'],
    ]);
  });
});
