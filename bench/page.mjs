/**
 * What the page costs, in headless Chromium without a GPU:
 *
 *   weight         all its files, gzipped
 *   frames         pictures of the pipeline a second while time passes, 20,000 connections open
 *   first chart    of a recorded day of the incident's chain (66 hosts, series of a minute)
 *   live stream    CPU time of a run that is looked at, against the same run that is not
 *   memory         of a page that is told an hour of a live run as fast as it takes it
 *
 *   node bench/page.mjs [--pairs 3] [--seconds 8]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../dist/report/browser.js';
import { PageServer } from '../dist/serve/page-server.js';
import { RecordedRun } from '../dist/serve/recorded-run.js';
import { MAIN, median, options, ROOT, report, spread, table } from './bench.mjs';
import { HourOfTicks } from './page/hour-of-ticks.mjs';
import { streamCost } from './page/stream-cost.mjs';
import { processTree, residentBytes } from './processes.mjs';

const { pairs, seconds } = options({ pairs: 3, seconds: 8 });
const FRAMES_MIN = 30;
const WEIGHT_MAX = 150_000;
const FIRST_CHART_MAX_MS = 2_000;
const STREAM_COST_MAX = 1.05;
const GROWTH_MAX = 1.1;

const scratch = mkdtempSync(join(tmpdir(), 'waterhammer-bench-'));
const executablePath = findChromium();
const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
const lines = [];
const tell = (line) => {
  lines.push(line);
  process.stderr.write(`${line}\n`);
};
try {
  const weight = weightOf(join(ROOT, 'dist', 'web'));
  tell(`Weight ${(weight / 1e3).toFixed(1)} kB gzipped; ${verdict(weight, WEIGHT_MAX)}.`);
  tell(await framesOfCrowds());
  tell(await firstChart());
  tell(await memoryOfAnHour());
  await browser.close();
  const { text, ratio } = await streamCost(scratch, { pairs, seconds });
  tell(`${text} At most ${STREAM_COST_MAX}: ${verdict(ratio, STREAM_COST_MAX)}.`);
  report('Page', lines.join('\n\n'));
} finally {
  await browser.close();
  rmSync(scratch, { recursive: true, force: true });
}

function verdict(value, most) {
  return value <= most ? 'met' : 'MISSED';
}

function weightOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((entry) => entry.isFile())
    .reduce(
      (sum, { parentPath, name }) => sum + gzipSync(readFileSync(join(parentPath, name))).length,
      0,
    );
}

function simulate(name, topology, args) {
  const recording = join(scratch, name);
  const cli = [MAIN, 'simulate', topology, ...args, '--no-page', '--record', recording];
  execFileSync(process.execPath, cli, { cwd: ROOT, stdio: 'ignore' });
  return recording;
}

/** A page on a run, and what it is closed with. */
async function opened(run) {
  const server = await PageServer.open([run]);
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 } });
  const page = await context.newPage();
  const close = async () => {
    await context.close();
    await server.close();
  };
  return { page, url: server.url, close };
}

async function framesOfCrowds() {
  const crowd = (count, activeMax) => ({
    name: 'crowd',
    duration: '5s',
    hops: [
      {
        name: 'clients',
        kind: 'clients',
        count,
        workload: { kind: 'closed', thinkTime: '3s' },
      },
      {
        name: 'queue',
        kind: 'connection-queue',
        activeMax,
        heldMax: 30_000,
        reclaim: 'idle-yield',
      },
      { name: 'app', kind: 'app', serviceTime: '5ms' },
    ],
  });
  const rows = [];
  for (const [name, count, activeMax] of [
    ['20,000 clients for 15 slots: nearly all wait', 20_000, 15],
    ['10,000 clients, 3,000 requests/s, 20,000 on two links', 10_000, 300],
  ]) {
    const file = join(scratch, `crowd-${activeMax}.json`);
    writeFileSync(file, JSON.stringify(crowd(count, activeMax)));
    const recording = simulate(`crowd-${activeMax}`, file, ['--detail', 'full']);
    const { page, url, close } = await opened(await RecordedRun.open(recording));
    await page.goto(url);
    await page.locator('.loaded').waitFor({ state: 'attached' });
    await page.getByLabel('speed').selectOption('0.25');
    for (const steps of [0, 5, 5]) {
      for (let step = 0; step < steps; step++) {
        await page.getByLabel('open the bundles (plus)').click();
      }
      const measured = [];
      for (let round = 0; round < 3; round++) measured.push(await framesOf(page));
      const how = ['whole', 'opened 10 x', 'opened 110 x'][rows.length % 3];
      rows.push([name, how, spread(measured, 0), verdict(FRAMES_MIN, median(measured))]);
    }
    await close();
  }
  const head = ['20,000 connections', 'view', 'pictures/s', `at least ${FRAMES_MIN}`];
  const said = 'Pictures a second while time passes, 3 x 2 s each, median (min .. max).';
  return `${said}\n\n${table(head, rows)}`;
}

/** Counts how often the canvas is cleared. */
async function framesOf(page) {
  await page.getByLabel('time', { exact: true }).fill('3000000');
  await page.getByRole('button', { name: 'play', exact: true }).click();
  const frames = await page.evaluate(`new Promise((resolve) => {
    const context = document.querySelector('canvas').getContext('2d');
    const { clearRect } = CanvasRenderingContext2D.prototype;
    let pictures = 0;
    context.clearRect = (...area) => {
      pictures += 1;
      clearRect.apply(context, area);
    };
    const began = performance.now();
    setTimeout(() => resolve((pictures * 1000) / (performance.now() - began)), 2000);
  })`);
  await page.getByRole('button', { name: 'pause', exact: true }).click();
  return frames;
}

async function firstChart() {
  const crowd = ['--set', 'mobile.count=50', '--set', 'embedded.count=100'];
  const day = ['--duration', '24h', '--detail', 'series', '--resolution', '60s', ...crowd];
  const recording = simulate('day', 'examples/aws-2021.yaml', day);
  const times = [];
  for (let round = 0; round < 5; round++) {
    const { page, url, close } = await opened(await RecordedRun.open(recording));
    const began = performance.now();
    await page.goto(url);
    await page.getByRole('tab', { name: 'Charts' }).click();
    await page.locator('.chart .u-over').first().waitFor();
    times.push(performance.now() - began);
    await close();
  }
  const worst = Math.max(...times);
  return (
    `First chart of a recorded day, from the address to the chart: ${spread(times, 0)} ms; ` +
    `at most ${FIRST_CHART_MAX_MS}: ${verdict(worst, FIRST_CHART_MAX_MS)}.`
  );
}

async function memoryOfAnHour() {
  const bytes = [];
  const hour = new HourOfTicks(async () => bytes.push(await rendererBytes()));
  const { page, url, close } = await opened(hour);
  const devtools = await page.context().newCDPSession(page);
  async function rendererBytes() {
    await devtools.send('HeapProfiler.collectGarbage');
    const all = [...processTree(process.pid).values()];
    const renderers = all.filter(({ command }) => command.includes('--type=renderer'));
    return renderers.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
  }
  const began = performance.now();
  await page.goto(url);
  await page.getByText('recorded, ').waitFor({ timeout: 600_000 });
  const took = (performance.now() - began) / 1e3;
  await close();
  const megabytes = bytes.map((one) => `${(one / 2 ** 20).toFixed(0)} MiB`);
  const growth = bytes[3] / bytes[1];
  return (
    `Memory of the page over an hour of a live run, replayed in ${took.toFixed(0)} s ` +
    `(7,200 ticks, ${hour.requestsPerSecond} requests/s, each on a connection of its own: ` +
    `1.8 million of both): ` +
    `${megabytes.join(', ')} after each quarter. The last against the second: ` +
    `${growth.toFixed(2)}; at most ${GROWTH_MAX}: ${verdict(growth, GROWTH_MAX)}.`
  );
}
