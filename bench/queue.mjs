/**
 * The connection queue alone, in its own process of a `waterhammer run --no-load` with its
 * default recording, against HAProxy in mode tcp (and nginx stream, where nginx has it), all in
 * front of the same kind of app (a process of its own): CPU per request under wrk with 64
 * keep-alive connections and with a connection per request, and memory per held connection.
 *
 *   node bench/queue.mjs [--rounds 5] [--seconds 5] [--held 5000]
 *
 * Closed loop, in turns: each is asked as fast as wrk, the app and itself allow on this machine.
 * CPU is that of the relaying process (ours with its supervisor), user and system, divided by
 * the requests that wrk counted. HAProxy: one thread, `maxconn` on its server. Memory is the
 * growth of anonymous resident pages; held connections are either silent or have sent a request.
 */
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { median, options, report, spread, table } from './bench.mjs';
import { hopAlone, inTurns, RELAY_HEAD, relayRows } from './hop-alone.mjs';
import { haproxy, hasStream, nginx } from './peers.mjs';
import { residentBytes } from './processes.mjs';

const { rounds, seconds, held } = options({ rounds: 5, seconds: 5, held: 5_000 });

/** Our queue and the app behind it. */
function ours(activeMax) {
  const more = { activeMax, whileHeld: 'watch', reclaim: 'idle-yield' };
  return hopAlone(`queue-${activeMax}`, [{ name: 'queue', kind: 'connection-queue', ...more }]);
}

/** The same app for the peers: what they open must not be in the books of our queue's run. */
const forPeers = () => hopAlone('peers', []);

/** `count` connections that stay; `text` is what each sends. */
async function hold(port, count, text) {
  const sockets = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () =>
      connect(port, text),
    );
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

function connect(port, text) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      if (text !== '') socket.write(text);
      resolve(socket);
    });
    socket.on('error', reject);
  });
}

/** Bytes per connection that a process grows by for so many held ones. */
async function memory({ pid, port }, text) {
  // The first thousand warm it up: code, pools and tables that do not grow with connections.
  const first = await hold(port, 1_000, text);
  await pause(1_000);
  const before = residentBytes(pid);
  const more = await hold(port, held - 1_000, text);
  await pause(3_000);
  const grown = residentBytes(pid) - before;
  for (const socket of [...first, ...more]) socket.destroy();
  await pause(1_000);
  return grown / more.length;
}

const SILENT = '';
const ASKING = 'GET /items/1 HTTP/1.1\r\nHost: a\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n';

async function speed() {
  const queue = await ours(1_000);
  const upstream = await forPeers();
  const server = `server app 127.0.0.1:${upstream.port}`;
  const fronts = new Map([
    ['ours', queue],
    ['HAProxy', await haproxy({ mode: 'tcp', lines: [`${server} maxconn 1000`] })],
  ]);
  if (hasStream()) {
    const blocks = (port) =>
      `stream { server { listen 127.0.0.1:${port} backlog=4096; ` +
      `proxy_pass 127.0.0.1:${upstream.port}; } }`;
    fronts.set('nginx stream', await nginx({ stream: true, blocks }));
  }
  const cases = [
    ['64 keep-alive connections', false],
    ['a connection per request', true],
  ];
  const rows = [];
  for (const [title, close] of cases) {
    const found = await inTurns(fronts, { title, close, rounds, seconds });
    rows.push(...relayRows(title, found, 'HAProxy'));
  }
  const balanced = await queue.stop();
  for (const [name, { stop }] of fronts) if (name !== 'ours') await stop();
  await upstream.stop();
  return { rows, balanced };
}

async function weight() {
  const rows = [];
  const upstream = await forPeers();
  for (const [title, text] of [
    ['silent', SILENT],
    ['with a request', ASKING],
  ]) {
    const found = { ours: [], peer: [] };
    for (let round = 0; round < rounds; round++) {
      const queue = await ours(1);
      // A slot that is never free: its client says nothing (and nobody takes it back: silence
      // before the first byte is not idleness).
      const front = await haproxy({
        mode: 'tcp',
        lines: [`server app 127.0.0.1:${upstream.port} maxconn 1`],
      });
      found.ours.push(await memory(queue, text));
      found.peer.push(await memory(front, text));
      await front.stop();
      await queue.stop();
      process.stderr.write(`held, ${title}: ${found.ours.at(-1)} and ${found.peer.at(-1)} bytes\n`);
    }
    const kilobytes = (bytes) => spread(bytes.map((one) => one / 1_024));
    const ratio = median(found.ours.map((one, i) => one / found.peer[i])).toFixed(2);
    rows.push([title, kilobytes(found.ours), kilobytes(found.peer), ratio]);
  }
  await upstream.stop();
  return rows;
}

const { rows, balanced } = await speed();
const held5000 = await weight();
report(
  'Queue alone',
  `${rounds} rounds of ${seconds} s in turns; median (min .. max), ratio to HAProxy: median of ` +
    `the rounds. wrk with 64 connections, closed loop; books balanced: ${balanced}.` +
    `${hasStream() ? '' : ' nginx has no stream module here.'}\n\n` +
    `${table(RELAY_HEAD, rows)}\n\n` +
    `Memory per held connection, KiB, ${held} of them, activeMax 1:\n\n` +
    `${table(['held connections', 'ours', 'HAProxy', 'ratio'], held5000)}`,
);
