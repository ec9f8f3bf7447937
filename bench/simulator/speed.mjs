/**
 * How fast a topology is simulated: per-second series and all, as `simulate --detail series`.
 * The first part of the time is lived through before the clock starts, while code is compiled
 * and connections are opened.
 *
 *   node bench/simulator/speed.mjs TOPOLOGY WARM_SECONDS SECONDS [SEED] [SECONDS_PER_ROW] [START]
 *
 * Prints a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { Simulation } from '../../dist/sim/index.js';
import { parseTopology } from '../../dist/topology/index.js';

// As `simulate` does.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000');
const [file, warm, seconds, seed, secondsPerRow, start] = process.argv.slice(2);
const duration = Number(warm) + Number(seconds);
const parsed = parseTopology(readFileSync(file, 'utf8'), file, {
  set: [`duration=${duration}s`, ...(start === undefined ? [] : [`startTimeOfDay=${start}`])],
  ...{ scale: 1, timeScale: 1 },
});
if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
const simulation = new Simulation({
  ...{ topology: parsed.topology, topologyHash: '', version: '', seed: Number(seed ?? 1) },
  ...{ recorder: null, onSecond: () => {}, secondsPerRow: Number(secondsPerRow ?? 1) },
});
// Short steps until the clock starts, so that it starts on time.
while (simulation.now < Number(warm) * 1e6 && !simulation.step(100));
const began = process.cpuUsage();
const { events, now } = simulation.engine;
while (!simulation.step(10_000));
const { user, system } = process.cpuUsage(began);
simulation.finish();
const summary = simulation.measured();
let requests = 0;
for (const { measure, second, value } of simulation.rows()) {
  if (measure === 'sent' && second * 1e6 > now - 1e6) requests += value ?? 0;
}
const open = summary.links.reduce((sum, link) => sum + link.open, 0);
const result = {
  ...{ cpuSeconds: (user + system) / 1e6, events: simulation.engine.events - events },
  ...{ requests, open, balanced: summary.balanced },
  rssMb: process.memoryUsage().rss / 1e6,
  rssMaxMb: process.resourceUsage().maxRSS / 1e3,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
