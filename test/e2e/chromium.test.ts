/**
 * The simulator in a browser's worker gives what it gives on node: the golden fingerprints in
 * Debian's Chromium, from the built modules as they are, over loopback.
 */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { CHROMIUM_FLAGS } from '../../src/report/browser.ts';
import { GOLDEN, GOLDEN_SEED, goldenTopology } from '../../src/sim/golden.case.ts';
import { projectRoot } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';

const WORKER = `
import { fingerprint } from '/sim/fingerprint.js';
onmessage = ({ data }) => postMessage(fingerprint(data.topology, data.seed));
`;

const PAGE = `<script>
const simulate = (task) => new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.postMessage(task);
});
</script>`;

/** The built modules, the worker, and a page that asks it. */
async function serve(): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = http.createServer(async (request, response) => {
    const name = request.url ?? '/';
    const script = { 'content-type': 'text/javascript' };
    if (name === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
    else if (name === '/worker.js') response.writeHead(200, script).end(WORKER);
    else {
      const file = path.join(projectRoot, 'dist', path.normalize(name));
      const text = await readFile(file).catch(() => null);
      if (text === null) response.writeHead(404).end();
      else response.writeHead(200, script).end(text);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('a worker in Chromium simulates the same bytes', { timeout: 180_000 }, async (context) => {
  const executablePath = requireProgram('chromium', context);
  const { url, close } = await serve();
  const browser = await chromium.launch({ executablePath, headless: true, args: CHROMIUM_FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    for (const [file, set, expected] of GOLDEN) {
      const task = { topology: goldenTopology(file, set), seed: GOLDEN_SEED };
      const found: unknown = await page.evaluate(`simulate(${JSON.stringify(task)})`);
      expect(found, file).toBe(expected);
    }
  } finally {
    await browser.close();
    close();
  }
});
