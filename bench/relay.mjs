/**
 * Our L7 relays alone (gateway, and the builtin web server) as HTTP proxies with keep-alive on
 * both sides, against nginx and HAProxy in mode http, all in front of the same kind of app.
 *
 *   node bench/relay.mjs [--rounds 5] [--seconds 5]
 *
 * Closed loop with 64 connections, in turns. p99 in a closed loop compares at the load that each
 * reaches by itself, so that a slower relay is also asked less often. CPU is that of the relaying
 * process, divided by the requests that wrk counted. Peers: one worker or thread, keep-alive to
 * the app (HAProxy `http-reuse always`), no access log. Books and recording are on in ours.
 */
import { options, report, table } from './bench.mjs';
import { hopAlone, inTurns, RELAY_HEAD, relayRows } from './hop-alone.mjs';
import { haproxy, nginxProxy } from './peers.mjs';

const { rounds, seconds } = options({ rounds: 5, seconds: 5 });

const gateway = {
  name: 'apigw',
  kind: 'gateway',
  nodes: 1,
  throttle: { ratePerSecond: '1000000/s', burst: 1_000_000 },
};
const web = { name: 'web', kind: 'web-server', upstreamIdleMax: 128, keepAliveRequests: 0 };

const upstream = await hopAlone('peers', []);
const server = `server app 127.0.0.1:${upstream.port}`;
const fronts = new Map([
  ['our gateway', await hopAlone('gateway', [gateway])],
  ['our web server', await hopAlone('web', [web])],
  ['nginx', await nginxProxy(upstream.port)],
  ['HAProxy', await haproxy({ mode: 'http', lines: ['http-reuse always', server] })],
]);
const title = '64 keep-alive connections';
const found = await inTurns(fronts, { title, rounds, seconds });
const balanced = [];
for (const [name, { stop }] of fronts) {
  const books = await stop();
  if (name.startsWith('our')) balanced.push(`${name} ${books}`);
}
await upstream.stop();
report(
  'L7 relay',
  `${rounds} rounds of ${seconds} s in turns; median (min .. max), ratios to nginx: median of ` +
    `the rounds. wrk with 64 keep-alive connections, closed loop; books balanced: ` +
    `${balanced.join(', ')}.\n\n${table(RELAY_HEAD, relayRows(title, found, 'nginx'))}`,
);
