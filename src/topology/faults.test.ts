/** `faults` of a document: everything wrong is said at once; scales change what they should. */
import { expect, test } from 'vitest';
import { parseTopology } from './index.ts';
import type { Problem } from './problem.ts';

const HOPS = `name: faults
hops:
  - { name: clients, kind: clients, count: 1 }
  - { name: apigw, kind: gateway, nodes: 8 }
  - { name: nlb, kind: l4-balancer }
  - { name: app, kind: app }
  - { name: db, kind: database }
hosts:
  - { name: ec2, count: 4, hops: [app] }
`;
const options = { set: [], scale: 1, timeScale: 1 };

const WRONG = `${HOPS}faults:
  - { every: 1h, action: slwo, hop: db, lasts: 1s }
  - { every: 1h, action: slow, hop: dbb, factor: 2, lasts: 1s }
  - { every: exponental(1h), action: stall, hop: db, lasts: 1s }
  - { every: 1h, action: slow, hop: db, factor: "uniform(9, 4)", lasts: 1s }
  - { every: 1h, action: reset-connections, hop: db, share: 3 }
  - { every: 1h, action: host-down, hosts: ec3, lasts: 1s }
  - { every: 1h, action: replace-nodes, hop: app, count: 1 }
  - { every: 1h, action: stall, hop: db, last: 1s }
  - { action: stall, hop: app, lasts: 1s, name: once }
  - { action: stall, hop: app, lasts: 1s, name: once, every: 1d }
`;

/** By the line below `faults:`. */
function placeAndWords({ line, message, suggestion }: Problem): unknown[] {
  return [line - 10, message, suggestion];
}

test('all mistakes at once, each with its place and what may have been meant', () => {
  const parsed = parseTopology(WRONG, 'f.yaml', options);
  if (!('problems' in parsed)) throw new Error('all of this is wrong');
  const found = parsed.problems.map(placeAndWords);
  expect(found).toMatchInlineSnapshot(`
    [
      [
        1,
        "faults[0]: unknown action "slwo"",
        "did you mean "slow"?",
      ],
      [
        2,
        "there is no hop named "dbb"",
        "did you mean "db"?",
      ],
      [
        3,
        "faults[2].every: unknown distribution "exponental"",
        "did you mean "exponential"?",
      ],
      [
        4,
        "faults[3].factor: uniform: min is more than max",
        "swap the two",
      ],
      [
        5,
        "faults[4].share: 3 is out of range",
        "write a number from 0 to 1",
      ],
      [
        6,
        "there is no group of hosts named "ec3"",
        "did you mean "ec2"?",
      ],
      [
        7,
        "replace-nodes needs gateway, but "app" is of kind app",
        "choose from: apigw",
      ],
      [
        8,
        "faults[7].lasts: this must be given",
        null,
      ],
      [
        8,
        "two faults are named "stall-db", and would happen at the same times",
        "give one of them another name, such as name: stall-db-2",
      ],
      [
        8,
        "faults[7] has no setting "last"",
        "did you mean "lasts"?",
      ],
      [
        9,
        "once.every: this must be given",
        null,
      ],
      [
        10,
        "two faults are named "once", and would happen at the same times",
        "give one of them another name, such as name: once-2",
      ],
    ]
  `);
});

test('what is no list is said to be none', () => {
  const parsed = parseTopology(`${HOPS}faults: random\n`, 'f.yaml', options);
  expect(parsed).toMatchObject({ problems: [{ line: 10 }] });
});

test('time scale stretches gaps and lengths, scale the nodes that are replaced', () => {
  const text = `${HOPS}faults:
  - { every: exponential(1h), action: replace-nodes, hop: apigw, count: "uniform(2, 4)" }
  - every: 10s
    action: slow-requests
    hop: app
    share: 0.5
    extra: exponential(2s)
    lasts: lognormal(median 30s, p99 60s)
`;
  const parsed = parseTopology(text, 'f.yaml', { set: [], scale: 0.5, timeScale: 0.1 });
  expect(parsed).toMatchObject({
    topology: {
      faults: [
        {
          name: 'replace-nodes-apigw',
          every: { kind: 'exponential', mean: 360e6 },
          count: { kind: 'uniform', min: 1e6, max: 2e6 },
          lasts: null,
        },
        {
          every: { kind: 'constant', value: 1e6 },
          share: { kind: 'constant', value: 0.5e6 },
          extra: { kind: 'exponential', mean: 0.2e6 },
          lasts: { kind: 'lognormal', median: 3e6, p99: 6e6 },
        },
      ],
    },
  });
});
