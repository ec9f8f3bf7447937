/**
 * A browser, recordings made for the occasion, and a page on a run: what the parts of the page's
 * benchmark share. Chromium is headless and has no GPU.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../dist/report/browser.js';
import { PageServer } from '../../dist/serve/page-server.js';
import { MAIN, ROOT } from '../bench.mjs';

export class Bench {
  scratch = mkdtempSync(join(tmpdir(), 'waterhammer-bench-'));
  #browser = null;

  simulate(name, topology, args) {
    const recording = join(this.scratch, name);
    const cli = [MAIN, 'simulate', topology, ...args, '--no-page', '--record', recording];
    execFileSync(process.execPath, cli, { cwd: ROOT, stdio: 'ignore' });
    return recording;
  }

  /** A page on a run, and what it is closed with. */
  async opened(run) {
    const executablePath = findChromium();
    this.#browser ??= await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
    const server = await PageServer.open([run]);
    const context = await this.#browser.newContext({ viewport: { width: 1_280, height: 900 } });
    const page = await context.newPage();
    const close = async () => {
      await context.close();
      await server.close();
    };
    return { page, url: server.url, close };
  }

  async close() {
    await this.#browser?.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

export function verdict(value, most) {
  return value <= most ? 'met' : 'MISSED';
}
