/** The newest recording below a folder: by the time of its `run.json`, which is written last. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** `recordings/demo-12/cure` is three below where one usually stands. */
const DEPTH_MAX = 3;
/** A home folder is not searched through. */
const FOLDERS_MAX = 5_000;
const PASSED_OVER: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git']);

export async function newestRecording(folder: string): Promise<string | null> {
  let newest: { path: string; at: number } | null = null;
  let left = FOLDERS_MAX;
  const visit = async (place: string, depth: number): Promise<void> => {
    left -= 1;
    const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.isFile() && entry.name === 'run.json')) {
      const { mtimeMs } = await stat(path.join(place, 'run.json'));
      if (newest === null || mtimeMs > newest.at) newest = { path: place, at: mtimeMs };
      return;
    }
    if (depth === DEPTH_MAX) return;
    for (const entry of entries) {
      if (left <= 0) return;
      const passed = PASSED_OVER.has(entry.name) || entry.name.startsWith('.');
      if (entry.isDirectory() && !passed) await visit(path.join(place, entry.name), depth + 1);
    }
  };
  await visit(folder, 0);
  return (newest as { path: string } | null)?.path ?? null;
}
