/**
 * Soak: every hop of ours for 20 minutes at 2,000 requests/s, with a fault every 30 s. Memory must
 * stay flat, no descriptor may be left behind, and the books must balance to the last connection.
 *
 *   node bench/soak.mjs [--minutes 20] [--rate 2000] [--hosts 12] [--every 30]
 *
 * Memory (anonymous resident pages) and descriptors of each process are read every 10 s and
 * shown as the median of each part of the run; what counts is the calm before each fault, so
 * that is when they are read too. Flat means: the median of the last third is at most a tenth
 * and 20 MiB above that of the second third (the first one is warm-up), and so for descriptors
 * (a tenth and 50). Pools are bounded, as a deployment's are, because a stall under an open load
 * would otherwise open connections until no descriptor is left. Everything is
 * recorded; 20 minutes take about 3 GB of disk meanwhile.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { median, options, report, table } from './bench.mjs';
import { LiveRun } from './live-run.mjs';
import { descriptors, residentBytes } from './processes.mjs';

const { minutes, rate, hosts, every } = options({
  minutes: 20,
  rate: 2_000,
  hosts: 12,
  every: 30,
});
const READ_EVERY_SECONDS = 10;
const WARM_UP_SECONDS = 20;
const MIB = 2 ** 20;

/** One after the other, again and again; `replica` walks over the hosts. */
const FAULTS = [
  { action: 'stall', hop: 'db', lasts: '2s' },
  { action: 'replace-nodes', hop: 'apigw', count: 1 },
  { action: 'host-down', hosts: 'ec2', lasts: '5s' },
  { action: 'reset-connections', hop: 'queue', share: 0.3 },
  { action: 'slow', hop: 'app', factor: 5, lasts: '5s' },
  { action: 'stop-reading', hop: 'clients', share: 0.1, lasts: '5s' },
  { action: 'deregister', hosts: 'ec2', lasts: '5s' },
  { action: 'reset-connections', hop: 'app', share: 0.5 },
];

function timeline() {
  const times = Math.floor((minutes * 60 - WARM_UP_SECONDS) / every);
  return Array.from({ length: times }, (_none, index) => {
    const fault = FAULTS[index % FAULTS.length];
    const replica = 'hosts' in fault ? { replica: index % hosts } : {};
    return { at: `${WARM_UP_SECONDS + index * every}s`, ...fault, ...replica };
  });
}

const clients = {
  name: 'clients',
  kind: 'clients',
  habit: 'embedded',
  count: Math.round(rate / 2),
  timeout: '10s',
  workload: {
    kind: 'open',
    arrivals: 'poisson',
    rate: {
      shape: 'steps',
      steps: [0.1, 0.4, 0.7, 1].map((share, i) => ({
        at: `${i * 4}s`,
        value: `${rate * share}/s`,
      })),
    },
  },
};
const document = {
  name: 'soak',
  duration: `${minutes * 60}s`,
  hops: [
    clients,
    { name: 'cdn', kind: 'edge', clientIdleTimeout: '65s', pool: { connectionsMax: 400 } },
    { name: 'apigw', kind: 'gateway', nodes: 4, pool: { connectionsMax: 100 } },
    { name: 'nlb', kind: 'l4-balancer', healthCheck: { hop: 'nginx', interval: '2s' } },
    { name: 'queue', kind: 'connection-queue', reclaim: 'idle-yield', whileHeld: 'watch' },
    { name: 'nginx', kind: 'web-server', keepAliveRequests: 100, upstreamIdleMax: 32 },
    {
      name: 'app',
      kind: 'app',
      implementation: 'builtin',
      serviceTime: 'exponential(5ms)',
      keepAliveTimeout: '65s',
    },
    { name: 'db', kind: 'database', concurrencyMax: 16, connectionsMax: 1_000 },
  ],
  hosts: [{ name: 'ec2', count: hosts, hops: ['queue', 'nginx', 'app'] }],
  timeline: timeline(),
};

const run = new LiveRun(document);
await run.begun({ load: true });
const processes = new Map([...run.processes(), ['supervisor', run.pid]]);
const samples = [];
for (let at = READ_EVERY_SECONDS; at < minutes * 60 - 1 && !run.isOver; at += READ_EVERY_SECONDS) {
  await pause(READ_EVERY_SECONDS * 1_000);
  if (run.isOver) break;
  const one = new Map();
  for (const [name, pid] of processes) {
    one.set(name, { memory: residentBytes(pid) / MIB, descriptors: descriptors(pid) });
  }
  samples.push(one);
  const shown = [...one].map(
    ([name, { memory, descriptors: open }]) => `${name} ${memory.toFixed(0)} MiB ${open} fd`,
  );
  process.stderr.write(`${at} s: ${shown.join('; ')}\n`);
}
const summary = await run.summary();
run.forget();

/** Medians of the thirds of the run, and whether the last one is no more than the second. */
function thirds(name, what, allowed) {
  const values = samples.map((one) => one.get(name)[what]);
  const third = Math.ceil(values.length / 3);
  const parts = [0, 1, 2].map((part) => median(values.slice(part * third, (part + 1) * third)));
  return { parts, flat: parts[2] <= parts[1] * 1.1 + allowed };
}

const rows = [...processes.keys()].flatMap((name) =>
  [
    ['memory', 20, 'memory, MiB'],
    ['descriptors', 50, 'descriptors'],
  ].map(([what, allowed, title]) => {
    const { parts, flat } = thirds(name, what, allowed);
    return [name.replace(/ \(\d+\)$/, ''), title, ...parts.map((one) => one.toFixed(0)), `${flat}`];
  }),
);
const [{ requests }] = summary.clients;
const wrong = summary.imbalances.filter((one) => !one.explained);
const connections = summary.links.reduce((sum, one) => sum + one.opened, 0);
report(
  'Soak',
  `${minutes} minutes at ${rate} requests/s on ${hosts} hosts, ` +
    `${document.timeline.length} faults ` +
    `(${FAULTS.map((one) => one.action).join(', ')}, one every ${every} s). Books ` +
    `balanced: **${summary.balanced}** (${connections} connections on all links, ` +
    `${wrong.length} kinds of imbalance). Requests: ${requests.sent} sent, ` +
    `${requests.ok} answered with 200, ${requests.serverErrors5xx} with 5xx, ` +
    `${requests.failed} failed, ` +
    `${requests.pending} pending.\n\n` +
    `${table(['process', '', 'first third', 'second', 'last', 'flat'], rows)}` +
    wrong.map((one) => `\n\n* ${one.kind}: ${one.text} (${one.count})`).join(''),
);
const flat = rows.every((row) => row.at(-1) === 'true');
process.exitCode = summary.balanced === true && flat ? 0 : 1;
