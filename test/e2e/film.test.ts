/** `waterhammer film`: frames and duration as promised, and a clear message without Chromium. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';

it('makes a film of as many frames as it says, and a picture', async (context) => {
  requireProgram('chromium', context);
  const ffprobe = requireProgram('ffprobe', context);
  using folder = tempFolder();
  const at = (name: string): string => path.join(folder.path, name);
  const golden = ['examples/golden-connections.yaml', '--duration', '6s'];
  await runCli(['simulate', ...golden, '--record', at('rec')]);
  const length = ['--seconds', '2', '--frames-per-second', '10'];
  const made = await runCli(['film', at('rec'), '-o', at('a.mp4'), ...length]);
  expect(made).toMatchObject({ code: 0, orphans: [] });
  expect(made.stderr).toContain('2 s, 20 frames');
  const entries = 'stream=codec_name,width,height,nb_read_frames:format=duration';
  const told = spawnSync(
    ffprobe,
    ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', at('a.mp4')],
    { encoding: 'utf8' },
  );
  const { streams, format } = JSON.parse(told.stdout);
  expect(streams).toEqual([{ codec_name: 'h264', width: 1280, height: 720, nb_read_frames: '20' }]);
  expect(Number(format.duration)).toBeCloseTo(2, 1);
  expect((await runCli(['film', at('rec'), '-o', at('a.png')])).code).toBe(0);
  expect(readFileSync(at('a.png')).subarray(1, 4).toString()).toBe('PNG');
  const still = JSON.parse((await runCli(['film', at('rec'), '-o', at('c.png'), '--json'])).stdout);
  const bytes = readFileSync(at('c.png')).length;
  expect(still).toMatchObject({ recording: at('rec'), files: [{ path: at('c.png'), bytes }] });
  const none = { env: { PATH: at('nowhere') } };
  const without = await runCli(['film', at('rec'), '-o', at('b.mp4')], none);
  expect(without.code).toBe(1);
  expect(without.stderr).toContain('this needs Chromium');
});
