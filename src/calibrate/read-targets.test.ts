import { expect, it } from 'vitest';
import { readTargets } from './read-targets.ts';

const GOOD = `
windows:
  calm: { from: 1m, lasts: 2m, scale: 0.5 }
  spike: { document: spike.yaml, set: [db.concurrencyMax=4], lasts: 5m, once: true }
parameters:
  - { path: apigw.nodes, between: [1, 16], spacing: log }
  - { path: apigw.pool.idleTimeout, between: [1s, 1m] }
  - { path: apigw.pool.reuse, values: [lifo, fifo] }
targets:
  - { name: flows, window: calm, measure: nlb.NewFlowCount, between: [10, 20], use: fit }
  - name: active
    window: spike
    measure: [nlb.ActiveFlowCount]
    statistic: max
    minutes: [2, 3]
    over: calm
    between: [6, 10]
    use: predict
`;

it('reads windows, parameters and targets', () => {
  const read = readTargets(GOOD, 'good.yaml');
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  expect(read.windows).toEqual([
    { name: 'calm', document: null, set: [], from: 60e6, lasts: 120e6, scale: 0.5, once: false },
    {
      name: 'spike',
      document: 'spike.yaml',
      set: ['db.concurrencyMax=4'],
      from: 0,
      lasts: 300e6,
      scale: 1,
      once: true,
    },
  ]);
  expect(read.parameters.map(({ range }) => range)).toEqual([
    { kind: 'between', low: 1, high: 16, unit: 'whole', spacing: 'log' },
    { kind: 'between', low: 1e6, high: 60e6, unit: 'duration', spacing: 'linear' },
    { kind: 'values', values: ['lifo', 'fifo'] },
  ]);
  expect(read.targets[1]).toMatchObject({
    over: 'calm',
    low: 6,
    high: 10,
    minutes: [2, 3],
    weight: 1,
    factor: null,
  });
});

it('reports everything that is wrong at once, each where it stands', () => {
  const read = readTargets(
    GOOD.replace('window: calm, measure', 'window: clam, measure')
      .replace('over: calm', 'over: clam')
      .replace('[6, 10]', '[10, 6]')
      .replace('[2, 3]', '[3, 2]')
      .replace('[1s, 1m]', '[1m, 1s]')
      .replace('statistic: max', 'statistic: minutesAbove')
      .replaceAll('use: fit', 'use: predict'),
    'bad.yaml',
  );
  if (!('problems' in read)) throw new Error('this should not have been read');
  expect(read.problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
    '7: the lower end comes first',
    '10: no target is fitted',
    '10: no window "clam"',
    '14: minutesAbove needs a bound',
    '15: the first minute comes first',
    '16: no window "clam"',
    '17: the lower end comes first',
  ]);
});

it('names a key that it does not know and a time that is none, with their places', () => {
  const text = GOOD.replace('scale: 0.5', 'size: 0.5').replace('lasts: 5m', 'lasts: soon');
  const read = readTargets(text, 'bad.yaml');
  if (!('problems' in read)) throw new Error('this should not have been read');
  expect(read.problems).toHaveLength(2);
  expect(read.problems[0]).toMatchObject({ file: 'bad.yaml', line: 3 });
  expect(read.problems[0]?.message).toContain('size');
  expect(read.problems[1]?.message).toContain('soon');
});

it('says what was expected in the words of topology documents', () => {
  const text = GOOD.replace('lasts: 5m', 'lasts: [5m]')
    .replace('use: fit', 'use: fitt')
    .replace('[1s, 1m]', '[1s]')
    .replace('windows:', 'widows: 1\nwindows:');
  const read = readTargets(text, 'bad.yaml');
  if (!('problems' in read)) throw new Error('this should not have been read');
  const said = read.problems.map(({ message, suggestion }) => [message, suggestion]);
  expect(said).toContainEqual(['the document has no setting "widows"', 'did you mean "windows"?']);
  expect(said).toContainEqual([
    expect.stringMatching(/use: expected one of fit, predict; f/),
    null,
  ]);
  expect(said.flat().join()).not.toMatch(/Invalid|Unrecognized|Too small|received/);
  expect(said).toHaveLength(4);
});

it('passes on what is wrong with the YAML itself', () => {
  const read = readTargets('windows: [', 'bad.yaml');
  expect('problems' in read && read.problems.length).toBeGreaterThan(0);
});
