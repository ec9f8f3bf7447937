/** The temporary folders of runs: gone with them, or with the next one; never a living run's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ScratchFolder } from './scratch-folder.ts';

let place = '';
beforeEach(() => {
  place = mkdtempSync(path.join(tmpdir(), 'wh-'));
  vi.stubEnv('TMPDIR', place);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(place, { recursive: true, force: true });
});

/** What a run leaves that was killed with SIGKILL: a socket at which nobody listens any more. */
async function leaveBehind(folder: string): Promise<void> {
  mkdirSync(path.join(folder, 'events'), { recursive: true });
  writeFileSync(path.join(folder, 'events', 'spool-0.seg'), 'events');
  const script = "require('net').createServer().listen('owner.sock', () => console.log('up'))";
  const owner = spawn(process.execPath, ['-e', script], { cwd: folder });
  await once(owner.stdout, 'data');
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

it('a run leaves nothing, and what it finds of dead runs goes', async () => {
  const dead = path.join(place, 'waterhammer-abc123');
  await leaveBehind(dead);
  const scratch = await ScratchFolder.open();
  expect(existsSync(dead)).toBe(false);
  expect(path.dirname(scratch.path)).toBe(place);
  writeFileSync(path.join(scratch.path, 'something'), 'of the run');
  scratch.remove();
  scratch.remove();
  expect(existsSync(scratch.path)).toBe(false);
});

it('a living run keeps its folder; what may not be one of ours is not touched', async () => {
  const living = await ScratchFolder.open();
  const fresh = path.join(place, 'waterhammer-abc124');
  mkdirSync(fresh);
  const elsewhere = path.join(place, 'precious');
  await leaveBehind(elsewhere);
  const link = path.join(place, 'waterhammer-abc125');
  symlinkSync(elsewhere, link);
  const keepers = path.join(place, 'waterhammer-nginx-abc126');
  await leaveBehind(keepers);
  const next = await ScratchFolder.open();
  for (const folder of [living.path, fresh, elsewhere, link, keepers, next.path]) {
    expect([folder, existsSync(folder)]).toEqual([folder, true]);
  }
  living.remove();
  next.remove();
});

it('without a socket, where the path is too long for one, it serves all the same', async () => {
  const deep = path.join(place, 'x'.repeat(100));
  mkdirSync(deep);
  vi.stubEnv('TMPDIR', deep);
  const scratch = await ScratchFolder.open();
  expect(existsSync(scratch.path)).toBe(true);
  scratch.remove();
  expect(existsSync(scratch.path)).toBe(false);
});
