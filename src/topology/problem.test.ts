import { describe, expect, it } from 'vitest';
import { formatProblems } from './problem.ts';
import { CHAIN, placesOf, problemsOf } from './test-support.ts';

/** A document with one thing wrong, and all that should be said about it. */
const WRONG: readonly (readonly [string, string, string, readonly string[]])[] = [
  [
    'a bare number',
    'name: chain',
    'name: chain\nduration: 20',
    ['2:11 duration: the duration 20 has no unit'],
  ],
  ['an unknown key', 'name: chain', 'nmae: chain', ['1:1 a topology has no setting "nmae"']],
  ['an unknown kind', 'kind: gateway', 'kind: gatway', ['6:11 apigw: unknown kind "gatway"']],
  ['no kind', '    kind: gateway\n', '', ['5:5 apigw has no "kind"']],
  [
    'a wrong type',
    'connection-queue',
    'connection-queue\n    activeMax: many',
    ['11:16 queue.activeMax: expected a whole number, found "many"'],
  ],
  [
    'out of range',
    'connection-queue',
    'connection-queue\n    activeMax: 0',
    ['11:16 queue.activeMax: 0 is out of range'],
  ],
  [
    'a fraction',
    'connection-queue',
    'connection-queue\n    activeMax: 1.5',
    ['11:16 queue.activeMax: expected a whole number, found 1.5'],
  ],
  [
    'nothing',
    'connection-queue',
    'connection-queue\n    heldTimeout:',
    ['11:5 queue.heldTimeout: expected a duration, found nothing'],
  ],
  [
    'a value for a group',
    'kind: gateway',
    'kind: gateway\n    pool: 5',
    ['7:11 apigw.pool: expected a map, found 5'],
  ],
  [
    'a choice',
    'connection-queue',
    'connection-queue\n    reclaim: idle_yield',
    ['11:14 queue.reclaim: expected one of none, idle-yield; found "idle_yield"'],
  ],
  [
    'an unknown nested key',
    'kind: gateway',
    'kind: gateway\n    pool: { max: 5, idle: 1s }',
    ['7:13 apigw.pool has no setting "max"', '7:21 apigw.pool has no setting "idle"'],
  ],
  [
    'a duplicate key',
    'kind: gateway',
    'kind: gateway\n    nodes: 1\n    nodes: 2',
    ['8:5 this key is given twice'],
  ],
  ['a duplicate name', '- name: nlb', '- name: apigw', ['7:11 the name "apigw" is already taken']],
  ['a name of hosts and hop', 'name: ec2', 'name: app', ['18:13 the name "app" is already taken']],
  ['a bad name', '- name: nlb', '- name: n.b', ['7:11 hops[2].name: "n.b" is not valid here']],
  [
    'an unknown upstream',
    'kind: gateway',
    'kind: gateway\n    upstream: nlp',
    ['7:15 there is no hop named "nlp"'],
  ],
  [
    'a database with an upstream',
    'kind: database',
    'kind: database\n    upstream: app',
    ['17:15 a database is the end of the chain'],
  ],
  [
    'clients without upstream',
    'kind: clients',
    'kind: clients\n    upstream: null',
    ['5:15 clients has nothing upstream: its requests end nowhere'],
  ],
  [
    'two groups for one hop',
    'hosts:\n',
    'hosts:\n  - { name: pods, hops: [app] }\n',
    ['19:49 "app" is already carried by the hosts "pods"'],
  ],
  [
    'hops that are not adjacent',
    '[queue, nginx, app]',
    '[queue, app]',
    ['18:42 "app" is not the next hop after "queue" (that is "nginx")'],
  ],
  [
    'an unknown hop on hosts',
    '[queue, nginx, app]',
    '[queue, ngins, app]',
    ['18:42 there is no hop named "ngins"'],
  ],
  [
    'a gateway on hosts',
    '[queue, nginx, app]',
    '[queue, nginx, app, apigw]',
    ['18:54 gateway cannot live on hosts'],
  ],
  [
    'hosts without a balancer',
    '  - name: nlb\n    kind: l4-balancer\n',
    '',
    ['5:5 "apigw" cannot choose among the 3 hosts of "ec2"'],
  ],
  [
    'a health check downstream',
    'kind: l4-balancer',
    'kind: l4-balancer\n    healthCheck: { hop: apigw }',
    ['9:25 "apigw" is not upstream of "nlb"'],
  ],
  [
    'a health check beside the hosts',
    'kind: l4-balancer',
    'kind: l4-balancer\n    healthCheck: { hop: db }',
    ['9:25 a database does not answer an HTTP check'],
  ],
  [
    'a health check of the database behind a balancer',
    '  - name: db',
    '  - { name: l4, kind: l4-balancer, healthCheck: { enabled: true } }\n  - name: db',
    ['15:60 a database does not answer an HTTP check'],
  ],
  [
    'a queue that waits for MySQL clients to speak',
    '  - name: db',
    '  - { name: limit, kind: connection-queue }\n  - name: db',
    ['15:5 "db" speaks first, but "limit" gives a slot to who has spoken (watch)'],
  ],
  [
    'a url without its implementation',
    'kind: database',
    'kind: database\n    url: mysql://a/b',
    ['17:5 a url is used only with implementation url'],
  ],
  [
    'a slot taken back by HAProxy',
    'connection-queue',
    'connection-queue\n    implementation: haproxy\n    reclaim: idle-yield',
    ['12:14 HAProxy never takes a slot back'],
  ],
  [
    'an order that nginx does not have',
    'kind: gateway',
    'kind: gateway\n    implementation: nginx\n    pool: { reuse: fifo }',
    ['8:20 nginx reuses the idle connection that was used last'],
  ],
  [
    'an address that is not loopback',
    'kind: gateway',
    'kind: gateway\n    listen: 0.0.0.0:80',
    ['7:13 apigw.listen: "0.0.0.0:80" is not valid here'],
  ],
  [
    'a port that does not exist',
    'kind: gateway',
    'kind: gateway\n    listen: 127.0.0.1:65536',
    ['7:13 "127.0.0.1:65536" is not an address and port'],
  ],
  [
    'a pool upside down',
    'kind: app',
    'kind: app\n    pool: { min: 6 }',
    ['15:18 pool.min 6 is more than pool.max 5'],
  ],
  [
    'a workload of the other kind',
    'kind: clients',
    'kind: clients\n    workload: { rate: 5/s }',
    ['5:17 clients.workload has no setting "rate"'],
  ],
  [
    'a shape upside down',
    'kind: clients',
    'kind: clients\n    workload:\n      awake: { shape: diurnal, peak: 0.1, trough: 1 }',
    ['6:51 clients.workload.awake.trough: the trough is higher than the peak'],
  ],
  [
    'steps that begin late',
    'kind: clients',
    'kind: clients\n    workload:\n      awake: { shape: steps, steps: [{ at: 1s, value: 1 }] }',
    ['6:44 clients.workload.awake.steps.0.at: the first step must be at 0'],
  ],
];

describe('what is wrong is said with line and column', () => {
  it.each(WRONG)('%s', (_what, before, after, expected) => {
    expect(CHAIN).toContain(before);
    expect(placesOf(CHAIN.replace(before, after))).toEqual(expected);
  });

  const TIMELINE: readonly (readonly [string, string])[] = [
    ['{ at: 1s, action: stal, hop: db, lasts: 1s }', '20:23 timeline[0]: unknown action "stal"'],
    ['{ at: 1s, action: stall, hop: dbb, lasts: 1s }', '20:35 there is no hop named "dbb"'],
    [
      '{ at: 1s, action: stall, hop: nlb, lasts: 1s }',
      '20:35 stall needs app or database, but "nlb" is of kind l4-balancer',
    ],
    ['{ at: 1s, action: stall, hop: db }', '20:5 timeline[0].lasts: this must be given'],
    [
      '{ at: 1s, action: set, path: queue.activeMx, to: 1 }',
      '20:34 there is no setting "queue.activeMx"',
    ],
    [
      '{ at: 1s, action: set, path: queue.heldTimeout, to: 1s }',
      '20:34 queue.heldTimeout cannot change while running',
    ],
    [
      '{ at: 1s, action: set, path: queue.activeMax, to: 0 }',
      '20:55 queue.activeMax: 0 is out of range',
    ],
    [
      '{ at: 1s, action: set, path: clients.rate, to: 1/s }',
      '20:34 clients has a closed workload, which has no rate',
    ],
    ['{ at: 1s, action: set, path: queue.activeMax }', '20:5 timeline[0].to: this must be given'],
    [
      '{ at: 1s, action: host-down, hosts: ec3, lasts: 1s }',
      '20:41 there is no group of hosts named "ec3"',
    ],
    [
      '{ at: 1s, action: host-down, hosts: ec2, replica: 3, lasts: 1s }',
      '20:55 "ec2" has 3 hosts, numbered from 0',
    ],
    ['{ at: 1s, action: replace-nodes, hop: apigw, count: 9 }', '20:57 "apigw" has only 8 nodes'],
    [
      '{ at: 1s, action: stop-reading, hop: clients, share: 2, lasts: 1s }',
      '20:58 timeline[0].share: 2 is out of range',
    ],
    [
      '{ at: 1s, action: reset-connections, hop: clients, share: 1 }',
      '20:47 reset-connections needs a hop that accepts connections, ' +
        'but "clients" is of kind clients',
    ],
  ];

  it.each(TIMELINE)('timeline: %s', (entry, expected) => {
    expect(placesOf(`${CHAIN}timeline:\n  - ${entry}\n`)).toEqual([expected]);
  });

  it.each([
    ['[queue, queue]', '19:38 "queue" is already in a process'],
    ['[quee]', '19:31 there is no hop named "quee"'],
  ])('processes: %s', (hops, expected) => {
    expect(placesOf(`${CHAIN}processes: [{ name: a, hops: ${hops} }]\n`)).toEqual([expected]);
  });

  it.each([
    ['', '1:1 the document: expected a map, found nothing'],
    ['- 1', '1:1 the document: expected a map, found a list'],
    ['hops: []', '1:7 hops: this list must not be empty'],
    ['name: x', '1:1 hops: this must be given'],
    ['hops: [1]', '1:8 hops[0]: expected a map, found 1'],
    ['a: *b', '1:4 the alias *b has no anchor before it'],
    ['hops:\n\t- a', '2:1 a tab in the indentation'],
    ['\uFFFD\uFFFDhops: []', '1:1 this is no text in UTF-8'],
    ['name: x\nhops: [\0]', '2:8 this is no text in UTF-8'],
    ['a: 1\n---\nb: 1', '2:1 more than one document in this file'],
    ['hops: [{ name: a, kind: app }]', '1:1 no hop of kind clients'],
  ])('%j', (text, expected) => {
    expect(placesOf(text)).toContain(expected);
  });

  it('nesting that no reader can follow is told from a mistake of ours', () => {
    const [first] = problemsOf(`a: ${'['.repeat(20_000)}`);
    expect(first?.message).toBe('nested far too deeply');
  });

  it('circles are found once, where an upstream is written out', () => {
    const text = `hops:
  - { name: c, kind: clients }
  - { name: x, kind: edge }
  - { name: y, kind: gateway, upstream: x }
`;
    expect(placesOf(text)).toEqual(['4:41 requests go round in circles: x -> y -> x']);
  });

  it('everything at once, in the order of lines', () => {
    let text = CHAIN;
    for (const [what, before, after] of WRONG) {
      const chosen = ['a bare number', 'a wrong type', 'a pool upside down'].includes(what);
      if (chosen) text = text.replace(before, after);
    }
    const lines = problemsOf(text).map((one) => one.line);
    expect(lines).toEqual([2, 12, 17]);
  });

  it('moves with the lines before it, whatever ends them', () => {
    const text = CHAIN.replace('kind: gateway', 'kind: gatway');
    for (const end of ['\n', '\r\n']) {
      for (const before of [0, 1, 40]) {
        const moved = (`# é\n`.repeat(before) + text).replaceAll('\n', end);
        expect(problemsOf(moved)[0]).toMatchObject({
          line: 6 + before,
          column: 11,
          lineText: '    kind: gatway',
        });
      }
    }
  });

  it('suggests what was meant', () => {
    const suggestion = (text: string): string | null => problemsOf(text)[0]?.suggestion ?? null;
    const at = (before: string, after: string): string | null =>
      suggestion(CHAIN.replace(before, after));
    expect(at('kind: gateway', 'kind: gatway')).toBe('did you mean "gateway"?');
    expect(at('kind: gateway', 'kind: gateway\n    idleTimeout: 5s')).toBe(
      'did you mean "pool.idleTimeout"?',
    );
    expect(at('kind: gateway', 'kind: gateway\n    nods: 5')).toBe('did you mean "nodes"?');
    expect(at('kind: gateway', 'kind: gateway\n    throttle: { ratePerSecond: 200 }')).toBe(
      'write 200/s or 200/min',
    );
    expect(at('kind: clients', 'kind: clients\n    workload: { rate: 5/s }')).toBe(
      '"rate" belongs to kind: open',
    );
  });
});

describe('problems are printed', () => {
  it('with place, line, caret and suggestion', () => {
    const text = CHAIN.replace('kind: gateway', 'kind: gatway');
    expect(formatProblems(problemsOf(text))).toBe(
      `chain.yaml:6:11: error: apigw: unknown kind "gatway"
     6 |     kind: gatway
       |           ^
       = did you mean "gateway"?

1 error
`,
    );
  });

  it('without what a terminal would act on', () => {
    const text = 'name: x\nhops: [{ name: "\x1b[31m", kind: app }] # \x1b[2J \u200b\n';
    const printed = formatProblems(problemsOf(text));
    expect(printed).toContain('·[2J');
    expect(printed.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
  });

  it('with the part of a long line that matters, and tabs kept under tabs', () => {
    const lineText = `\t${'x'.repeat(500)}`;
    const one = { file: 'f', line: 1, message: 'm', suggestion: null, lineText };
    expect(formatProblems([{ ...one, column: 2 }]).split('\n')[2]).toBe('       | \t^');
    const far = formatProblems([{ ...one, column: 400 }]).split('\n');
    expect(far[1]?.length).toBeLessThan(140);
    expect(far[2]?.indexOf('^')).toBeLessThan(140);
  });

  it('nothing for none', () => {
    expect(formatProblems([])).toBe('');
  });
});
