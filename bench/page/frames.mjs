/** Pictures of the pipeline a second while time passes, with 20,000 connections open. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordedRun } from '../../dist/serve/recorded-run.js';
import { median, spread, table } from '../bench.mjs';
import { verdict } from './bench-of-page.mjs';

const FRAMES_MIN = 30;

export async function frames(bench) {
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
    const file = join(bench.scratch, `crowd-${activeMax}.json`);
    writeFileSync(file, JSON.stringify(crowd(count, activeMax)));
    const recording = bench.simulate(`crowd-${activeMax}`, file, ['--detail', 'full']);
    const { page, url, close } = await bench.opened(await RecordedRun.open(recording));
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
