/** `open` without a browser: what it prints, serves and how it ends. (The page: page.test.ts.) */
import path from 'node:path';
import { expect, it } from 'vitest';
import { runCli, startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

it('prints as JSON what it shows and where, and nothing else', async () => {
  using folder = tempFolder();
  const recording = path.join(folder.path, 'rec');
  const args = ['simulate', 'examples/direct.yaml', '--duration', '5s', '--record', recording];
  expect((await runCli([...args, '--no-page'])).code).toBe(0);

  await using run = startCli(['open', recording, recording, '--json']);
  await run.waitFor(/\n}\n/);
  const { recordings, url }: { recordings: string[]; url: string } = JSON.parse(run.stdout());
  expect(recordings).toEqual([recording, recording]);
  const { hostname, origin, hash } = new URL(url);
  expect(hostname).toBe('127.0.0.1');
  expect(hash.length).toBeGreaterThan(16);
  const served = await fetch(origin);
  expect(served.status).toBe(200);
  expect(await served.text()).toContain('<html');

  run.signal('SIGINT');
  const ended = await run.ended;
  expect([ended.code, ended.stderr]).toEqual([0, '']);
  expect(JSON.parse(ended.stdout)).toEqual({ recordings, url });
});
