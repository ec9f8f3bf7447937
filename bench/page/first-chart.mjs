/**
 * From the address to the first chart of a recorded day, and until everything is there. The
 * incident's chain at full size but for its clients: how many series there are, not how large
 * their values are, says how long it takes.
 */
import { RecordedRun } from '../../dist/serve/recorded-run.js';
import { spread, table } from '../bench.mjs';
import { verdict } from './bench-of-page.mjs';

const FIRST_CHART_MAX_MS = 2_000;
const ROUNDS = 5;
const FEW_CLIENTS = ['--set', 'mobile.count=20', '--set', 'embedded.count=40'];

export async function firstChart(bench) {
  const rows = [];
  for (const [name, ...span] of [
    ['a day, a row a minute', '--duration', '24h', '--resolution', '60s'],
    ['ten hours, a row a second', '--duration', '10h', '--resolution', '1s'],
  ]) {
    const args = [...span, '--detail', 'series', ...FEW_CLIENTS];
    const recording = bench.simulate(span[1], 'examples/aws-2021.yaml', args);
    const [first, whole] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      const { page, url, close } = await bench.opened(await RecordedRun.open(recording));
      const began = performance.now();
      await page.goto(url);
      await page.getByRole('tab', { name: 'Charts' }).click();
      await page.locator('.chart .u-over').first().waitFor();
      first.push(performance.now() - began);
      await page.locator('.loaded').waitFor({ state: 'attached', timeout: 120_000 });
      whole.push(performance.now() - began);
      await close();
    }
    const met = verdict(Math.max(...first), FIRST_CHART_MAX_MS);
    rows.push([name, spread(first, 0), met, spread(whole, 0)]);
  }
  const most = `at most ${FIRST_CHART_MAX_MS}, each time`;
  const head = ['series of 66 hosts', 'first chart, ms', most, 'all there, ms'];
  return `${ROUNDS} times each, median (min .. max).\n\n${table(head, rows)}`;
}
