/**
 * How fast a topology is simulated: per-second series and all, as `simulate --detail series`.
 * The first part of the time is lived through before the clock starts, while code is compiled
 * and connections are opened.
 *
 *   node bench/simulator/speed.mjs TOPOLOGY WARM_SECONDS SECONDS [SEED] [SECONDS_PER_ROW]
 *
 * Prints a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { Simulation } from '../../dist/sim/index.js';
import { parseTopology } from '../../dist/topology/index.js';

const [file, warm, seconds, seed, secondsPerRow] = process.argv.slice(2);
const duration = Number(warm) + Number(seconds);
const parsed = parseTopology(readFileSync(file, 'utf8'), file, {
  ...{ set: [`duration=${duration}s`], scale: 1, timeScale: 1 },
});
if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
const simulation = new Simulation({
  ...{ topology: parsed.topology, topologyHash: '', version: '', seed: Number(seed ?? 1) },
  ...{ recorder: null, onSecond: () => {}, secondsPerRow: Number(secondsPerRow ?? 1) },
});
let began = process.cpuUsage();
let events = 0;
while (!simulation.step(10_000)) {
  if (events > 0 || simulation.now < Number(warm) * 1e6) continue;
  began = process.cpuUsage();
  events = simulation.engine.events;
}
const { user, system } = process.cpuUsage(began);
simulation.finish();
const summary = simulation.measured();
const sent = summary.clients.reduce((sum, { requests }) => sum + requests.sent, 0);
const open = summary.links.reduce((sum, link) => sum + link.open, 0);
const share = Number(seconds) / duration;
const result = {
  ...{ cpuSeconds: (user + system) / 1e6, events: simulation.engine.events - events },
  ...{ requests: Math.round(sent * share), open, balanced: summary.balanced },
  rssMb: process.memoryUsage().rss / 1e6,
  rssMaxMb: process.resourceUsage().maxRSS / 1e3,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
