/**
 * The embedded database against a real MariaDB: point queries (a prepared SELECT by primary key)
 * from the same client, mysql2's `execute` on so many connections in a process of its own; then
 * what a request costs the app, with and without a query, on the embedded database.
 *
 *   node bench/database.mjs [--rounds 5] [--seconds 5] [--connections 32]
 *
 * Closed loop: each connection asks again when it has its answer. Both servers run in a process
 * of their own, as a hop of `waterhammer run --no-load`; the embedded one has no service time
 * and no limit of queries at a time here, and books every exchange. CPU is user and system time
 * of the process, all threads, divided by the answered queries.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, options, report, spread, table } from './bench.mjs';
import { hopAlone, inTurns } from './hop-alone.mjs';
import { cpuBetween, endsWithUs, processTree } from './processes.mjs';

const { rounds, seconds, connections } = options({ rounds: 5, seconds: 5, connections: 32 });
const CLIENT = fileURLToPath(new URL('./database-client/client.mjs', import.meta.url));
const WARM_UP_SECONDS = 3;

const database = { name: 'db', kind: 'database', serviceTime: '0s', concurrencyMax: 1_000 };
const embedded = { ...database, connectionsMax: 1_000 };
const mariadb = { ...embedded, implementation: 'mariadb' };

/** One round of the client; CPU of the server from outside, of the client from itself. */
async function query({ port, pid }, lasts) {
  const before = processTree(pid);
  const child = spawn(process.execPath, [CLIENT, port, connections, lasts]);
  endsWithUs(child);
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.pipe(process.stderr);
  await new Promise((resolve) => child.once('close', resolve));
  const used = [...cpuBetween(before, processTree(pid)).values()];
  const { queries, perSecond, cpuMicros } = JSON.parse(Buffer.concat(chunks).toString());
  const serverMicros = (used.reduce((sum, one) => sum + one, 0) * 1e6) / queries;
  return { perSecond, serverMicros, clientMicros: cpuMicros / queries };
}

async function queries() {
  const chains = new Map();
  for (const [name, db] of [
    ['embedded', embedded],
    ['MariaDB', mariadb],
  ]) {
    const chain = await hopAlone(`db-${name}`, [], { more: [db] });
    chains.set(name, { ...chain, port: chain.portOf('db'), pid: chain.pids.get('db') });
  }
  const found = new Map([...chains.keys()].map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, chain] of chains) {
      const one = await query(chain, round < 0 ? WARM_UP_SECONDS : seconds);
      if (round >= 0) found.get(name).push(one);
      process.stderr.write(
        `${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}: ` +
          `${one.perSecond.toFixed(0)}/s, ` +
          `${one.serverMicros.toFixed(1)} us server, ${one.clientMicros.toFixed(1)} us client\n`,
      );
    }
  }
  for (const { stop } of chains.values()) await stop();
  const peers = found.get('MariaDB');
  return [...found].map(([name, all]) => [
    name,
    spread(
      all.map((one) => one.perSecond),
      0,
    ),
    median(all.map((one, i) => one.perSecond / peers[i].perSecond)).toFixed(2),
    spread(all.map((one) => one.serverMicros)),
    spread(all.map((one) => one.clientMicros)),
  ]);
}

async function app() {
  const fronts = new Map();
  for (const implementation of ['builtin', 'node']) {
    const behind = { implementation };
    fronts.set(`${implementation}, no query`, await hopAlone('app', [], { behind }));
    const asking = { behind: { implementation, pool: { max: 16 } }, more: [embedded] };
    fronts.set(`${implementation}, one query`, await hopAlone('app-db', [], asking));
  }
  const found = await inTurns(fronts, { title: 'app', rounds, seconds });
  for (const { stop } of fronts.values()) await stop();
  return [...found].map(([name, all]) => [
    name,
    spread(all.map((one) => one.cpuMicros)),
    spread(
      all.map((one) => one.perSecond),
      0,
    ),
    spread(all.map((one) => one.p99)),
  ]);
}

const HEAD = ['server', 'queries/s', 'ratio', 'CPU per query, us, server', 'client (mysql2)'];
const rows = await queries();
const appRows = await app();
report(
  'Database',
  `${rounds} rounds of ${seconds} s in turns; median (min .. max), ratio to MariaDB: ` +
    `median of the rounds. ${connections} connections, closed loop.\n\n` +
    `${table(HEAD, rows)}\n\n` +
    'The app alone under wrk with 64 connections, its database embedded in another process:\n\n' +
    `${table(['app', 'CPU per request, us', 'requests/s', 'p99 ms'], appRows)}`,
);
