import { describe, expect, it } from 'vitest';
import type { Topology } from '../model/topology.ts';
import { CHANGEABLE, changeableSetting, formatChange, parseSetting } from './change.ts';
import { explainSettings } from './explain.ts';
import { parseTopology } from './parse.ts';
import { formatProblems } from './problem.ts';
import { jsonSchema } from './schema.ts';

const TEXT = `name: all
hops:
  - { name: users, kind: clients, habit: okhttp, upstream: cdn }
  - { name: open, kind: clients, workload: { kind: open } }
  - { name: cdn, kind: edge }
  - { name: apigw, kind: gateway }
  - { name: alb, kind: l7-balancer }
  - { name: nlb, kind: l4-balancer }
  - { name: queue, kind: connection-queue }
  - { name: nginx, kind: web-server }
  - { name: app, kind: app, serviceTime: 3ms }
  - { name: db, kind: database }
`;

function parse(set: readonly string[] = []) {
  const parsed = parseTopology(TEXT, 'all.yaml', { set, scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(formatProblems(parsed.problems));
  return parsed;
}

const topology: Topology = parse().topology;

describe('changes while running', () => {
  it.each([
    ['open.rate', '120/min', 2],
    ['users.awake', 0.25, 0.25],
    ['users.awake', '0.25', 0.25],
    ['users.pool.connectionsMax', '7', 7],
    ['apigw.throttle.ratePerSecond', '200/s', 200],
    ['apigw.throttle.ratePerSecond', 0, 0],
    ['apigw.throttle.burst', 10, 10],
    ['alb.pool.idleTimeout', '5s', 5_000_000],
    ['queue.activeMax', 30, 30],
    ['queue.reclaim', 'idle-yield', 'idle-yield'],
    ['queue.reclaimAfter', '350us', 350],
    ['nginx.keepAliveTimeout', '0', 0],
    ['app.pool.max', 9, 9],
    ['db.serviceTime', 'exponential(2ms)', { kind: 'exponential', mean: 2_000 }],
    ['db.concurrencyMax', 1, 1],
  ])('%s = %j', (path, raw, value) => {
    const change = parseSetting(topology, path, raw);
    const [hop = '', ...rest] = path.split('.');
    expect(change).toEqual({ hop, setting: rest.join('.'), value });
  });

  it('the long form of a workload is the short one', () => {
    expect(parseSetting(topology, 'users.workload.awake', 0.5)).toEqual({
      hop: 'users',
      setting: 'awake',
      value: 0.5,
    });
  });

  it.each([
    ['queue.activeMax', 0, '0 is out of range', 'write a number from 1 to 1000000'],
    [
      'queue.activeMx',
      5,
      'there is no setting "queue.activeMx"',
      'did you mean "queue.activeMax"?',
    ],
    ['quue.activeMax', 5, 'there is no hop named "quue"', 'did you mean "queue"?'],
    ['queue', 5, 'there is no setting "queue"', 'what may: queue.activeMax'],
    ['apigw.nodes', 5, 'apigw.nodes cannot change while running', 'apigw.throttle.burst'],
    ['nlb.idleTimeout', '5s', 'nlb.idleTimeout cannot change', 'nothing of l4-balancer may'],
    ['users.rate', '5/s', 'users has a closed workload', 'set users.awake instead'],
    ['open.awake', 1, 'open has an open workload', 'set open.rate instead'],
    ['apigw.throttle.ratePerSecond', 200, 'the rate 200 has no unit', 'write 200/s or 200/min'],
    ['apigw.throttle.ratePerSecond', '200', 'the rate 200 has no unit', 'write 200/s or 200/min'],
    ['constructor.x', 1, 'there is no hop named "constructor"', 'hops: users'],
    ['queue.constructor', 1, 'there is no setting "queue.constructor"', 'what may'],
  ])('%s = %j is refused', (path, raw, message, suggestion) => {
    const refused = parseSetting(topology, path, raw);
    if (!('problem' in refused)) throw new Error('accepted');
    expect(refused.problem.message).toContain(message);
    expect(refused.problem.suggestion).toContain(suggestion);
    expect(refused.problem).toMatchObject({ file: 'set', line: 1 });
  });

  it('every path in the list leads to a setting', () => {
    for (const hop of topology.hops) {
      const workload = hop.name === 'open' ? 'open' : 'closed';
      const target = { name: hop.name, kind: hop.kind, workload } as const;
      for (const path of CHANGEABLE[hop.kind]) {
        const other = path === (workload === 'open' ? 'awake' : 'rate');
        expect(changeableSetting(target, path) === null, path).toBe(other);
      }
    }
  });

  it('are printed as they would be written', () => {
    expect(formatChange(topology, 'apigw.throttle.ratePerSecond', 200)).toBe('200/s');
    expect(formatChange(topology, 'queue.reclaimAfter', 350)).toBe('350us');
    expect(formatChange(topology, 'open.rate', 3)).toBe('3/s');
    expect(formatChange(topology, 'nowhere.rate', 3)).toBe('3');
  });
});

describe('what is in force', () => {
  const { sources } = parse(['queue.activeMax=20']);
  const explained = new Map(
    explainSettings(parse(['queue.activeMax=20']).topology, sources).map((one) => [one.path, one]),
  );

  it.each([
    ['queue.activeMax', '20', '--set queue.activeMax=20'],
    ['app.serviceTime', '3ms', 'all.yaml:11'],
    ['users.pool.idleTimeout', '5m', 'habit okhttp: '],
    ['users.pool.reuse', 'lifo', 'default: assumption'],
    ['nginx.keepAliveTimeout', '75s', 'default: nginx documentation: keepalive_timeout 75s'],
    ['apigw.integrationTimeout', '29s', 'default: API Gateway quotas'],
    ['duration', '1m', 'default: '],
  ])('%s is %s', (path, value, source) => {
    expect(explained.get(path)?.value).toBe(value);
    expect(explained.get(path)?.source).toContain(source);
  });

  it('says by which factor a value was changed', () => {
    const parsed = parseTopology(TEXT, 'all.yaml', { set: [], scale: 0.5, timeScale: 0.5 });
    if ('problems' in parsed) throw new Error('problems');
    const list = explainSettings(parsed.topology, parsed.sources);
    const find = (path: string) => list.find((one) => one.path === path);
    expect(find('app.serviceTime')).toMatchObject({
      value: '1.5ms',
      source: 'all.yaml:11, --time-scale 0.5',
    });
    expect(find('apigw.nodes')?.source).toContain(', --scale 0.5');
    expect(find('queue.activeMax')?.source).not.toContain('scale');
  });

  it('knows defaults of a topology that was read back from elsewhere', () => {
    const list = explainSettings(JSON.parse(JSON.stringify(topology)) as Topology);
    const source = (path: string) => list.find((one) => one.path === path)?.source;
    expect(source('nginx.keepAliveTimeout')).toContain('default: nginx');
    expect(source('app.serviceTime')).toBe('topology');
  });
});

describe('the JSON Schema', () => {
  const schema = jsonSchema();

  it('can be written and says of every setting what it is and where its default comes from', () => {
    const missing: string[] = [];
    let settings = 0;
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      const properties: unknown = Reflect.get(node, 'properties');
      for (const [key, one] of Object.entries(properties ?? {})) {
        const nested = ['properties', 'items', 'const', 'oneOf'].some((word) =>
          Object.hasOwn(one as object, word),
        );
        if (!nested) {
          settings += 1;
          if (!Reflect.get(one as object, 'source')) missing.push(`${path}.${key}`);
          if (!Reflect.get(one as object, 'description')) missing.push(`${path}.${key}`);
        }
        visit(one, `${path}.${key}`);
      }
      for (const word of ['oneOf', 'anyOf']) {
        const members: unknown = Reflect.get(node, word);
        if (Array.isArray(members)) for (const one of members) visit(one, path);
      }
      visit(Reflect.get(node, 'items'), `${path}[]`);
    };
    visit(JSON.parse(JSON.stringify(schema)), '');
    expect(settings).toBeGreaterThan(100);
    expect(missing).toEqual(['.timeline[].to']);
  });

  it('has the defaults as a document writes them', () => {
    const text = JSON.stringify(schema);
    expect(text).toContain('"default":"75s"');
    expect(text).toContain('"default":"29s"');
    expect(text).toContain('"default":16384');
  });
});
