/**
 * How long should the queue wait before it takes an idle slot (`reclaimAfter`, N)? Too short
 * yields connections whose response only pauses (overcommit), too long leaves waiters waiting:
 * rate x (service + N) must stay below the slots. 60 clients at two paces, several N in turns.
 */
import { report, run, spread, table } from './bench.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const SECONDS = 5;
const NS = ['0', '1ms', '2ms', '5ms', '10ms', '20ms', '50ms'];
const paces = [
  ['60 clients, think 200 ms (about 290 requests/s)', '200ms'],
  ['60 clients, think 50 ms (about 1,000 requests/s)', '50ms'],
];

const parts = [];
for (const [title, think] of paces) {
  const found = new Map(NS.map((n) => [n, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const n of NS) {
      const set = [
        'queue.reclaim=idle-yield',
        `queue.reclaimAfter=${n}`,
        `clients.workload.thinkTime=${think}`,
      ];
      const summary = await run([
        'examples/golden-connections.yaml',
        '--duration',
        `${SECONDS}s`,
        ...set.flatMap((one) => ['--set', one]),
      ]);
      found.get(n).push(summary);
      process.stderr.write(`${title}: round ${round + 1}, N ${n}\n`);
    }
  }
  const rows = NS.map((n) => {
    const all = found.get(n);
    const clients = all.map((one) => one.clients[0]);
    return [
      n,
      spread(
        clients.map((one) => one.requests.answered / SECONDS),
        0,
      ),
      spread(clients.map((one) => one.latencyMs.p50)),
      spread(clients.map((one) => one.latencyMs.p99)),
      spread(
        all.map((one) => one.queues[0].yielded),
        0,
      ),
      spread(
        all.map((one) => one.queues[0].overcommit),
        0,
      ),
    ];
  });
  const head = ['N', 'requests/s', 'p50 ms', 'p99 ms', 'yields', 'overcommit'];
  parts.push(`${title}\n\n${table(head, rows)}`);
}
report(
  'Reclaim after N',
  `${ROUNDS} rounds of ${SECONDS} s in turns; median (min .. max). 15 slots, 5 ms ` +
    `service.\n\n${parts.join('\n\n')}`,
);
