/**
 * What the page costs, in headless Chromium without a GPU. Each part prints, and writes a section
 * of RESULTS.md, as soon as it is over:
 *
 *   weight        all its files, gzipped
 *   frames        pictures of the pipeline a second while time passes, 20,000 connections open
 *   first-chart   of a recorded day of the incident's chain
 *   memory        of a page that is told an hour of a live run as fast as it takes it
 *   stream        CPU time of a run that is looked at, against the same run that is not
 *
 *   node bench/page.mjs [--only frames,memory] [--pairs 3] [--seconds 24]
 */
import { parseArgs } from 'node:util';
import { report } from './bench.mjs';
import { Bench } from './page/bench-of-page.mjs';
import { firstChart } from './page/first-chart.mjs';
import { frames } from './page/frames.mjs';
import { memory } from './page/memory.mjs';
import { streamCost } from './page/stream-cost.mjs';
import { weight } from './page/weight.mjs';

const PARTS = {
  weight: ['Page: weight', weight],
  frames: ['Page: pictures a second', frames],
  'first-chart': ['Page: first chart', firstChart],
  memory: ['Page: memory', memory],
  stream: ['Page: live stream', streamCost],
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join() },
    pairs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '24' },
  },
});
const wanted = values.only.split(',');
for (const name of wanted) {
  if (!(name in PARTS)) throw new Error(`no part "${name}": ${Object.keys(PARTS).join(', ')}`);
}
for (const name of wanted) {
  const [title, part] = PARTS[name];
  const bench = new Bench();
  const began = performance.now();
  process.stderr.write(`${title} ...\n`);
  try {
    const options = { pairs: Number(values.pairs), seconds: Number(values.seconds) };
    report(title, await part(bench, options));
  } catch (thrown) {
    // The others are worth having.
    process.stderr.write(`${title}: ${thrown.stack}\n`);
    process.exitCode = 1;
  } finally {
    await bench.close();
  }
  process.stderr.write(`${title}: ${((performance.now() - began) / 1e3).toFixed(0)} s\n`);
}
