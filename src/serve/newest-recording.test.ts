import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newestRecording } from './newest-recording.ts';

it('is the one whose description was written last, not too deep and not hidden', async () => {
  const root = mkdtempSync(join(tmpdir(), 'waterhammer-test-'));
  try {
    const record = (name: string, second: number): string => {
      const folder = join(root, name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'run.json'), '{}');
      utimesSync(join(folder, 'run.json'), second, second);
      return folder;
    };
    expect(await newestRecording(root)).toBeNull();
    record('a', 100);
    const newest = record('recordings/demo/cure', 200);
    record('.hidden', 300);
    record('node_modules/b', 300);
    record('far/too/deep/down', 300);
    expect(await newestRecording(root)).toBe(newest);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
