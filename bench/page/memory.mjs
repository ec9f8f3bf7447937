/** What the page's process holds while it is told an hour of a live run, as fast as it takes it. */
import { processTree, residentBytes } from '../processes.mjs';
import { verdict } from './bench-of-page.mjs';
import { HourOfTicks } from './hour-of-ticks.mjs';

const GROWTH_MAX = 1.1;

export async function memory(bench) {
  const bytes = [];
  const hour = new HourOfTicks(async () => bytes.push(await rendererBytes()));
  const { page, url, close } = await bench.opened(hour);
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
