/** Every example appears in the gallery, with a picture that is there and is a picture. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './source-files.ts';

const gallery = join(root, 'docs', 'gallery');

test('the gallery shows every example, and nothing that is none', () => {
  // Other folders hold what is no topology (targets of a calibration).
  const examples = ['', 'findings']
    .flatMap((folder) => readdirSync(join(root, 'examples', folder)))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.replace(/\.yaml$/, ''));
  const text = readFileSync(join(gallery, 'README.md'), 'utf8');
  const shown = [...text.matchAll(/^## (.*)$/gm)].map((found) => found[1] ?? '');
  expect(shown.sort()).toEqual(examples.sort());
  for (const name of examples) {
    expect(text).toContain(`](${name}.png)`);
    expect(
      readFileSync(join(gallery, `${name}.png`))
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
  }
  const entries = text.split(/^## /m).slice(1);
  for (const entry of entries) expect(entry).toMatch(/^\*\*Found:\*\* .+/m);
});
