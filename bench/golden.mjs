/**
 * Golden connections: 60 keep-alive clients behind a queue of 15 slots, without reclaim, with
 * idle-yield, and without any queue; in turns, several rounds, medians.
 */
import { report, run, spread, table } from './bench.mjs';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = 10;
const GOLDEN = 'examples/golden-connections.yaml';
const cases = [
  ['no queue', ['examples/golden-no-queue.yaml']],
  ['idle-yield', [GOLDEN, '--set', 'queue.reclaim=idle-yield']],
  ['reclaim none', [GOLDEN]],
];

const found = new Map(cases.map(([name]) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, args] of cases) {
    const summary = await run([...args, '--duration', `${SECONDS}s`]);
    found.get(name).push(summary.clients[0]);
    process.stderr.write(`round ${round + 1}: ${name}\n`);
  }
}
const free = found.get('no queue');
const rows = cases.map(([name]) => {
  const clients = found.get(name);
  const share = clients.map((one, i) => (100 * one.requests.answered) / free[i].requests.answered);
  return [
    name,
    spread(
      clients.map((one) => one.served),
      0,
    ),
    spread(
      clients.map((one) => one.requests.failed),
      0,
    ),
    spread(share),
    spread(clients.map((one) => one.latencyMs.p50)),
    spread(clients.map((one) => one.latencyMs.p99)),
  ];
});
report(
  'Golden connections',
  `${ROUNDS} rounds of ${SECONDS} s in turns; median (min .. max). 60 closed users, 200 ms ` +
    `think time, 5 ms service.\n\n${table(
      ['case', 'clients served of 60', 'failed', 'requests, % of no queue', 'p50 ms', 'p99 ms'],
      rows,
    )}`,
);
