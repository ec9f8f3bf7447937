/** `waterhammer report` and `diagram --format svg` as a user has them, from a simulation. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withPage } from '../../src/report/browser.ts';
import { FAULTS_OF_ACCESS } from '../support/access.ts';
import { projectRoot, runCli } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
const at = (name: string): string => path.join(folder.path, name);

beforeAll(async () => {
  folder = tempFolder();
  const golden = readFileSync('examples/golden-connections.yaml', 'utf8');
  const hostile = `golden <img src=x onerror="alert(1)"> & co`;
  const document = golden.replace('name: golden-connections', `name: '${hostile}'`);
  writeFileSync(at('hostile.yaml'), document);
  const simulate = ['simulate', at('hostile.yaml'), '--record'];
  expect((await runCli([...simulate, at('before')])).code).toBe(0);
  const cured = [...simulate, at('after'), '--set', 'queue.reclaim=idle-yield'];
  expect((await runCli(cured)).code).toBe(0);
});
afterAll(() => folder[Symbol.dispose]());

/** What axe-core finds wrong with a page. */
async function faultsOfAccess(html: string): Promise<unknown> {
  const axe = path.join(projectRoot, 'node_modules', 'axe-core', 'axe.min.js');
  return withPage(async (page) => {
    await page.setContent(html, { waitUntil: 'load' });
    await page.evaluate(readFileSync(axe, 'utf8'));
    return page.evaluate(FAULTS_OF_ACCESS);
  });
}

describe('waterhammer report', () => {
  it('writes one file with the story, that names cannot break', async () => {
    const { code, stdout } = await runCli(['report', at('before'), '-o', at('a.html')]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const html = readFileSync(at('a.html'), 'utf8');
    expect(html).toContain('45 of 60 clients of clients had a request that waited unread');
    expect(html).toContain('waterhammer simulate topology.yaml --set queue.reclaim=idle-yield');
    expect(html).toContain('class="wh-sequence"');
    expect(html).toContain('aria-label="the pipeline"');
    expect(html).toContain('aria-label="time to answer of all requests"');
    expect(html).toContain('&lt;img src=x onerror=');
    expect(html).not.toMatch(/<img|<script|\s(?:src|href)="[^#]/);
    await runCli(['report', at('before'), '-o', at('b.html')]);
    expect(readFileSync(at('b.html'), 'utf8')).toBe(html);
  });

  it('carries a document that reproduces the run', async () => {
    const html = readFileSync(at('a.html'), 'utf8');
    const [, text = ''] = /<pre[^>]*><code>(name: [^<]*)<\/code>/.exec(html) ?? [];
    const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' };
    const yaml = text.replace(/&(lt|gt|quot|amp|#39);/g, (_, name) => entities[name] ?? "'");
    writeFileSync(at('again.yaml'), yaml);
    const again = await runCli(['simulate', at('again.yaml'), '--json']);
    const was = JSON.parse(readFileSync(path.join(at('before'), 'run.json'), 'utf8')).summary;
    const is = JSON.parse(again.stdout);
    expect(is.topology).toEqual(was.topology);
    expect(is.clients).toEqual(was.clients);
  });

  it('puts the run before a cure beside it', async () => {
    const args = ['report', at('after'), '--against', at('before'), '-o', at('c.html')];
    expect((await runCli(args)).code).toBe(0);
    const html = readFileSync(at('c.html'), 'utf8');
    expect(html).toContain('0 of 60<span class="before"> before: 45 of 60</span>');
    expect(html).toContain('before: slots taken');
  });

  it('prints through Chromium, and says so where there is none', async (context) => {
    const none = { env: { WATERHAMMER_CHROMIUM: at('nothing') } };
    const without = await runCli(['report', at('before'), '-o', at('d.html'), '--pdf'], none);
    expect(without.code).toBe(1);
    expect(without.stderr).toContain('WATERHAMMER_CHROMIUM names no program');
    requireProgram('chromium', context);
    const { code, orphans } = await runCli(['report', at('before'), '-o', at('e.html'), '--pdf']);
    expect({ code, orphans }).toEqual({ code: 0, orphans: [] });
    expect(readFileSync(at('e.pdf')).subarray(0, 5).toString()).toBe('%PDF-');
    expect(await faultsOfAccess(readFileSync(at('e.html'), 'utf8'))).toEqual([]);
  });

  it('tells programs what it wrote', async () => {
    const { code, stdout } = await runCli(['report', at('before'), '-o', at('g.html'), '--json']);
    const bytes = readFileSync(at('g.html')).length;
    expect([code, JSON.parse(stdout).files]).toEqual([0, [{ path: at('g.html'), bytes }]]);
  });

  it('refuses what is no recording', async () => {
    const { code, stderr } = await runCli(['report', folder.path, '-o', at('f.html')]);
    expect(code).toBe(2);
    expect(stderr).toContain('is not a recording');
  });
});

describe('waterhammer diagram --format svg', () => {
  it('draws a simulated client that waits', async () => {
    const client = ['--client', '50', '--format', 'svg'];
    const { code, stdout } = await runCli(['diagram', at('before'), ...client]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^<svg xmlns="[^"]*" class="wh-sequence"/);
    expect(stdout).toContain('held, unread for');
    const told = await runCli(['diagram', at('before'), ...client, '--json']);
    expect(JSON.parse(told.stdout)).toMatchObject({ client: '50', text: stdout });
    expect((await runCli(['diagram', at('before'), '--client', '1', '--format', 'gif'])).code).toBe(
      2,
    );
  });
});
