/** The page in a real browser: recordings, a live run, keyboard, narrow screens, exports. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHROMIUM_FLAGS } from '../../src/report/browser.ts';
import { FAULTS_OF_ACCESS } from '../support/access.ts';
import { projectRoot, type RunningCli, runCli, startCli } from '../support/run-cli.ts';
import { findProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';

const GOLDEN = 'examples/golden-connections.yaml';
const folder = tempFolder();
const golden = join(folder.path, 'golden');
const cured = join(folder.path, 'cured');
let browser: Browser | null = null;

beforeAll(async () => {
  const executablePath = findProgram('chromium');
  if (executablePath === null) throw new Error('chromium is missing (Debian package chromium)');
  const simulated = ['simulate', GOLDEN, '--duration', '8s', '--no-page', '--record'];
  await runCli([...simulated, golden]);
  await runCli([...simulated, cured, '--set', 'queue.reclaim=idle-yield']);
  browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
});

afterAll(async () => {
  await browser?.close();
  folder[Symbol.dispose]();
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console and of scripts, and requests to anybody else. */
  readonly wrong: string[];
}

async function visit(url: string, width = 1_280, height = 900): Promise<Visit> {
  if (browser === null) throw new Error('there is no browser');
  const context = await browser.newContext({ viewport: { width, height }, acceptDownloads: true });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'blob:' && origin !== new URL(url).origin) wrong.push(request.url());
  });
  await page.goto(url);
  return { page, wrong, [Symbol.asyncDispose]: () => context.close() };
}

async function opened(...recordings: string[]): Promise<{ run: RunningCli; url: string }> {
  const run = startCli(['open', ...recordings], { timeoutMs: 110_000 });
  const [url] = await run.waitFor(/http:\/\/\S+/);
  return { run, url };
}

async function seek(page: Page, micros: number): Promise<void> {
  await page.getByLabel('time', { exact: true }).fill(String(micros));
}

test('a recording: who holds the slots and who waits, at any second', async () => {
  const { run, url } = await opened(golden);
  await using _run = run;
  await using visited = await visit(url);
  const { page, wrong } = visited;
  await seek(page, 4_000_000);
  await expect.poll(() => page.locator('.answers').innerText()).toContain('15 of 15 held');
  await expect.poll(() => page.locator('.answers').innerText()).toContain('45 requests unread');
  await expect
    .poll(() => page.locator('.findings').innerText())
    .toContain('Slot hoarding at queue');
  await page.getByRole('button', { name: 'show me' }).first().click();
  await expect
    .poll(() => page.locator('.meant-now').innerText())
    .toMatch(/^15 connections now, from 00:00.0/);
  await page.getByRole('tab', { name: 'Ledger' }).click();
  expect(await page.locator('.meant-row').count()).toBe(15);
  await seek(page, 0);
  await expect.poll(() => page.locator('.time').innerText()).toMatch(/^00:00\.0/);
  await page.locator('body').press(' ');
  await expect.poll(() => page.locator('.time').innerText()).not.toMatch(/^00:00\.0/);
  expect(wrong).toEqual([]);
});

test('keyboard: a connection is chosen and told about', async () => {
  const { run, url } = await opened(golden);
  await using _run = run;
  await using visited = await visit(url);
  const { page, wrong } = visited;
  await seek(page, 4_000_000);
  await expect.poll(() => page.locator('.answers').innerText()).toContain('45 requests unread');
  await page.locator('canvas').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => page.locator('.card').innerText()).toContain('clients → queue');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.locator('.card').count()).toBe(0);
  await page.getByRole('tab', { name: 'Findings' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect
    .poll(() => page.getByRole('tab', { name: 'Charts' }).getAttribute('aria-selected'))
    .toBe('true');
  expect(wrong).toEqual([]);
});

test('exports: a chart as CSV and PNG, a diagram as PlantUML and SVG', async () => {
  const { run, url } = await opened(golden);
  await using _run = run;
  await using visited = await visit(url);
  const { page, wrong } = visited;
  const saved = async (name: string): Promise<Buffer> => {
    const waiting = page.waitForEvent('download');
    await page.getByRole('button', { name }).first().click();
    return readFileSync(await (await waiting).path());
  };
  await page.getByRole('tab', { name: 'Charts' }).click();
  const csv = (await saved('Open connections as CSV')).toString();
  expect(csv.split('\n')[0]).toBe('"second","clients → queue","queue → app"');
  expect(csv.split('\n')[5]).toBe('4,60,15');
  expect((await saved('Open connections as PNG')).subarray(1, 4).toString()).toBe('PNG');
  await page.getByRole('tab', { name: 'Sequence' }).click();
  expect((await saved('PlantUML')).toString()).toContain('@startuml');
  expect((await saved('SVG')).toString()).toContain('<svg');
  expect(wrong).toEqual([]);
});

test('narrow, side by side, what-if, and accessible in every tab', async () => {
  const { run, url } = await opened(golden, cured);
  await using _run = run;
  await using visited = await visit(url, 390, 844);
  const { page, wrong } = visited;
  await seek(page, 4_000_000);
  const source = readFileSync(join(projectRoot, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
  await page.evaluate(source);
  for (const tab of await page.getByRole('tab').all()) {
    await tab.click();
    const violations = await page.evaluate(FAULTS_OF_ACCESS);
    expect({ tab: await tab.innerText(), violations }).toEqual({
      tab: await tab.innerText(),
      violations: [],
    });
  }
  await expect.poll(() => page.locator('.simulated').innerText()).toMatch(/ms to simulate/);
  const overflow = await page.evaluate('document.documentElement.scrollWidth');
  expect(overflow).toBeLessThanOrEqual(390);
  expect(wrong).toEqual([]);
});

test('20,000 connections: bundles, which open', async () => {
  const file = join(folder.path, 'crowd.json');
  const clients = {
    name: 'clients',
    kind: 'clients',
    count: 20_000,
    workload: { kind: 'closed', thinkTime: '1s' },
  };
  const queue = { name: 'queue', kind: 'connection-queue', heldMax: 30_000 };
  const app = { name: 'app', kind: 'app' };
  const document = { name: 'crowd', duration: '2s', hops: [clients, queue, app] };
  writeFileSync(file, JSON.stringify(document));
  const crowd = join(folder.path, 'crowd');
  expect((await runCli(['simulate', file, '--no-page', '--record', crowd])).code).toBe(0);
  const { run, url } = await opened(crowd);
  await using _run = run;
  await using visited = await visit(url);
  const { page, wrong } = visited;
  await seek(page, 1_800_000);
  await expect.poll(() => page.locator('.answers').innerText()).toMatch(/19,\d{3} requests unread/);
  const perLine = page.locator('.per-line');
  await expect.poll(() => perLine.innerText()).toMatch(/a line stands for up to 1\d\d$/);
  await page.locator('canvas').focus();
  for (let step = 0; step < 2; step++) await page.keyboard.press('+');
  await expect.poll(() => perLine.innerText()).toMatch(/a line stands for up to \d\d$/);
  for (let step = 0; step < 11; step++) await page.keyboard.press('+');
  await expect.poll(() => perLine.innerText()).toBe('each line is a connection');
  await page.locator('canvas').click({ position: { x: 200, y: 150 } });
  await expect.poll(() => page.locator('.card').innerText()).toContain('its request is unread');
  expect(wrong).toEqual([]);
});

/** Sees 45 requests unread, and lets the queue take slots back: the change leaves a mark. */
async function cureThroughControls(page: Page): Promise<void> {
  await expect.poll(() => page.locator('.answers').innerText()).toContain('45 requests unread');
  await page.getByRole('tab', { name: 'Controls' }).click();
  await page.getByLabel('reclaim of queue', { exact: true }).selectOption('idle-yield');
  await page.getByRole('button', { name: 'set reclaim of queue', exact: true }).click();
  await expect.poll(() => page.locator('.reply').innerText()).toContain('applied');
  await expect.poll(() => page.locator('.mark').count()).toBeGreaterThan(0);
}

test('a simulation: shown while it goes on, changed, and there when it was ended', async () => {
  // Ten hours are over in ten seconds, before the page is there to be clicked at.
  const simulate = ['simulate', GOLDEN, '--duration', '60h', '--detail', 'full'];
  await using run = startCli(simulate, { timeoutMs: 110_000 });
  const [url] = await run.waitFor(/http:\/\/\S+/);
  await using visited = await visit(url);
  const { page, wrong } = visited;
  await expect.poll(() => page.locator('header').innerText()).toContain('running, simulated');
  await cureThroughControls(page);
  run.signal('SIGINT');
  await expect.poll(() => page.locator('header').innerText()).toContain('recorded');
  expect(wrong).toEqual([]);
  await visited[Symbol.asyncDispose]();
  expect((await run.ended).code).toBe(130);
});

test('a live run: followed, controlled, marked, and there when it is over', async () => {
  await using run = startCli(['run', GOLDEN, '--duration', '12s'], { timeoutMs: 110_000 });
  const [url] = await run.waitFor(/http:\/\/\S+/);
  await using visited = await visit(url);
  const { page, wrong } = visited;
  await cureThroughControls(page);
  await expect
    .poll(() => page.locator('.answers').innerText())
    .toMatch(/ 0 requests unread|\n0 requests/);
  await expect
    .poll(() => page.locator('header').innerText(), { timeout: 60_000 })
    .toContain('recorded');
  expect(wrong).toEqual([]);
  await visited[Symbol.asyncDispose]();
  const { code, leftInTemp } = await run.ended;
  expect({ code, leftInTemp }).toEqual({ code: 0, leftInTemp: [] });
});

test('nobody else may ask: other hosts, other sites, no token', async () => {
  const { run, url } = await opened(golden);
  await using _run = run;
  const { origin, hash } = new URL(url);
  const token = { 'x-waterhammer-token': hash.slice(1) };
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${origin}/api/runs`, { headers })).status;
  expect(await status(token)).toBe(200);
  expect(await status({})).toBe(401);
  expect(await status({ ...token, origin: 'http://evil.example' })).toBe(403);
  const { request } = await import('node:http');
  const rebound = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { ...token, host: 'evil.example' };
    request(`${origin}/api/runs`, { headers }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end();
  });
  expect(rebound).toBe(421);
});
