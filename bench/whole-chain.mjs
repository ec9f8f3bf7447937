/**
 * The incident's whole chain at full size (66 hosts) under an open load of 4,000 requests/s, with
 * real nginx web servers and a real MariaDB: once with our hops, once with nginx as edge and
 * gateway and HAProxy as balancer and queue; the same load generator, app, database, recording.
 * In turns, several rounds, medians. Another rate has a section of its own in the results: on a
 * machine that 4,000/s is too much for, it tells what a request costs without overload.
 *
 *   node bench/whole-chain.mjs [--rounds 5] [--seconds 60] [--rate 4000] [--clients 4000]
 *
 * The chain is that of examples/aws-2021.yaml, in a healthy setting: our queue takes idle slots
 * back, nginx keeps connections to the app, and the gateway uses the connection first that was
 * used last (nginx has no other order); the app is the builtin one.
 *
 * What is not the example's: arrivals are open (Poisson) and without retries, so that no wait and
 * no failure is hidden. There are a tenth of the clients, because the sockets of clients and edges
 * share one process of ours and its 20,000 descriptors. The gateway has few nodes (2), because
 * HAProxy cannot take slots back: each pool keeps the connections of its own worst moment, and
 * beyond 15 on a host they hoard its slots.
 *
 * The load rises for 20 s (a cold start at full load is another question); then the window is
 * measured. The peers are tuned as their users tune them, one worker or thread each,
 * keep-alive everywhere, no access log: see src/live/foreign/nginx-proxy.ts and haproxy.ts.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { median, options, ROOT, report, spread, table } from './bench.mjs';
import { LiveRun, quantile } from './live-run.mjs';

const { rounds, seconds, rate, clients } = options({
  rounds: 5,
  seconds: 60,
  rate: 4_000,
  clients: 4_000,
});
const RAMP_SECONDS = 20;
const RAMP = [0.05, 0.1, 0.25, 0.5, 0.75];
/** 57 and 127 of 184 thousand requests a minute. */
const SHARES = { mobile: 57 / 184, embedded: 127 / 184 };

const OURS = {
  queue: { reclaim: 'idle-yield', whileHeld: 'watch' },
};
const PEERS = {
  'cf-mobile': { implementation: 'nginx' },
  'cf-embedded': { implementation: 'nginx' },
  apigw: { implementation: 'nginx' },
  nlb: { implementation: 'haproxy' },
  queue: { implementation: 'haproxy', reclaim: 'none', whileHeld: 'watch' },
};
const BOTH = {
  apigw: { nodes: 2, poolsPerNode: 1, pool: { reuse: 'lifo', idleTimeout: '60s' } },
  nginx: { implementation: 'nginx', upstreamIdleMax: 32 },
  // Longer than nginx keeps a connection to it, so that none is closed under a request.
  app: { implementation: 'builtin', keepAliveTimeout: '65s' },
  db: { implementation: 'mariadb' },
};

function chain(changes) {
  const document = parse(readFileSync(path.join(ROOT, 'examples/aws-2021.yaml'), 'utf8'));
  for (const hop of document.hops) {
    Object.assign(hop, BOTH[hop.name], changes[hop.name]);
    const share = SHARES[hop.name];
    if (share === undefined) continue;
    hop.count = Math.max(1, Math.round(clients * share));
    hop.workload = { kind: 'open', arrivals: 'poisson', rate: steps(rate * share) };
    hop.retry = { attemptsMax: 1 };
  }
  return { ...document, duration: `${RAMP_SECONDS + seconds}s` };
}

function steps(value) {
  const rising = RAMP.map((share, index) => ({
    at: `${(index * RAMP_SECONDS) / RAMP.length}s`,
    value: `${value * share}/s`,
  }));
  const full = { at: `${RAMP_SECONDS}s`, value: `${value}/s` };
  return { shape: 'steps', steps: [...rising, full] };
}

async function measure(changes) {
  const run = new LiveRun(chain(changes));
  try {
    await run.begun({ load: true });
    await pause(RAMP_SECONDS * 1_000);
    const measured = await run.measureCpu(Math.max(1, seconds - 2));
    run.keepLoadEvents();
    const summary = await run.summary();
    const { sent, ok, latenciesMs } = run.requests(RAMP_SECONDS, RAMP_SECONDS + seconds);
    const logged = await run.logged('nginx', measured.from, measured.to);
    const cpu = [...measured.cpu].map(([name, used]) => [name, (used * 1e6) / logged]);
    const wrong = summary.imbalances.filter(({ explained }) => !explained);
    for (const { kind, link, count, examples } of wrong) {
      process.stderr.write(`not balanced: ${count} ${kind} at ${link}: ${examples[0]}\n`);
    }
    return {
      balanced: summary.balanced,
      okPercent: (100 * ok) / sent,
      p50: quantile(latenciesMs, 0.5),
      p99: quantile(latenciesMs, 0.99),
      perSecond: logged / ((measured.to - measured.from) / 1_000),
      cpu: new Map(cpu),
      total: cpu.reduce((sum, [, micros]) => sum + micros, 0),
    };
  } finally {
    run.interrupt();
    await run.summary().catch(() => null);
    run.forget();
  }
}

const found = { ours: [], peers: [] };
for (let round = 0; round < rounds; round++) {
  for (const [name, changes] of Object.entries({ ours: OURS, peers: PEERS })) {
    const one = await measure(changes);
    found[name].push(one);
    const { okPercent, p50, p99, total, balanced } = one;
    process.stderr.write(
      `round ${round + 1}, ${name}: ${okPercent.toFixed(3)} % ok, p50 ${p50.toFixed(1)} ms, ` +
        `p99 ${p99.toFixed(1)} ms, ${total.toFixed(0)} us per request, balanced ${balanced}\n`,
    );
  }
}

const rows = [
  ['answered with 200, %', (one) => one.okPercent, 3],
  ['p50 ms, from the intended start', (one) => one.p50, 1],
  ['p99 ms, from the intended start', (one) => one.p99, 1],
  ['requests/s answered', (one) => one.perSecond, 0],
  ['**CPU per request, us**', (one) => one.total, 0],
].map(([what, pick, digits]) => [
  what,
  spread(found.ours.map(pick), digits),
  spread(found.peers.map(pick), digits),
  median(found.ours.map((one, i) => pick(one) / pick(found.peers[i]))).toFixed(2),
]);
const balanced = (runs) => `${runs.filter((one) => one.balanced).length} of ${runs.length}`;
rows.push(['books balanced', balanced(found.ours), balanced(found.peers), '']);

function byProcess(runs) {
  const names = new Set(runs.flatMap((one) => [...one.cpu.keys()]));
  return [...names].map((name) => [
    name,
    spread(
      runs.map((one) => one.cpu.get(name) ?? 0),
      0,
    ),
  ]);
}

const head = ['', 'ours', 'nginx and HAProxy', 'ratio'];
const cpuHead = ['process', 'CPU per request, us'];
report(
  rate === 4_000 ? 'Whole chain' : `Whole chain at ${rate} requests/s`,
  `${rounds} rounds of ${seconds} s in turns, ${rate} requests/s offered after a rise of ` +
    `${RAMP_SECONDS} s, ${clients} clients, 66 hosts; median (min .. max), ratio: median of the ` +
    `rounds. Load generator, app, database and recording included.\n\n${table(head, rows)}\n\n` +
    `Ours\n\n${table(cpuHead, byProcess(found.ours))}\n\n` +
    `nginx and HAProxy\n\n${table(cpuHead, byProcess(found.peers))}`,
);
