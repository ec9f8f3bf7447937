/**
 * The simulator's speed: against SimPy on one tandem, on the incident's system, and as systems
 * grow.
 *
 *   node bench/simulator.mjs [--rounds 5] [--day 0.01]
 *
 * All figures are CPU time of one process, in one piece as `waterhammer` is, garbage collection
 * and compilation in other threads included. SimPy (Debian's python3-simpy3) models waiting and
 * service alone; so does our tandem, on the simulator's own parts. The incident's system is
 * simulated with every connection; `--day` lives through that share of a day of it, in rows of a
 * minute, and nothing else: all of it for 1, else as much at midnight, six, noon and six, and what
 * that would make of a day is said to be an extrapolation.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { median, options, report, spread, table } from './bench.mjs';

const PYTHON = '/usr/bin/python3';
const TANDEM_REQUESTS = 5_000_000;
const SIMPY_REQUESTS = 20_000;
const DAY_REQUESTS = 229e6;
const DAY_SECONDS = 86_400;
const STARTS = ['00:00', '06:00', '12:00', '18:00'];
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'waterhammer-bench-'));
const { rounds, day } = options({ rounds: 5, day: 0 });
const run = promisify(execFile);

async function json(program, ...args) {
  const { stdout } = await run(program, args.map(String));
  return JSON.parse(stdout);
}
const node = (script, ...args) =>
  json(process.execPath, '--max-old-space-size=16000', join(scratch, script), ...args);

/** Both programs in one piece each, as `waterhammer` itself is (program.config.ts). */
async function bundle() {
  const input = { speed: here('simulator/speed.mjs'), tandem: here('simulator/tandem.mjs') };
  const output = { entryFileNames: '[name].mjs', topLevelVar: false };
  const rolldownOptions = { input, output };
  await build({
    ...{ configFile: false, logLevel: 'error', ssr: { noExternal: true } },
    build: { ssr: true, outDir: scratch, emptyOutDir: false, minify: false, rolldownOptions },
  });
}

/** Requests per second of CPU, by turns. */
async function tandem() {
  if (spawnSync(PYTHON, ['-c', 'import simpy']).status !== 0) {
    const why = 'Skipped: SimPy is not there (Debian package python3-simpy3).';
    process.stdout.write(`${why}\n`);
    return why;
  }
  const ours = [];
  const theirs = [];
  const latencies = [[], []];
  let version = '';
  for (let round = 1; round <= rounds; round++) {
    const simpy = await json(PYTHON, here('simulator/tandem.py'), SIMPY_REQUESTS, round);
    const mine = await node('tandem.mjs', TANDEM_REQUESTS, round);
    version = simpy.version;
    theirs.push(simpy.requests / simpy.cpuSeconds);
    ours.push(mine.requests / mine.cpuSeconds);
    latencies[0].push(mine.latencyMs);
    latencies[1].push(simpy.latencyMs);
    process.stdout.write(
      `round ${round}: ${ours.at(-1).toFixed(0)} against ${theirs.at(-1).toFixed(0)}\n`,
    );
  }
  const ratios = ours.map((one, at) => one / theirs[at]);
  const rows = [
    ['our parts', spread(ours, 0), spread(ratios, 0), spread(latencies[0], 2)],
    [`SimPy ${version}`, spread(theirs, 0), '1', spread(latencies[1], 2)],
  ];
  const head = ['', 'requests per second of CPU', 'ratio', 'mean latency, ms'];
  const title = 'Six M/M/15 in a row, 1,000 requests/s, patience 250 ms, 3 attempts; wanted: 120.';
  return `${title}\n\n${table(head, rows)}`;
}

async function incident() {
  const costs = [];
  const memory = [];
  for (let round = 1; round <= rounds; round++) {
    const file = here('../examples/aws-2021.yaml');
    const one = await node('speed.mjs', file, 60, 120, round);
    costs.push((one.cpuSeconds / one.requests) * 1e6);
    memory.push(one.rssMb);
    process.stdout.write(`aws-2021: ${costs.at(-1).toFixed(2)} us per request\n`);
  }
  const minutes = (median(costs) * DAY_REQUESTS) / 1e6 / 60;
  return (
    '`aws-2021.yaml`, 66 hosts, 80,000 closed users, two minutes at noon after one of warming ' +
    `up: ${spread(costs, 2)} us of CPU per request, ${spread(memory, 0)} MB. At that, a day of ` +
    `229 million requests would take ${minutes.toFixed(0)} minutes (extrapolated; wanted: 5).`
  );
}

/** A share of a day: from midnight to midnight, or as much of each of its quarters. */
async function shareOfDay(share) {
  const file = here('../examples/aws-2021.yaml');
  const whole = share >= 1;
  const warm = whole ? 0 : 60;
  const seconds = whole ? DAY_SECONDS : Math.ceil((share * DAY_SECONDS) / STARTS.length / 60) * 60;
  const parts = [];
  for (const start of whole ? STARTS.slice(0, 1) : STARTS) {
    parts.push(await node('speed.mjs', file, warm, seconds, 1, 60, start));
    const { cpuSeconds, requests } = parts.at(-1);
    process.stdout.write(`${start}: ${requests} requests, ${cpuSeconds.toFixed(1)} s\n`);
  }
  const sum = (measure) => parts.reduce((total, part) => total + part[measure], 0);
  const lived = parts.length * seconds;
  const minutes = sum('cpuSeconds') / 60;
  const memory = Math.max(...parts.map((part) => part.rssMaxMb));
  const extrapolated = ((minutes * DAY_SECONDS) / lived).toFixed(0);
  return [
    `${((lived / DAY_SECONDS) * 100).toFixed(1)} % of a day of \`aws-2021.yaml\` `,
    'really lived through',
    whole ? '' : `, ${seconds / 60} minutes each from ${STARTS.join(', ')}`,
    `, a row a minute: ${(sum('requests') / 1e6).toFixed(1)} million requests in `,
    `${minutes.toFixed(1)} minutes of CPU, `,
    `${((sum('cpuSeconds') / sum('requests')) * 1e6).toFixed(2)} us per request, at most `,
    `${memory.toFixed(0)} MB (wanted: 300). `,
    whole ? 'Wanted: 5 minutes.' : `Extrapolated to a day: ${extrapolated} minutes (wanted: 5).`,
  ].join('');
}

/** Users keep their connection open; the rate stays what it is. */
function growing({ hosts, users }) {
  const pause = `exponential(${users / 500}s)`;
  const load = `{ kind: closed, thinkTime: ${pause}, startWithin: ${users / 500}s }`;
  return `name: growing
duration: 1s
hops:
  - { name: users, kind: clients, count: ${users}, pool: { idleTimeout: 0s }, workload: ${load} }
  - { name: gateway, kind: gateway, nodes: 8, clientIdleTimeout: 0s }
  - { name: nlb, kind: l4-balancer, idleTimeout: 6000s }
  - { name: queue, kind: connection-queue, activeMax: 1000 }
  - { name: nginx, kind: web-server, upstreamIdleMax: 32 }
  - { name: app, kind: app, serviceTime: exponential(5ms) }
  - { name: db, kind: database, serviceTime: exponential(1ms), connectionsMax: 100000 }
hosts: [ { name: host, count: ${hosts}, hops: [queue, nginx, app] } ]
`;
}

async function growth() {
  const sizes = [1, 10, 100, 1_000].map((hosts) => ({ hosts, users: 1_000 }));
  sizes.push(...[10_000, 100_000, 1_000_000].map((users) => ({ hosts: 10, users })));
  const rows = [];
  for (const size of sizes) {
    const file = join(scratch, 'growing.yaml');
    writeFileSync(file, growing(size));
    // Everybody has asked once when the clock starts, and what is compiled then is compiled: that
    // took longer than everything else where few requests had gone before.
    const warm = Math.max(300, Math.ceil(size.users / 500) + 20);
    const one = await node('speed.mjs', file, warm, 120, 1);
    const rate = one.events / one.cpuSeconds;
    rows.push([
      ...[size.hosts, size.users, one.open].map((count) => count.toLocaleString('en')),
      `${(rate / 1e3).toFixed(0)} k`,
      ((one.cpuSeconds / one.requests) * 1e6).toFixed(2),
      one.rssMb.toFixed(0),
    ]);
    process.stdout.write(`${rows.at(-1).join('  ')}\n`);
  }
  const head = ['hosts', 'users', 'open connections', 'events/s', 'us per request', 'MB'];
  const title = '500 requests/s through seven hops, users that keep their connection:';
  return `${title}\n\n${table(head, rows)}`;
}

/**
 * Two seeds, one after the other and on two cores; long enough that starting matters little, when
 * V8 compiles on the second core.
 */
async function cores() {
  const one = (seed) => node('speed.mjs', here('../examples/aws-2021.yaml'), 20, 880, seed);
  const gains = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    await one(1);
    await one(2);
    const between = performance.now();
    await Promise.all([one(1), one(2)]);
    gains.push((between - begun) / (performance.now() - between));
  }
  const times = `${spread(gains, 2)} times as fast as one after the other`;
  return `Two seeds at a time on two cores: ${times}.`;
}

try {
  await bundle();
  if (day > 0) report('Simulator, a day', await shareOfDay(day));
  else {
    const parts = [await tandem(), await incident(), await growth(), await cores()];
    report('Simulator', parts.join('\n\n'));
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
