/** All files of the page, gzipped. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT } from '../bench.mjs';
import { verdict } from './bench-of-page.mjs';

const WEIGHT_MAX = 150_000;

export async function weight() {
  const folder = join(ROOT, 'dist', 'web');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  const bytes = files
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name))).length)
    .reduce((sum, one) => sum + one, 0);
  return (
    `All files of the page, gzipped: ${(bytes / 1e3).toFixed(1)} kB. ` +
    `At most ${WEIGHT_MAX / 1e3} kB: ${verdict(bytes, WEIGHT_MAX)}.`
  );
}
